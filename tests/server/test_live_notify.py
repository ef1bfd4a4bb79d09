"""Workers elsewhere: what they tell reaches clients, whatever the server is doing just then."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import pytest

from adology.errors import ConfigError
from adology.notify import Notifier, NotifyRefusedError, NotifyUnavailableError
from adology.settings import AdologySettings
from tests.server.live_rig import add_task, socket
from tests.server.node_rig import OneAddress
from tests.server.rig import World, log_in, serving
from tests.server.tasks_rig import environment

pytestmark = pytest.mark.timeout(60)
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_brands("nike", "puma")
    return made


def test_tasks_and_new_ads_are_told_to_those_who_may_hear_them(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with (
            serving(store_settings) as nobody,
            Notifier(nobody.origin + "/", world.add_service()) as worker,
            Notifier(nobody.origin, "ado_key_guessed") as stranger,
        ):
            owner, rival = [await log_in(nobody, f"owner@{org}.example") for org in ("acme", "rival")]
            await owner.post("/v1/brandspaces", {"name": "Sport", "followed": ["nike"]})
            async with socket(owner) as ours, socket(rival) as theirs:
                task = add_task(world)
                await worker.task(task, "processing", progress={"phase": "gather"})
                assert (await ours.hear_event("processing"))["progress"] == {"phase": "gather"}
                for _ in range(2):  # as after an answer that was lost
                    await worker.task(task, "completed", result={"ads": 40})
                assert (await ours.hear_event())["result"] == {"ads": 40}
                for batch, ads in (("b-1", 12), ("b-1", 12), ("b-2", 3)):
                    await worker.new_ads("nike", batch, ads)
                    await worker.new_ads("puma", batch, ads)
                for batch, ads in (("b-1", 12), ("b-2", 3)):
                    told = await ours.hear_event()
                    assert {key: told[key] for key in ("event", "brand", "batch", "ads", "private")} == {
                        "event": "brand.new_ads", "brand": "nike", "batch": batch, "ads": ads, "private": False,
                    }  # fmt: skip
                await ours.is_still()
                await theirs.is_still()
            for refused in (
                worker.task(task, "failed"),
                worker.task("abc123", "completed"),
                worker.new_ads("nobodys", "b-1", 1),
                worker.new_ads("nike", "b-3", 0),
                worker.new_ads("nike", "b\x00", 1),
                stranger.new_ads("nike", "b-3", 1),
            ):
                with pytest.raises(NotifyRefusedError, match=r"answered 4\d\d: .*urn:adology:problem"):
                    await refused
            assert (await owner.ask("POST", "/notify/new-ads", {"brand": "nike", "batch": "b", "ads": 1})).status == 403

    asyncio.run(scenario())


def test_a_server_that_is_away_is_waited_for(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody, OneAddress(NOBODY).listening() as door:
            task = add_task(world)
            async with Notifier(door.origin, world.add_service()) as worker:
                notice = asyncio.create_task(worker.task(task, "completed"))
                await asyncio.sleep(0.5)
                assert not notice.done()
                door.target = nobody.origin
                await asyncio.wait_for(notice, 15)
            assert world.rows("select state from tasks") == [("completed",)]

    asyncio.run(scenario())


def test_it_waits_as_long_as_it_is_asked_to_and_gives_up_in_the_end() -> None:
    answers = [b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 4\r\n\r\nbusy"]
    times: list[float] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        times.append(time.monotonic())
        writer.write(answers[0] if len(times) < 3 or len(answers) == 1 else answers[1])
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            async with Notifier(origin, "key", within_s=1.5) as worker:
                with pytest.raises(NotifyUnavailableError, match=r"within 1\.5 s: 503 busy"):
                    await worker.task("x", "completed")
            assert len(times) == 2, "not before the second that it was asked to wait"
            times.clear()
            answers.append(b"HTTP/1.1 204 OK\r\n\r\n")
            async with Notifier(origin, "key", within_s=20) as worker:
                await worker.task("x", "completed")
            assert [times[1] - times[0] >= 1, times[2] - times[1] >= 1, len(times)] == [True, True, 3]
        async with Notifier(NOBODY, "key", within_s=0.5) as worker:
            with pytest.raises(NotifyUnavailableError, match="did not take a notice"):
                await worker.task("x", "completed")

    asyncio.run(scenario())


def test_without_address_or_key_the_setting_is_named() -> None:
    for url, key, name in (("", "key", "server.notify_url"), ("http://x", "", "server.notify_key")):
        with pytest.raises(ConfigError, match=name):
            Notifier(url, key)


def test_the_command_tells_what_it_is_given(store_settings: AdologySettings, world: World) -> None:
    key = world.add_service()

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            own = {"ADOLOGY_SERVER__NOTIFY_URL": nobody.origin, "ADOLOGY_SERVER__NOTIFY_KEY": "env:SERVICE_KEY"}
            env = {**environment(store_settings), **own, "SERVICE_KEY": key}

            def run(*arguments: str) -> Any:
                command = [sys.executable, "-m", "adology.cli", "notify", *arguments]
                return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

            task = add_task(world)
            done = await asyncio.to_thread(run, task, "completed", "--result", '{"ads": 3}')
            assert (done.returncode, done.stdout) == (0, ""), done.stderr
            done = await asyncio.to_thread(run, "--brand", "nike", "--batch", "b-1", "--ads", "4")
            assert done.returncode == 0, done.stderr
            told = [row[0] for row in world.rows("select body from events order by id")]
            assert told[-2]["result"] == {"ads": 3}
            assert told[-1] == {"brand": "nike", "batch": "b-1", "ads": 4, "private": False}
            done = await asyncio.to_thread(run, task, "failed")
            assert done.returncode == 1
            assert "ADO-5936" in done.stderr
            assert key not in json.dumps(done.stderr)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x"],
        ["x", "done"],
        ["x", "completed", "--ads", "3"],
        ["--brand", "nike"],
        ["x", "completed", "--result", "{"],
    ],
)
def test_the_command_says_what_it_needs(arguments: list[str]) -> None:
    from typer.testing import CliRunner

    from adology.cli.app import _make_app

    assert CliRunner().invoke(_make_app(), ["notify", *arguments]).exit_code == 2
