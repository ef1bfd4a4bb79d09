"""Single functions in child processes, or in a thread where there are none: the same results and errors."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adology import Analyzer, Context, Struct
from adology.engine.analyzers import ReadyAnalyzer
from adology.engine.invoke import Invoker, Work
from adology.errors import AdologyError, AnalyzerCrashedError, MediaUnusableError, Skip
from adology.isolation import IsolatedFaultError, IsolatedPool
from adology.money.calls import Payer
from tests.unit.isolation import functions

pytestmark = pytest.mark.anyio

Act = Callable[[Context[None]], Any]


class Said(Struct, frozen=True, kw_only=True):
    data: Any = None


class Calling(Analyzer[None, Said]):
    """An analyzer of the worker's own process that has something done elsewhere."""

    name, version, accepts = "calling", 1, ("image",)

    def __init__(self, act: Act, deadline_s: float) -> None:
        self._act = act
        self.deadline_s = deadline_s  # type: ignore[misc]  # of this one

    async def analyze(self, ctx: Context[None], item: Any) -> Said:  # noqa: ARG002 - the interface's signature
        return Said(data=await self._act(ctx))


async def invoke(pool: IsolatedPool | None, act: Act, *, deadline_s: float = 30.0, scratch: Path | None = None) -> Any:
    ready = ReadyAnalyzer(
        name="calling",
        analyzer=Calling(act, deadline_s),
        settings=None,
        settings_fields={},
        reference="",
        fingerprint="",
    )
    outcome = await Invoker(pool).invoke(ready, Work(item=None, key="", payer=Payer()), scratch or Path())
    return outcome.result["data"]


GIVEN = [1, 2.5, "ü", b"\x00\xff", None, True, ["x"], {"k": [b"v"]}]


async def test_function_runs_in_a_child_and_gets_and_gives_plain_data() -> None:
    async with IsolatedPool(1) as pool:
        pid, *got = await invoke(pool, lambda ctx: ctx.isolated(functions.echo, *GIVEN))
        assert pid != os.getpid()
        # Results of analyzers are JSON: bytes are text there, not in between.
        assert got == [1, 2.5, "ü", "AP8=", None, True, ["x"], {"k": ["dg=="]}]
        assert await invoke(pool, lambda ctx: ctx.isolated(functions.pair, 1, b"2")) == {"left": 1, "right": "Mg=="}
        assert await invoke(pool, lambda ctx: ctx.isolated(functions.Holder.inside, 1)) == 2


async def test_without_child_processes_it_runs_in_a_thread_on_the_same_data() -> None:
    pid, *got = await Context("x", None).isolated(functions.echo, *GIVEN, ("a", "tuple"))
    assert (pid, got) == (os.getpid(), [*GIVEN, ["a", "tuple"]])
    assert await Context("x", None).isolated(functions.pair, 1, b"2") == {"left": 1, "right": b"2"}
    assert threading.current_thread() is threading.main_thread()


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (functions.skip, Skip, "nothing to see"),
        (functions.unusable, MediaUnusableError, "broken"),
        (functions.not_a_number, IsolatedFaultError, r"functions:not_a_number raised ValueError: invalid literal"),
        (functions.unspeakable, IsolatedFaultError, r"functions:unspeakable raised TypeError: Encoding objects"),
    ],
)
async def test_errors_are_the_same_with_and_without_child_processes(
    function: Callable[[], Any], error: type[Exception], words: str
) -> None:
    async with IsolatedPool(1) as pool:
        for there in (pool, None):
            with pytest.raises(error, match=words):
                await invoke(there, lambda ctx: ctx.isolated(function))
        assert (await invoke(pool, lambda ctx: ctx.isolated(functions.echo)))[0] != os.getpid(), "the pool lives"


async def test_function_that_kills_its_process_is_given_one_more_chance(tmp_path: Path) -> None:
    async with IsolatedPool(1) as pool:
        with pytest.raises(AnalyzerCrashedError, match="functions:kill_itself: its process died of SIGKILL"):
            await invoke(pool, lambda ctx: ctx.isolated(functions.kill_itself))
        marker = tmp_path / "died"
        pid = await invoke(pool, lambda ctx: ctx.isolated(functions.die_once, str(marker)))
        assert pid != int(marker.read_text())


async def test_function_that_hangs_is_ended_with_what_was_left_of_the_deadline() -> None:
    async def act(ctx: Context[None]) -> Any:
        await asyncio.sleep(0.3)
        return await ctx.isolated(functions.hang, 60)

    async with IsolatedPool(1) as pool:
        await invoke(pool, lambda ctx: ctx.isolated(functions.hang, 0))
        began = time.monotonic()
        with pytest.raises(AnalyzerCrashedError, match="deadline"):
            await invoke(pool, act, deadline_s=0.8)
        assert time.monotonic() - began < 5


async def test_function_may_be_given_less_time_than_the_analyzer_has() -> None:
    async with IsolatedPool(1) as pool:
        for there in (pool, None):
            with pytest.raises(AnalyzerCrashedError, match=r"passed its deadline of 0\.2 s"):
                await invoke(there, lambda ctx: ctx.isolated(functions.hang, 0.5, deadline_s=0.2))


async def test_function_in_a_thread_is_not_waited_for_beyond_the_deadline() -> None:
    context = Context("x", None, deadline=time.monotonic() + 0.2)
    with pytest.raises(AnalyzerCrashedError, match=r"functions:hang passed its deadline of 0\.\d+ s"):
        await context.isolated(functions.hang, 0.5)


async def test_waiting_for_a_free_child_does_not_count() -> None:
    async with IsolatedPool(1) as pool:
        await invoke(pool, lambda ctx: ctx.isolated(functions.hang, 0))
        done = await asyncio.gather(
            *(invoke(pool, lambda ctx: ctx.isolated(functions.hang, 0.4), deadline_s=0.9) for _ in range(4))
        )
    assert done == [0.4] * 4, "the last one waited 1.2 s for its turn"


async def test_more_memory_than_a_child_may_have_is_the_items_fault() -> None:
    async with IsolatedPool(1) as pool:
        with pytest.raises(MediaUnusableError, match=r"functions:allocate needs more than \d+ bytes of memory"):
            await invoke(pool, lambda ctx: ctx.isolated(functions.allocate, 1 << 40))


async def test_what_is_not_plain_or_too_long_is_refused_before_it_is_sent() -> None:
    async with IsolatedPool(1) as pool:
        for there in (pool, None):
            with pytest.raises(TypeError, match="Encoding objects of type object is unsupported"):
                await invoke(there, lambda ctx: ctx.isolated(functions.echo, object()))
        with pytest.raises(ValueError, match=r"functions:echo is given 7\d+ bytes; allowed are 67108864: pass a path"):
            await invoke(pool, lambda ctx: ctx.isolated(functions.echo, bytes(70_000_000)))


@pytest.mark.parametrize("function", [lambda: 1, functions.asynchronous, [].copy], ids=["lambda", "async", "no"])
async def test_function_that_another_process_would_not_find_is_refused(function: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="what runs isolated is a"):
        await Context("x", None).isolated(function)


async def test_derived_file_that_is_a_link_is_not_archived(tmp_path: Path) -> None:
    async def act(ctx: Context[None]) -> None:
        ctx.derive("small.jpg", "image/jpeg").symlink_to("/etc/passwd")

    with pytest.raises(ValueError, match=r"calling wrote no regular file for derived 'small\.jpg'") as caught:
        await invoke(None, act, scratch=tmp_path)
    assert not isinstance(caught.value, AdologyError)
