"""A source is read to its end, whatever happens on the way, and never asked twice for one page."""
# ruff: noqa: ARG001 - the interface's signatures

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from adology import Ad, Brand, ConfigError, Page, Retry, RetryLater, Skip, Terminal
from adology.engine.discover import MAX_CURSOR_BYTES, Discovery
from adology.engine.manifest import Manifest, SourceDone
from adology.errors import LeaseLostError, UnavailableError
from tests.simulation.loop import run_virtual
from tests.unit.engine.memory import Catalogue, Instance, Objects, make_page, now, pages_of

BRAND = Brand(id="nike", handles={"library": ("1",)})


class Bench:
    """A manifest, a catalogue, and the notes that the gatherer would take."""

    def __init__(self) -> None:
        self.objects = Objects()
        self.manifest = Manifest(self.objects, "b1")
        self.catalogue = Catalogue()
        self.notes: list[tuple[int, int]] = []

    async def run(self, instance: Instance, **over: Any) -> SourceDone:
        discovery = Discovery(instance, self.manifest, self.catalogue, now=now, **over)
        return await discovery.run(BRAND, self._note)

    async def _note(self, pages: int, ads: int) -> None:
        self.notes.append((pages, ads))

    async def ids(self) -> list[str]:
        return [found.ad.id async for found, _, _ in self.manifest.ads(await self.manifest.list_parts())]


def test_pages_are_stored_as_they_come_and_the_last_cursor_is_kept() -> None:
    async def scenario() -> None:
        bench = Bench()
        instance = Instance(pages_of(make_page("1", "2"), make_page("3", cursor=9)))
        done = await bench.run(instance)
        assert (done.outcome, done.pages, done.ads, done.reason) == ("ok", 2, 3, "")
        assert done.cursor == msgspec.msgpack.encode(9)
        assert bench.notes == [(1, 2), (1, 1)]
        assert await bench.ids() == ["1", "2", "3"]
        assert instance.script.closed == 1

    run_virtual(scenario())


def test_a_source_without_ads_is_empty_and_keeps_its_cursor() -> None:
    async def scenario() -> None:
        done = await Bench().run(Instance(pages_of(make_page(cursor=4))))
        assert (done.outcome, done.ads, done.cursor) == ("empty", 0, b"\x04")

    run_virtual(scenario())


def test_an_ad_counts_once_and_the_first_appearance_stands() -> None:
    async def scenario() -> None:
        bench = Bench()
        again: Page[Any] = Page(ads=(Ad(id="1", bodies=("second",)), Ad(id="2"), Ad(id="2")))
        done = await bench.run(Instance(pages_of(make_page("1"), again)))
        assert done.ads == 2
        assert await bench.ids() == ["1", "2"]

    run_virtual(scenario())


def test_a_source_that_is_done_is_not_run_again() -> None:
    async def scenario() -> None:
        bench, instance = Bench(), Instance(pages_of(make_page("1")))
        first = await bench.run(instance)
        assert await bench.run(instance, poisoned=True) == first
        assert instance.script.calls == 1

    run_virtual(scenario())


def test_a_gathering_goes_on_after_the_last_stored_page() -> None:
    async def walk(ctx: Any, brand: Brand, since: Any) -> AsyncIterator[Page[Any]]:
        pages = [make_page("1", resume="one"), make_page("2", resume="two"), make_page("3", resume="three")]
        names = [None, "one", "two"]
        for number in range(names.index(ctx.resume), 3):
            if number == 2 and ctx.resume is None:
                raise Retry("the connection broke")
            yield pages[number]

    async def scenario() -> None:
        bench, instance = Bench(), Instance(walk)
        with pytest.raises(Retry, match="the connection broke"):
            await bench.run(instance)
        done = await bench.run(instance)
        assert (done.outcome, done.pages, done.ads) == ("ok", 3, 3)
        assert instance.resumed[-1] == "two"
        assert await bench.ids() == ["1", "2", "3"]
        assert bench.notes == [(1, 1), (1, 1), (2, 2), (1, 1)], "what the first attempt stored is noted again"

    run_virtual(scenario())


