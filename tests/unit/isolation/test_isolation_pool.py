"""Analyzers in child processes: results, errors, crashes, limits."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from adology.errors import (
    AdologyError,
    AnalyzerCrashedError,
    ConfigError,
    MediaUnusableError,
    Retry,
    RetryLater,
    Skip,
    Terminal,
)
from adology.isolation import IsolatedFaultError, IsolatedPool
from adology.log import bound, logger, setup_logging
from tests.unit.isolation.conftest import BEHAVE, Asker

pytestmark = pytest.mark.anyio


async def gone(pid: int, within_s: float = 5.0) -> bool:
    """Whether the process ends (a zombie has ended)."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        await asyncio.sleep(0.02)
    return False


async def written(path: Path) -> int:
    """The number in `path`, once it is there."""
    async with asyncio.timeout(30):
        while not (path.exists() and path.read_text()):  # noqa: ASYNC110, ASYNC240 - another process writes it
            await asyncio.sleep(0.01)
    return int(path.read_text())  # noqa: ASYNC240 - as above


# Results


async def test_result_comes_back_as_the_plain_data_that_an_inline_analyzer_gives(ask: Asker) -> None:
    result = (await ask("well", deadline_s=9.0)).result
    assert result["pid"] != os.getpid()
    assert result["data"]["read"] == base64.b64encode(b"the creative").decode()
    assert result["data"]["item"] == ["ab" * 32, "image", {"other": {"x": [1, None, "ü"]}}]
    assert 8.0 < result["data"]["left"] <= 9.0


async def test_child_is_kept_for_the_next_item(ask: Asker) -> None:
    assert await ask.pid() == await ask.pid()


async def test_nested_class_is_found_by_its_qualified_name(ask: Asker) -> None:
    outcome = await ask("well", reference="tests.unit.isolation.analyzers:Outer.Inner")
    assert outcome.result["mode"] == "well"


async def test_derived_file_is_in_the_scratch_folder(ask: Asker) -> None:
    (made,) = (await ask("derive")).derived
    assert (made.name, made.content_type) == ("small.jpg", "image/jpeg")
    assert made.path == ask.scratch / "small.jpg"
    assert made.path.read_bytes() == b"the creati"


@pytest.mark.parametrize("mode", ["derive_nothing", "derive_link", "derive_outside"])
async def test_derived_file_that_is_none_is_a_fault(ask: Asker, mode: str) -> None:
    with pytest.raises(IsolatedFaultError, match="derived"):
        await ask(mode)


async def test_large_result_arrives(ask: Asker) -> None:
    assert len(await ask.data("large", 20_000_000)) == 20_000_000


async def test_result_beyond_the_limit_is_a_fault_and_the_child_lives(ask: Asker) -> None:
    pid = await ask.pid()
    with pytest.raises(IsolatedFaultError, match=r"result has 7\d+ bytes; allowed are 67108864"):
        await ask("large", 70_000_000)
    assert await ask.pid() == pid


async def test_noise_on_standard_output_does_not_reach_the_protocol(ask: Asker) -> None:
    assert await ask.data("noise") == ""
    assert await ask.data("well")


# Errors


