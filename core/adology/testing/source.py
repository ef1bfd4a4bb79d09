"""The kit for sources: nothing lost, nothing hidden, nothing left open."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise
from typing import Any, ClassVar, cast

import msgspec

from adology.abc import Source
from adology.errors import ConfigError, Retry, RetryLater, Terminal
from adology.plugins import Kind
from adology.testing.base import Conformance, captured_log
from adology.testing.checks import ConformanceError, check, fail, skip
from adology.testing.http import RETRY_AFTER_S, Fault, FaultKind, FaultyHttp
from adology.types import Ad, Brand, Page

MAX_CURSOR_BYTES = 64 * 1024
MAX_PAGES = 10_000
PATIENCE_S = 5.0
_NOBODY = "Qxv Zzyzx 4711"


class Run:
    """One gathering as the engine does it: pages in order, the ads by id."""

    def __init__(self) -> None:
        self.pages: list[Page[Any]] = []
        self.ads: dict[str, Ad] = {}
        self.clashes: list[str] = []
        self.calls = 0
        self.error: BaseException | None = None

    def add(self, page: Page[Any]) -> None:
        """Take a page as the engine does: the first ad of an id counts."""
        self.pages.append(page)
        for ad in page.ads:
            known = self.ads.setdefault(ad.id, ad)
            if known.copy_hash() != ad.copy_hash():
                self.clashes.append(ad.id)

    @property
    def cursor(self) -> Any:
        """The last cursor that a page brought."""
        return next((page.cursor for page in reversed(self.pages) if page.cursor is not None), None)


class SourceConformance(Conformance):
    """Fill in `plugin`, `settings`, `brand`, and `vendor` with a local stand-in that has some ads.

    The stand-in should need several pages for `brand`. `empty_brand` is one that it knows and
    that has no ads. `incremental = False` says that the vendor cannot be asked for what is new.
    `look_for`, a name and a domain, is whom a source that finds handles can find there.
    A vendor's faults are put between the source and its stand-in, for calls through `ctx`.
    """

    kind: ClassVar[Kind] = "source"
    brand: ClassVar[Brand]
    empty_brand: ClassVar[Brand | None] = None
    incremental: ClassVar[bool] = True
    look_for: ClassVar[tuple[str, str] | None] = None

    async def publish_late(self, settings: Mapping[str, Any]) -> str:
        """Make the stand-in show one more ad, dated within `lag` before its newest; return its id."""
        del settings
        skip("publish_late is not implemented")

    async def gather(
        self,
        more: Mapping[str, Any],
        *,
        since: Any = None,
        resume: str | None = None,
        stop_after: int = MAX_PAGES,
        fault: Fault | None = None,
        brand: Brand | None = None,
    ) -> Run:
        """One gathering; ends after `stop_after` pages as a killed worker would. Errors are kept."""
        run = Run()
        async with self.http(FaultyHttp(fault)) as http:
            context = self.make_context(more, http=http, resume=resume)
            pages = self.plugin().pages(context, brand or self.brand, since)
            try:
                async with aclosing(cast("Any", pages)):
                    async for page in pages:
                        if not isinstance(page, Page):
                            fail(f"pages() yields {type(page).__name__}, not adology.Page")
                        run.add(page)
                        if len(run.pages) >= stop_after:
                            break
            except ConformanceError:
                raise
            except Exception as error:  # noqa: BLE001 - the checks judge it
                run.error = error
            run.calls = http.calls
        return run

    @asynccontextmanager
    async def whole(self) -> AsyncIterator[tuple[Mapping[str, Any], Run]]:
        """The vendor's settings, and one undisturbed gathering from it."""
        async with self.vendor() as more:
            run = await self.gather(more)
            if run.error is not None:
                fail(f"an undisturbed gathering raises {_shown(run.error)}", cause=run.error)
            if not run.ads:
                fail("an undisturbed gathering finds no ads: give the stand-in some for `brand`")
            yield more, run

    @check("Use the vendor's own stable id of the ad as Ad.id, never a position, a time or a random number.")
    async def test_keys_are_unique_and_stable(self) -> None:
        """Two gatherings give the same ads under the same ids, and no two ads share one."""
        async with self.whole() as (more, first):
            if first.clashes:
                fail(f"two different ads share the id {first.clashes[0]!r}")
            if bad := [ad.id for ad in first.ads.values() if not ad.id or ad.id != ad.id.strip()]:
                fail(f"ad id {bad[0]!r} is empty or padded")
            second = await self.gather(more)
            if set(first.ads) != set(second.ads):
                changed = min(set(first.ads) ^ set(second.ads))
                fail(f"two gatherings of unchanged data differ: ad {changed!r} is in one of them only")

    @check("Make the cursor a date, number, string or Struct with order=True, of the type that Source[…, C] names.")
    async def test_cursor_is_storable(self) -> None:
        """The cursor survives storing, can be compared, is small, and never goes back if `ordered`."""
        async with self.whole() as (_, run):
            cursors = [page.cursor for page in run.pages if page.cursor is not None]
            if not cursors:
                skip("no page brings a cursor: every gathering starts from the beginning")
            for cursor in cursors:
                self._check_cursor(cursor)
            if self.plugin.ordered:
                for before, after in pairwise(cursors):
                    if after < before:
                        fail(f"ordered = True, but the cursor goes back from {before!r} to {after!r}")

    def _check_cursor(self, cursor: Any) -> None:
        from adology.plugins.validate import check_class  # noqa: PLC0415 - this check alone needs it

        kind = check_class("source", self.plugin)[1]
        encoded = msgspec.msgpack.encode(cursor)
        if len(encoded) > MAX_CURSOR_BYTES:
            fail(f"the cursor takes {len(encoded)} bytes; allowed: {MAX_CURSOR_BYTES}")
        try:
            back = msgspec.msgpack.decode(encoded, type=kind or Any)
        except msgspec.DecodeError as error:
            fail(f"cursor {cursor!r} does not come back as the {kind} of Source[…, C]: {error}", cause=error)
        if back != cursor:
            fail(f"cursor {cursor!r} comes back from storage as {back!r}")
        try:
            _ = cursor <= back
        except TypeError as error:
            fail(f"cursors of type {type(cursor).__name__} cannot be compared: {error}", cause=error)

    @check("Let `resume` name the page after this one, or leave it None so that the gathering starts over.")
    async def test_a_crash_after_any_page_loses_nothing(self) -> None:
        """Killed after each page and resumed, the gathering ends with every ad."""
        async with self.whole() as (more, run):
            if len(run.pages) < 2:  # noqa: PLR2004 - a crash between pages needs two
                skip("the stand-in answers with one page; give it enough ads for several")
            for killed_after in range(1, len(run.pages)):
                before = await self.gather(more, stop_after=killed_after)
                after = await self.gather(more, resume=before.pages[-1].resume)
                if after.error is not None:
                    fail(f"resuming after page {killed_after} raises {_shown(after.error)}", cause=after.error)
                _check_none_lost(run, {*before.ads, *after.ads}, f"killed after page {killed_after} and resumed")

    @check("Set ordered = False unless pages come oldest first; then the cursor counts only at the end of a gathering.")
    async def test_an_ordered_cursor_loses_nothing(self) -> None:
        """If `ordered`, a gathering that ends early continues from its cursor with every ad."""
        if not self.plugin.ordered:
            skip("ordered = False: the cursor is stored at the end of a gathering only")
        async with self.whole() as (more, run):
            for ended_after in range(1, len(run.pages)):
                before = await self.gather(more, stop_after=ended_after)
                after = await self.gather(more, since=before.cursor)
                _check_none_lost(
                    run, {*before.ads, *after.ads}, f"ended after page {ended_after}, then since its cursor"
                )

    @check("Ask the vendor only for what came since the cursor, or say incremental = False in the test.")
    async def test_a_second_gathering_returns_the_overlap(self) -> None:
        """Since the cursor there is less to read, and no ad that the first gathering missed."""
        if not self.incremental:
            skip("incremental = False: the vendor cannot be asked for what is new")
        async with self.whole() as (more, run):
            if run.cursor is None:
                skip("no page brings a cursor")
            again = await self.gather(more, since=run.cursor)
            if again.error is not None:
                fail(f"gathering since {run.cursor!r} raises {_shown(again.error)}", cause=again.error)
            if unknown := sorted(set(again.ads) - set(run.ads)):
                fail(
                    f"ad {unknown[0]!r} shows up since the cursor though nothing changed: the first gathering missed it"
                )
            if len(again.ads) >= len(run.ads) > 1:
                fail(f"since {run.cursor!r} all {len(run.ads)} ads come again: the cursor is not used")

    @check("Read from `since - self.lag` on, and drop nothing there: the engine knows which ads it has.")
    async def test_late_ads_are_found(self) -> None:
        """An ad that arrives late, within `lag` before the cursor, is found by the next gathering."""
        async with self.whole() as (more, run):
            late = await self.publish_late(more)
            again = await self.gather(more, since=run.cursor)
            if again.error is not None:
                fail(f"gathering since {run.cursor!r} raises {_shown(again.error)}", cause=again.error)
            if late not in again.ads:
                fail(f"ad {late!r}, published late within lag = {self.plugin.lag}, is not found since {run.cursor!r}")

    @check("Raise RetryLater(seconds) with the vendor's Retry-After; ctx.get does. Never end the pages quietly.")
    async def test_a_429_is_passed_on(self) -> None:
        """Told to slow down, on any call, it raises RetryLater with the vendor's seconds."""
        for run in await self._with_fault("429"):
            if run.error is None:
                continue
            if not isinstance(run.error, RetryLater):
                fail(f"a 429 becomes {_shown(run.error)}, not RetryLater", cause=run.error)
            if run.error.seconds < RETRY_AFTER_S:
                fail(f"the vendor said {RETRY_AFTER_S:g} s, the source asks for {run.error.seconds:g} s")

    @check("Let Retry through, or raise it: the engine tries again. Never catch everything and end the pages.")
    async def test_server_faults_are_retried(self) -> None:
        """A 5xx and a time-out, on any call, become Retry, and no ad is lost quietly."""
        for kind in ("503", "timeout"):
            for run in await self._with_fault(kind):
                if run.error is not None and not isinstance(run.error, Retry):
                    fail(f"a {kind} becomes {_shown(run.error)}, not Retry", cause=run.error)

    @check("Decode answers with ctx.get(url, Type) or answer.decode(Type): they raise Retry and show the beginning.")
    async def test_garbage_is_reported(self) -> None:
        """An HTML page in place of data is an error of the source, not an empty answer."""
        for run in await self._with_fault("garbage"):
            if run.error is not None and not isinstance(run.error, (Retry, Terminal, ConfigError)):
                fail(f"garbage becomes {_shown(run.error)}: say Retry or Terminal", cause=run.error)

    async def _with_fault(self, kind: FaultKind) -> list[Run]:
        """Gatherings in which the first call fails, and in which a later one does."""
        async with self.whole() as (more, undisturbed):
            if not undisturbed.calls:
                skip("the source makes no HTTP calls through its context")
            runs = []
            for after in sorted({0, undisturbed.calls // 2, undisturbed.calls - 1}):
                run = await self.gather(more, fault=Fault(kind, after=after))
                if run.error is None:
                    _check_none_lost(
                        undisturbed, set(run.ads), f"with a {kind} from call {after + 1} on, ended quietly"
                    )
                runs.append(run)
            return runs

    @check("End pages() without a page, or with an empty one, when the brand has no ads.")
    async def test_a_brand_without_ads_is_no_error(self) -> None:
        """A brand that the vendor knows and that has no ads gives none."""
        if self.empty_brand is None:
            skip("empty_brand is not given")
        async with self.vendor() as more:
            run = await self.gather(more, brand=self.empty_brand)
            if run.error is not None:
                fail(f"a brand without ads raises {_shown(run.error)}", cause=run.error)
            if run.ads:
                fail(f"empty_brand has {len(run.ads)} ads")

    @check("Hold connections and tasks in `async with` inside pages(), and let CancelledError through.")
    async def test_cancellation_leaves_nothing_open(self) -> None:
        """Cancelled in the middle of a call, it ends at once; no task or connection stays behind."""
        async with self.whole() as (more, undisturbed):
            if not undisturbed.calls:
                skip("the source makes no HTTP calls through its context")
            others = asyncio.all_tasks()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ResourceWarning)
                await self._cancel_in_call(more)
                gc.collect()
                await asyncio.sleep(0)
            left = [task for task in asyncio.all_tasks() - others if not task.done()]
            if left:
                fail(f"after cancellation a task still runs: {left[0].get_coro()}")
            if leaks := [w for w in caught if issubclass(w.category, ResourceWarning)]:
                fail(f"after cancellation something is left open: {leaks[0].message}")

    @check("Return each advertiser once, by confidence in [0, 1], with a handle that pages() takes; () for nobody.")
    async def test_found_handles_can_be_gathered(self) -> None:
        """The handles that it finds are ranked, each there once, and the first one has ads; nobody is made up."""
        if self.plugin.find_handles is Source.find_handles:
            skip("the source does not look for handles")
        if self.look_for is None:
            skip("look_for is not given")
        async with self.vendor() as more:
            found = await self._find(more, *self.look_for)
            if not found:
                fail(f"find_handles finds nobody for {self.look_for!r}")
            handles = [one.handle for one in found]
            if len(set(handles)) < len(handles):
                fail(f"handles come more than once: {', '.join(handles)}")
            confidences = [one.confidence for one in found]
            if sorted(confidences, reverse=True) != confidences or not all(0 <= one <= 1 for one in confidences):
                fail(f"confidences {confidences} are not in [0, 1], the highest first")
            if name := self.find_secret(repr(found)):
                fail(f"what is found shows the secret {name}")
            run = await self.gather(more, brand=Brand(id="found", handles={self.plugin.name: (handles[0],)}))
            if run.error is not None or not run.ads:
                fail(f"the handle {handles[0]!r} that it found cannot be gathered", cause=run.error)
            if invented := await self._find(more, _NOBODY, ""):
                fail(f"for the name {_NOBODY!r}, which nobody has, it finds {invented[0].handle!r}")
            await self._check_pause(more, *self.look_for)

    async def _find(self, more: Mapping[str, Any], name: str, domain: str, fault: Fault | None = None) -> Any:
        async with self.http(FaultyHttp(fault)) as http:
            return await self.plugin().find_handles(self.make_context(more, http=http), name, domain)

    async def _check_pause(self, more: Mapping[str, Any], name: str, domain: str) -> None:
        try:
            await self._find(more, name, domain, Fault("429"))
        except RetryLater:
            return
        except Exception as error:  # noqa: BLE001 - whatever else it is, is wrong
            fail(f"a 429 becomes {_shown(error)}, not RetryLater", cause=error)
        fail("a 429 is taken for an answer")

    async def _cancel_in_call(self, more: Mapping[str, Any]) -> None:
        async with self.http(FaultyHttp(Fault("hang"))) as http:
            context = self.make_context(more, http=http)

            async def read() -> None:
                async with aclosing(cast("Any", self.plugin().pages(context, self.brand, None))) as pages:
                    async for _ in pages:
                        pass

            task = asyncio.create_task(read())
            hanging = asyncio.create_task(http.hanging.wait())
            await asyncio.wait({task, hanging}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_S)
            hanging.cancel()
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
            if not done:
                fail(f"a cancelled gathering still runs {PATIENCE_S:g} s later")
            if not task.cancelled():
                fail("a cancelled gathering ends as if nothing happened: CancelledError is swallowed")

    @check("Never put a secret into an error or a log line; ctx.secret() makes the log mask it.")
    async def test_no_secret_in_errors_and_logs(self) -> None:
        """Neither errors nor logs of a failing gathering show a secret."""
        if not self.secrets:
            skip("no secrets are given")
        async with self.vendor() as more:
            for kind in ("429", "503", "garbage"):
                with captured_log() as log:
                    run = await self.gather(more, fault=Fault(kind))
                if name := self.find_secret(str(run.error)):
                    fail(f"the error after a {kind} shows the secret {name}")
                if name := self.find_secret("".join(log)):
                    fail(f"the log of a gathering with a {kind} shows the secret {name}")


def _check_none_lost(whole: Run, found: set[str], how: str) -> None:
    lost = sorted(set(whole.ads) - found)
    if lost:
        fail(f"{how}: {len(lost)} of {len(whole.ads)} ads are lost, such as {lost[0]!r}")


def _shown(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
