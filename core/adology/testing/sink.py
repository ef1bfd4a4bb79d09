"""The kit for sinks: twice is once, a half write is finished by the next, faults are not hidden."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

from adology.context import Context
from adology.plugins import Kind
from adology.settings.model import AdologySettings
from adology.testing.base import Conformance
from adology.testing.batch import MemoryBatch, StreamBrokenError
from adology.testing.checks import check, fail, skip

MANY = 7


class SinkConformance(Conformance):
    """Fill in `plugin`, `settings`, and `stored`, which reads back what is written.

    Sinks that write to the engine's own stores get `engine`; `vendor` starts what is written to,
    empty each time.
    """

    kind: ClassVar[Kind] = "sink"

    async def stored(self, ctx: Context[Any]) -> Any:
        """What the target holds now, in a form that can be compared: rows sorted, times left out."""
        del ctx
        skip("stored is not implemented")

    def engine(self) -> AdologySettings | None:
        """The engine's settings, for sinks that use `ctx.engine`."""
        return None

    def make_batch(self, *, broken_after: int | None = None) -> Any:
        """The batch that is written; `broken_after` that many rows its streams fail."""
        return MemoryBatch(ads=MANY, broken_after=broken_after)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[Any, Context[Any]]]:
        """An open sink on an empty target, with its context."""
        async with self.vendor() as more, self.http() as http:
            context = self.make_context(more, http=http, engine=self.engine())
            sink = self.plugin()
            try:
                await sink.open(context)
                yield sink, context
            finally:
                await sink.close()

    def _needs_write(self) -> None:
        if self.plugin.role == "archive":
            skip("an archive is written to with put()")

    @check("Write under keys made from the batch id and the rows' own ids, and replace what is there.")
    async def test_the_same_batch_twice_counts_once(self) -> None:
        """Writing a batch again changes nothing."""
        self._needs_write()
        async with self.opened() as (sink, context):
            empty = await self.stored(context)
            await sink.write(context, self.make_batch())
            once = await self.stored(context)
            if once == empty:
                fail("write() returned and the target is as before: return only when the batch is durable")
            await sink.write(context, self.make_batch())
            twice = await self.stored(context)
            if twice != once:
                fail(f"after the second write of the same batch the target differs: {_differ(once, twice)}")

    @check("Let what the batch's streams raise pass through write(): the engine writes the batch again.")
    async def test_a_broken_batch_is_not_success(self) -> None:
        """When the batch cannot be read to its end, write() raises."""
        self._needs_write()
        async with self.opened() as (sink, context):
            try:
                await sink.write(context, self.make_batch(broken_after=MANY // 2))
            except StreamBrokenError:
                return
            except Exception as error:  # noqa: BLE001 - wrapped is fine, as long as the cause is kept
                if _is_caused_by(error, StreamBrokenError):
                    return
                fail(f"a broken batch becomes {type(error).__name__}: {error}, its cause is lost", cause=error)
            fail("write() returns though the batch could not be read to its end: rows are missing")

    @check("Begin a write by dropping what an earlier attempt at this batch left, or write in one transaction.")
    async def test_a_crash_within_a_write_is_repaired(self) -> None:
        """A write that broke half way, then a whole one, equal one whole write."""
        self._needs_write()
        async with self.opened() as (sink, context):
            await sink.write(context, self.make_batch())
            clean = await self.stored(context)
        async with self.opened() as (sink, context):
            with contextlib.suppress(Exception):
                await sink.write(context, self.make_batch(broken_after=MANY // 2))
            await sink.write(context, self.make_batch())
            repaired = await self.stored(context)
        if repaired != clean:
            fail(f"after a broken write and a whole one the target differs: {_differ(clean, repaired)}")

    @check("Return True only when this call stored the bytes; leave stored bytes alone.")
    async def test_an_archive_stores_a_key_once(self) -> None:
        """put() stores a key once, says whether it did, and never replaces bytes."""
        if self.plugin.role != "archive":
            skip("not an archive")
        async with self.opened() as (sink, _):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "a.png"
                path.write_bytes(b"first bytes")
                answers = [await sink.put("assets/aa/kit.png", path, "image/png") for _ in range(2)]
        if answers != [True, False]:
            fail(f"put() of one key twice answers {answers[0]!r} and {answers[1]!r}; allowed: True, then False")

    @check("Let close() release what open() got, if anything, and do nothing the second time.")
    async def test_close_is_safe(self) -> None:
        """close() may be called without open(), and twice."""
        for calls in (1, 2):
            sink = self.plugin()
            try:
                for _ in range(calls):
                    await sink.close()
            except Exception as error:  # noqa: BLE001 - the finding
                fail(f"close() without an open() before it raises {type(error).__name__}: {error}", cause=error)


def _differ(before: Any, after: Any) -> str:
    """A few words on how two states differ."""
    try:
        return f"{len(before)} entries before, {len(after)} after" if len(before) != len(after) else "same size"
    except TypeError:
        return f"{before!r} before, {after!r} after"


def _is_caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False