@pytest.mark.parametrize(
    ("mode", "cls", "code", "text", "fields"),
    [
        ("skip", Skip, "ADO-5002", "no faces. Try a portrait.", {"hint": "Try a portrait."}),
        ("terminal", Terminal, "ADO-3777", "never", {"hint": None}),
        ("unusable", MediaUnusableError, "ADO-3101", r"broken \ud800 file", {}),
        ("retry", Retry, "ADO-5001", "busy", {"after": 7.5, "retryable": True}),
        ("retry_later", RetryLater, "ADO-2001", "the vendor asked to slow down", {"seconds": 30, "after": 30}),
        (
            "config",
            ConfigError,
            "ADO-1001",
            "setting behave.model: is unknown. Use another.",
            {"setting": "behave.model"},
        ),
        ("own", Terminal, "ADO-3999", "of the plugin", {}),
        ("odd", Terminal, "ADO-5003", "1" + "0" * 30, {}),
    ],
)
async def test_our_error_comes_back_as_itself(
    ask: Asker, mode: str, cls: type[AdologyError], code: str, text: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(AdologyError) as caught:
        await ask(mode)
    assert type(caught.value) is cls
    assert (caught.value.code, str(caught.value)) == (code, text)
    assert {name: getattr(caught.value, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("value_error", r"Behave raised ValueError: not a \\ud800 number \(at child.py.*analyzers.py:\d+ in do_value"),
        ("system_exit", r"Behave raised SystemExit: goodbye \("),
        ("recurse", r"Behave raised RecursionError: maximum recursion depth"),
        ("unspeakable", r"Behave raised TypeError: .*unsupported"),
        ("no_such_mood", r"Behave raised AttributeError: .*do_no_such_mood"),
    ],
)
async def test_any_other_error_is_a_fault_with_its_name_and_place(ask: Asker, mode: str, says: str) -> None:
    with pytest.raises(IsolatedFaultError, match=says):
        await ask(mode)
    assert await ask.data("well")


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("tests.unit.isolation.absent:Any", "ModuleNotFoundError"),
        ("tests.unit.isolation.analyzers:Absent", "AttributeError"),
        ("tests.unit.isolation.analyzers:Unloadable", "RuntimeError: no model file"),
        ("tests.unit.isolation.analyzers:Knobs", "InvalidPluginError"),
        ("nonsense", "AttributeError|ModuleNotFoundError"),
    ],
)
async def test_analyzer_that_cannot_be_loaded_is_a_fault(ask: Asker, reference: str, says: str) -> None:
    with pytest.raises(IsolatedFaultError, match=says):
        await ask("well", reference=reference)
    assert await ask.data("well")


async def test_wrong_settings_are_named(ask: Asker) -> None:
    with pytest.raises(ConfigError, match=r"analyzers\.behave\."):
        await ask("", mood="well")


# Crashes and limits


@pytest.mark.parametrize(
    ("mode", "amount", "says"),
    [
        ("segfault", 0, "died of SIGSEGV"),
        ("abort", 0, "died of SIGABRT"),
        ("die_of", int(signal.SIGKILL), "died of SIGKILL"),
        ("die_of", int(signal.SIGBUS), "died of SIGBUS"),
        ("exit", 3, "ended with exit code 3"),
        ("exit", 0, "ended with exit code 0"),
    ],
)
async def test_crash_is_told_and_the_next_item_gets_a_fresh_child(
    ask: Asker, mode: str, amount: int, says: str
) -> None:
    with pytest.raises(AnalyzerCrashedError) as caught:
        await ask(mode, amount)
    assert str(caught.value) == f"{BEHAVE} on abababababab: its process {says}."
    assert caught.value.code == "ADO-3102"
    assert await ask.data("well")


async def test_stack_of_a_crash_is_logged(ask: Asker) -> None:
    lines: list[dict[str, Any]] = []
    handle = logger.add(lambda message: lines.append(message.record["extra"]), level="WARNING")
    try:
        with pytest.raises(AnalyzerCrashedError):
            await ask("segfault")
    finally:
        logger.remove(handle)
    (line,) = [extra for extra in lines if "how" in extra]
    assert line["analyzer"] == BEHAVE
    assert "do_segfault" in line["last_words"]


@pytest.mark.parametrize("mode", ["loop", "sleep_deaf"])
async def test_item_that_passes_its_deadline_is_killed(ask: Asker, mode: str) -> None:
    await ask.pid()
    began = time.monotonic()
    with pytest.raises(AnalyzerCrashedError, match=r"passed its deadline of 0\.3 s and was killed"):
        await ask(mode, deadline_s=0.3)
    assert time.monotonic() - began < 3
    assert await gone(await written(ask.marker()))
    assert await ask.data("well")