def test_a_source_that_cannot_resume_starts_over_and_nothing_is_stored_twice() -> None:
    async def scenario() -> None:
        bench, faults = Bench(), [Retry("broke")]

        async def walk(ctx: Any, brand: Brand, since: Any) -> AsyncIterator[Page[Any]]:
            yield make_page("1", "2")
            if faults:
                raise faults.pop()
            yield make_page("3")

        instance = Instance(walk)
        with pytest.raises(Retry):
            await bench.run(instance)
        assert (await bench.run(instance)).ads == 3
        assert await bench.ids() == ["1", "2", "3"]

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (Terminal("no such page", code="ADO-2105"), "ADO-2105", "no such page"),
        (Skip("nothing here"), "ADO-5002", "nothing here"),
        (
            ConfigError("sources.library.token", "has expired."),
            "ADO-1001",
            "setting sources.library.token: has expired.",
        ),
    ],
)
@pytest.mark.parametrize("pages_before", [0, 1])
def test_a_source_that_ends_for_good_says_why(error: Exception, code: str, reason: str, pages_before: int) -> None:
    async def scenario() -> None:
        pages = [make_page("1", cursor=5)][:pages_before]
        done = await Bench().run(Instance(pages_of(*pages, error)))
        assert done.outcome == ("partial" if pages_before else "failed")
        assert (done.code, done.reason) == (code, reason)
        assert done.cursor is None, "newest first: the missing ads lie before the cursor"

    run_virtual(scenario())


def test_an_ordered_source_keeps_its_cursor_even_if_it_ends_early() -> None:
    async def scenario() -> None:
        instance = Instance(pages_of(make_page("1", cursor=5), Terminal("broke")), ordered=True)
        done = await Bench().run(instance)
        assert (done.outcome, done.cursor) == ("partial", b"\x05")

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Retry("vendor away"), "vendor away"),
        (KeyError("data"), "library: KeyError: 'data'"),
        (TimeoutError(), "library: TimeoutError"),
    ],
)
def test_a_passing_fault_is_tried_again_until_the_last_try_which_is_a_failure(error: Exception, text: str) -> None:
    async def scenario() -> None:
        bench, instance = Bench(), Instance(pages_of(error))
        with pytest.raises(Retry) as caught:
            await bench.run(instance)
        assert str(caught.value) == text
        done = await bench.run(instance, give_up=True)
        assert done.outcome == "failed"
        assert done.reason == text.removeprefix("library: ")

    run_virtual(scenario())


@pytest.mark.parametrize("error", [LeaseLostError("taken over"), UnavailableError("s3 is away")])
def test_a_fault_of_ours_is_never_the_sources_failure(error: Exception) -> None:
    async def scenario() -> None:
        bench = Bench()
        with pytest.raises(type(error)):
            await bench.run(Instance(pages_of(error)), give_up=True)
        assert (await bench.manifest.load_source("library")).done is None

    run_virtual(scenario())


def test_a_source_that_kills_its_worker_is_not_run_again() -> None:
    async def scenario() -> None:
        instance = Instance(pages_of(make_page("1")))
        done = await Bench().run(instance, poisoned=True)
        assert (done.outcome, done.code) == ("failed", "ADO-2090")
        assert done.reason == "gathering this source ended its worker again and again; see the worker's log"
        assert instance.script.calls == 0

    run_virtual(scenario())


def test_a_vendor_that_says_slow_down_pauses_its_credential_for_every_brand() -> None:
    async def scenario() -> None:
        bench = Bench()
        instance = Instance(pages_of(make_page("1", resume="one"), RetryLater(90, "too many calls")))
        with pytest.raises(RetryLater) as caught:
            await bench.run(instance)
        assert caught.value.seconds == 90
        await asyncio.sleep(30)
        with pytest.raises(RetryLater, match="library: its credential pauses for 60 s more") as caught:
            await bench.run(instance)
        assert caught.value.seconds == 60
        assert instance.script.calls == 1, "the vendor is not asked during its pause"

    run_virtual(scenario())


@pytest.mark.parametrize("paused", [False, True])
def test_a_vendor_that_never_stops_saying_so_is_a_failure_in_the_end(paused: bool) -> None:
    async def scenario() -> None:
        bench = Bench()
        if paused:
            await bench.catalogue.pause_credential("library", 60, "")
        done = await bench.run(Instance(pages_of(make_page("1"), RetryLater(90, "too many calls"))), wait=False)
        assert done.outcome == ("failed" if paused else "partial")
        assert done.reason == ("library: its credential pauses for 60 s more" if paused else "too many calls")

    run_virtual(scenario())


