"""`/readyz`: what the roles of the process need is asked, for a bounded time, and not as often as somebody likes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest

from adology.settings import AdologySettings
from adology_server import readiness
from tests.server.rig import Client, serving

pytestmark = pytest.mark.timeout(120)
REST = {"postgres", "notices", "mongo", "bucket", "queues", "similarity"}
CLOSED = "127.0.0.1:9"


async def parts_of(client: Client) -> dict[str, Any]:
    """The parts by name, and the status."""
    answer = await client.ask("GET", "/readyz")
    return {"status": answer.status, **answer.body, "parts": {part["name"]: part for part in answer.body["parts"]}}


async def until_whole(client: Client) -> dict[str, Any]:
    """As soon as everything is there: the indexes are made after the start."""
    for _ in range(100):
        found = await parts_of(client)
        if not found["degraded"]:
            return found
        await asyncio.sleep(0.2)
    raise AssertionError(found)


def test_all_that_a_role_needs_is_asked(settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(settings) as nobody:
            found = await until_whole(nobody)
            assert (found["status"], found["ready"], set(found["parts"])) == (200, True, REST)
            assert {name for name, part in found["parts"].items() if part["needed"]} == {"postgres"}
            assert b"Ready." in (await nobody.ask("GET", "/")).body
        async with serving(settings, roles=("live",)) as nobody:
            assert set((await until_whole(nobody))["parts"]) == {"postgres", "notices"}

    asyncio.run(scenario())


def test_what_can_be_done_without_is_told_and_does_not_stop_the_server(settings: AdologySettings) -> None:
    replace = msgspec.structs.replace
    broken = replace(
        settings,
        mongo=replace(settings.mongo, url=f"mongodb://{CLOSED}/"),
        s3=replace(settings.s3, bucket="there-is-no-such-bucket"),
        queues=replace(settings.queues, prefix="there-is-no-such-queue-"),
    )

    async def scenario() -> None:
        async with serving(broken) as nobody:
            began = time.monotonic()
            found = await parts_of(nobody)
            assert time.monotonic() - began < 2 * readiness.WAIT_S  # all at once, each for so long at most
            assert (found["status"], found["ready"], found["degraded"]) == (200, True, True)
            bad = {name: part["error"] for name, part in found["parts"].items() if not part["ok"]}
            assert set(bad) >= {"mongo", "bucket", "queues"}
            for error in bad.values():
                assert error
                assert "127.0.0.1" not in error
                assert "no-such" not in error

    asyncio.run(scenario())


def test_without_its_database_the_server_is_not_ready_and_lives(settings: AdologySettings) -> None:
    replace = msgspec.structs.replace
    away = replace(settings, postgres=replace(settings.postgres, url=f"postgresql://nobody@{CLOSED}/none"))

    async def scenario() -> None:
        async with serving(away) as nobody:
            began = time.monotonic()
            found = await parts_of(nobody)
            assert time.monotonic() - began < 2 * readiness.WAIT_S
            assert (found["status"], found["ready"]) == (503, False)
            assert not found["parts"]["postgres"]["ok"]
            assert "nobody" not in found["parts"]["postgres"]["error"]
            assert (await nobody.ask("GET", "/healthz")).status == 200

    asyncio.run(scenario())


def test_probes_cannot_wear_out_what_they_ask(settings: AdologySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = readiness._ask

    async def counting(probe: Any) -> Any:
        asked.append(probe.name)
        return await real(probe)

    monkeypatch.setattr(readiness, "_ask", counting)
    monkeypatch.setattr(readiness, "KEPT_S", 3.0)

    async def scenario() -> None:
        async with serving(settings) as nobody:
            await asyncio.gather(*(nobody.ask("GET", "/readyz") for _ in range(50)))
            assert sorted(asked) == sorted(REST)
            await asyncio.sleep(3.1)
            await nobody.ask("GET", "/readyz")
            assert sorted(asked) == sorted([*REST, *REST])

    asyncio.run(scenario())


def test_a_part_that_hangs_is_away_and_holds_up_nobody(
    settings: AdologySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "WAIT_S", 0.5)

    async def hang(_: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(readiness.Probes, "_bucket", hang)

    async def scenario() -> None:
        async with serving(settings) as nobody:
            began = time.monotonic()
            found = await parts_of(nobody)
            assert time.monotonic() - began < 30
            assert found["parts"]["bucket"]["error"] == "does not answer within 0.5 s"

    asyncio.run(scenario())