async def test_helpers_of_a_killed_child_are_killed_with_it(ask: Asker) -> None:
    with pytest.raises(AnalyzerCrashedError):
        await ask("helper", deadline_s=1.0)
    assert await gone(await written(ask.marker()))


async def test_item_that_needs_too_much_memory_is_unusable(tmp_path: Path) -> None:
    async with IsolatedPool(1, memory_bytes=600_000_000) as pool:
        ask = Asker(pool, tmp_path)
        pid = await ask.pid()
        assert await ask.data("allocate", 1_000_000) == 1_000_000
        with pytest.raises(MediaUnusableError, match="needs more than 600000000 bytes of memory for abababababab"):
            await ask("allocate", 700_000_000)
        # Its memory may be in pieces: it is replaced.
        assert await gone(pid)
        assert await ask.pid() != pid


async def test_child_is_replaced_after_its_share_of_items(tmp_path: Path) -> None:
    async with IsolatedPool(1, max_tasks=2) as pool:
        ask = Asker(pool, tmp_path)
        pids = [await ask.pid() for _ in range(5)]
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]
    assert all([await gone(pid) for pid in pids])


async def test_child_that_died_while_idle_is_replaced_unseen(ask: Asker) -> None:
    pid = await ask.pid()
    os.kill(pid, signal.SIGKILL)
    assert await gone(pid)
    await asyncio.sleep(0.05)
    assert await ask.pid() != pid


async def test_child_is_confined_and_gets_no_credentials(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "ADOLOGY_POSTGRES_URL", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "hidden")
    seen = await ask.data("look")
    assert "hidden" not in seen["env"].values()
    assert seen["session"] is True
    assert (seen["memory"], seen["core"], seen["files"]) == (2 * 1024**3, 0, 256)
    assert {os.path.abspath(entry) for entry in sys.path} <= set(seen["path"])  # noqa: ASYNC240, PTH100 - pure


# Logs


async def test_lines_of_the_analyzer_appear_in_the_workers_log_with_its_ids(
    ask: Asker, capsys: pytest.CaptureFixture[str]
) -> None:
    setup_logging(style="json", stream=sys.stderr)
    try:
        with bound(brand="nike"):
            await ask("log", 1)
    finally:
        logger.remove()
    (line,) = [text for text in capsys.readouterr().err.splitlines() if "a line" in text]
    assert '"msg":"a line {with braces}"' in line
    assert '"level":"WARNING"' in line
    assert '"brand":"nike"' in line
    assert '"plugin":"behave"' in line
    assert '"number":"0"' in line


async def test_flood_of_lines_is_cut(ask: Asker) -> None:
    lines: list[str] = []
    handle = logger.add(lines.append, level="WARNING")
    try:
        await ask("log", 5000)
    finally:
        logger.remove(handle)
    assert 50 < len(lines) <= 100


async def test_thread_left_behind_does_not_disturb_the_next_item(ask: Asker) -> None:
    await ask("log_late")
    await asyncio.sleep(0.05)
    for _ in range(3):
        assert await ask.data("well")


# Queueing, cancelling, ending


async def test_no_more_children_than_allowed_and_in_order_of_arrival(tmp_path: Path) -> None:
    async with IsolatedPool(2) as pool:
        ask = Asker(pool, tmp_path)
        outcomes = await asyncio.gather(*(ask("wait", 60) for _ in range(8)))
    spans = [outcome.result["data"] for outcome in outcomes]
    assert len({outcome.result["pid"] for outcome in outcomes}) == 2
    starts = [began for began, _ in spans]
    # Two at a time, each of which may be held up: who came four places earlier began earlier.
    assert all(earlier < later for earlier, later in zip(starts, starts[4:], strict=False))
    for moment in starts:
        assert sum(began <= moment < ended for began, ended in spans) <= 2


async def test_cancelled_item_takes_its_child_along_and_frees_the_place(ask: Asker) -> None:
    task = asyncio.create_task(ask("loop"))
    pid = await written(ask.marker())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await ask.pid() != pid
    assert await gone(pid)