def test_the_source_is_asked_from_the_stored_cursor_on() -> None:
    seen: list[Any] = []

    async def walk(ctx: Any, brand: Brand, since: Any) -> AsyncIterator[Page[Any]]:
        seen.append(since)
        yield make_page("1")

    async def scenario() -> None:
        for stored in (None, msgspec.msgpack.encode(7), msgspec.msgpack.encode("of another type"), b"\xc1"):
            bench = Bench()
            if stored is not None:
                bench.catalogue.cursors["library"] = stored
            assert (await bench.run(Instance(walk))).outcome == "ok"

    run_virtual(scenario())
    # One that does not decode means: start over. Ads are upserted.
    assert seen == [None, 7, None, None]


@pytest.mark.parametrize(
    ("stored", "shows_running", "broken", "whole"),
    [
        (None, False, False, True),
        (7, False, False, False),  # only what is new: absence says nothing
        (7, True, False, True),
        (None, True, True, False),
    ],
)
def test_a_source_was_seen_whole_when_it_showed_all_that_runs(
    stored: int | None, shows_running: bool, broken: bool, whole: bool
) -> None:
    async def scenario() -> None:
        bench = Bench()
        if stored is not None:
            bench.catalogue.cursors["library"] = msgspec.msgpack.encode(stored)
        pages: list[Any] = [make_page("1"), *([Terminal("no more")] if broken else [])]
        done = await bench.run(Instance(pages_of(*pages), shows_running=shows_running))
        assert done.whole is whole
        again = await bench.run(Instance(pages_of(*pages), shows_running=not shows_running))
        assert again.whole is whole  # of the gathering that was; the manifest remembers

    run_virtual(scenario())


def test_a_cursor_larger_than_allowed_is_the_sources_fault() -> None:
    async def scenario() -> None:
        page = make_page("1", cursor="x" * MAX_CURSOR_BYTES)
        done = await Bench().run(Instance(pages_of(page), cursor_type=str))
        assert (done.outcome, done.code) == ("failed", "ADO-2091")
        assert done.reason == "the source's cursor is larger than 65536 bytes"

    run_virtual(scenario())


def test_an_ad_of_wrong_types_ends_the_source_and_keeps_what_came_before() -> None:
    async def scenario() -> None:
        bench = Bench()
        bad: Page[Any] = Page(ads=(Ad(id="2", status="running"),))  # type: ignore[arg-type]  # the fault
        done = await bench.run(Instance(pages_of(make_page("1"), bad, make_page("3"))))
        assert (done.outcome, done.code) == ("partial", "ADO-2092")
        assert await bench.ids() == ["1"]

    run_virtual(scenario())


def test_hostile_texts_reach_the_manifest_as_stores_take_them() -> None:
    async def scenario() -> None:
        bench = Bench()
        page: Page[Any] = Page(ads=(Ad(id="a\0\ud800", bodies=("x\ud800\0y",), raw={"n": 10**30}), Ad(id="a\ufffd")))
        assert (await bench.run(Instance(pages_of(page)))).ads == 1, "two ids that become one are one ad"
        assert await bench.ids() == ["a\ufffd"]

    run_virtual(scenario())


def test_a_reason_loses_what_the_ledger_refuses() -> None:
    async def scenario() -> None:
        done = await Bench().run(Instance(pages_of(Terminal("bad\0 \ud800 " + "x" * 9000))))
        assert "\0" not in done.reason
        assert len(done.reason.encode()) <= 2002
        assert done.reason.startswith("bad \ufffd xxx")

    run_virtual(scenario())


def test_a_page_that_another_gatherer_wrote_stops_this_one() -> None:
    async def scenario() -> None:
        bench = Bench()

        async def walk(ctx: Any, brand: Brand, since: Any) -> AsyncIterator[Page[Any]]:
            await bench.manifest.add_page("library", 0, make_page("theirs"), gathered_at=now())
            yield make_page("ours")

        with pytest.raises(LeaseLostError, match="part 0 of source library was written by another gatherer"):
            await bench.run(Instance(walk))
        assert await bench.ids() == ["theirs"]

    run_virtual(scenario())