async def test_waiting_item_can_be_cancelled_without_harm(ask: Asker) -> None:
    first = asyncio.create_task(ask("wait", 300))
    second = asyncio.create_task(ask("well"))
    await asyncio.sleep(0.05)
    second.cancel()
    assert (await first).result["mode"] == "wait"
    assert await ask.data("well")


async def test_item_cancelled_while_its_child_starts_leaves_no_child(tmp_path: Path) -> None:
    before = set(psutil.Process().children())
    async with IsolatedPool(1) as pool:
        ask = Asker(pool, tmp_path)
        task = asyncio.create_task(ask("well"))
        async with asyncio.timeout(10):
            while not set(psutil.Process().children()) - before:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        pids = {child.pid for child in set(psutil.Process().children()) - before}
        assert pids
        assert await ask.pid() not in pids
        # While the pool goes on: closing it would end them anyway.
        assert all([await gone(pid) for pid in pids])


async def test_closing_ends_busy_and_idle_children_quickly_and_blames_no_item(tmp_path: Path) -> None:
    pool = IsolatedPool(2)
    ask = Asker(pool, tmp_path)
    await asyncio.gather(ask("wait", 100), ask("wait", 100))
    pids = {child.pid for child in pool._idle}
    assert len(pids) == 2
    busy = asyncio.create_task(ask("sleep_deaf"))
    pids.add(await written(ask.marker()))
    waiting = [asyncio.create_task(ask("sleep_deaf")) for _ in range(3)]
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await pool.close()
    assert time.monotonic() - began < 3
    for task in (busy, *waiting):
        with pytest.raises(Retry, match="closing"):
            await task
    with pytest.raises(Retry, match="closing"):
        await ask("well")
    await pool.close()
    assert all([await gone(pid) for pid in pids])


async def test_child_that_cannot_be_started_is_no_fault_of_the_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    async with IsolatedPool(1) as pool:
        with pytest.raises(Retry, match=r"could be started: .*No such file") as caught:
            await Asker(pool, tmp_path)("well")
    assert caught.value.code == "ADO-5201"


async def test_child_that_ends_at_once_tells_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho libssl is missing >&2\nexit 3\n")
    broken.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(broken))
    async with IsolatedPool(1) as pool:
        with pytest.raises(Retry, match=r"ended with exit code 3; its last words: 'libssl is missing'"):
            await Asker(pool, tmp_path)("well")


async def test_worker_that_is_killed_takes_its_children_along(tmp_path: Path) -> None:
    program = textwrap.dedent(
        f"""
        import asyncio, sys
        from pathlib import Path
        sys.path[:0] = {sys.path!r}
        from adology.isolation import IsolatedPool
        from tests.unit.isolation.conftest import Asker

        async def main():
            async with IsolatedPool(1) as pool:
                await Asker(pool, Path({str(tmp_path)!r}))("sleep_deaf", deadline_s=600)

        asyncio.run(main())
        """
    )
    worker = subprocess.Popen([sys.executable, "-c", program])  # noqa: ASYNC220 - returns at once
    try:
        child = await written(tmp_path / "looping")
        assert psutil.Process(child).ppid() == worker.pid
    finally:
        worker.kill()
        worker.wait()
    assert await gone(child)


def test_pool_works_on_the_workers_event_loop(tmp_path: Path) -> None:
    """Workers run on uvloop, whose pipes and child watchers are its own."""
    import uvloop

    async def main() -> None:
        # uvloop tells nobody that a test's time is up.
        async with asyncio.timeout(50), IsolatedPool(1) as pool:
            ask = Asker(pool, tmp_path)
            pid = await ask.pid()
            assert len(await ask.data("large", 3_000_000)) == 3_000_000
            with pytest.raises(AnalyzerCrashedError, match="died of SIGSEGV"):
                await ask("segfault")
            with pytest.raises(AnalyzerCrashedError, match="deadline"):
                await ask("loop", deadline_s=0.2)
            assert await ask.pid() != pid

    uvloop.run(main())
