from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from datetime import date
from typing import Any, ClassVar

import msgspec
import pytest

from adology import Ad, Advertiser, Brand, Context, Page, Retry, Source, Terminal
from adology.errors import RetryLater
from adology.log import logger
from adology.testing import list_checks
from adology.testing.checks import run_check
from tests.unit.testing.library import TOKEN, Answer, Library, LibraryKit, LibrarySettings


class TestGoodLibrary(LibraryKit):
    """The kit runs under pytest as its authors will use it."""


class OldestFirst(Library):
    order = "oldest"
    ordered = True


class TestOrderedLibrary(LibraryKit):
    plugin = OldestFirst


def verdict(check: str, plugin: type[Any], **own: Any) -> str:
    """What the check says about a mutant; empty when it passes."""
    result = run_check(type("Kit", (LibraryKit,), {"plugin": plugin, **own}), f"test_{check}")
    assert result.outcome != "skipped", result.problem
    assert not result.problem or result.fix, "a finding comes with a way to fix it"
    return result.problem


@pytest.mark.parametrize("check", [name for name in list_checks(LibraryKit) if "ordered" not in name])
def test_every_check_applies_to_the_good_source(check: str) -> None:
    assert verdict(check.removeprefix("test_"), Library) == ""


def test_the_check_of_ordered_sources_applies_to_one() -> None:
    assert verdict("an_ordered_cursor_loses_nothing", OldestFirst) == ""


class CountedKeys(Library):
    numbers = itertools.count()

    def page(self, answer: Answer, newest: date | None) -> Page[date]:
        return Page(ads=tuple(Ad(id=f"n{next(self.numbers)}") for _ in answer.ads), cursor=newest)


class SharedKeys(Library):
    def page(self, answer: Answer, newest: date | None) -> Page[date]:
        return Page(ads=tuple(Ad(id="same", bodies=(row.id,)) for row in answer.ads), cursor=newest)


class PaddedKeys(Library):
    def page(self, answer: Answer, newest: date | None) -> Page[date]:
        return Page(ads=tuple(Ad(id=f" {row.id}") for row in answer.ads), cursor=newest)


def test_keys_that_count_positions_are_found() -> None:
    assert "two gatherings of unchanged data differ: ad 'n" in verdict("keys_are_unique_and_stable", CountedKeys)


def test_one_key_for_two_ads_is_found() -> None:
    assert verdict("keys_are_unique_and_stable", SharedKeys) == "two different ads share the id 'same'"


def test_a_padded_key_is_found() -> None:
    assert "is empty or padded" in verdict("keys_are_unique_and_stable", PaddedKeys)


class TextCursor(Library):
    def page(self, answer: Answer, newest: date | None) -> Page[Any]:
        return Page(ads=super().page(answer, newest).ads, cursor={"newest": f"on {newest}"})


class HugeCursor(Library):
    def page(self, answer: Answer, newest: date | None) -> Page[Any]:
        return Page(ads=super().page(answer, newest).ads, cursor="x" * 70_000)


class BackwardsCursor(OldestFirst):
    order = "newest"

    def page(self, answer: Answer, newest: date | None) -> Page[date]:
        return Page(ads=super().page(answer, newest).ads, cursor=answer.ads[0].day)


def test_a_cursor_of_another_type_is_found() -> None:
    assert "does not come back as the" in verdict("cursor_is_storable", TextCursor)


class NoNumberCursor(Library):
    __orig_bases__ = (Source[LibrarySettings, float],)

    def page(self, answer: Answer, newest: date | None) -> Page[Any]:
        return Page(ads=super().page(answer, newest).ads, cursor=float("nan"))


class TableCursor(Library):
    __orig_bases__ = (Source[LibrarySettings, dict[str, str]],)

    def page(self, answer: Answer, newest: date | None) -> Page[Any]:
        return Page(ads=super().page(answer, newest).ads, cursor={"newest": str(newest)})


def test_a_cursor_that_storing_changes_is_found() -> None:
    assert verdict("cursor_is_storable", NoNumberCursor) == "cursor nan comes back from storage as nan"


def test_a_cursor_without_an_order_is_found() -> None:
    found = verdict("cursor_is_storable", TableCursor)
    assert found.startswith("cursors of type dict cannot be compared: '<=' not supported")


def test_a_huge_cursor_is_found() -> None:
    assert verdict("cursor_is_storable", HugeCursor) == "the cursor takes 70005 bytes; allowed: 65536"


def test_an_ordered_cursor_that_goes_back_is_found() -> None:
    assert "ordered = True, but the cursor goes back from" in verdict("cursor_is_storable", BackwardsCursor)


class SkippingResume(Library):
    """Its token names the page after the next: what a crash in between hides."""

    def page(self, answer: Answer, newest: date | None) -> Page[date]:
        following = str(int(answer.next) + 2) if answer.next else None
        return Page(ads=super().page(answer, newest).ads, cursor=newest, resume=following)


class NewestFirstCalledOrdered(Library):
    """What the docs warn of: on newest-first APIs a cursor per page loses the older ads."""

    ordered = True


def test_a_resume_token_that_skips_a_page_is_found() -> None:
    found = verdict("a_crash_after_any_page_loses_nothing", SkippingResume)
    assert found == "killed after page 1 and resumed: 2 of 6 ads are lost, such as 'ad-2'"


def test_newest_first_called_ordered_is_found() -> None:
    found = verdict("an_ordered_cursor_loses_nothing", NewestFirstCalledOrdered)
    assert "ended after page 1, then since its cursor: 4 of 6 ads are lost" in found


class FailsAgain(Library):
    """Works once from the beginning, and never from anywhere else."""

    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        if since or ctx.resume:
            raise Terminal("where was I?")
        return await super().ask(ctx, brand, since, page)

    def page(self, answer: Answer, newest: date | None) -> Page[date]:
        return Page(ads=super().page(answer, newest).ads, cursor=newest, resume=answer.next)


def test_a_gathering_that_cannot_go_on_is_found() -> None:
    found = verdict("a_crash_after_any_page_loses_nothing", FailsAgain)
    assert found == "resuming after page 1 raises Terminal: where was I?"
    for check in ("a_second_gathering_returns_the_overlap", "late_ads_are_found"):
        assert verdict(check, FailsAgain).endswith("raises Terminal: where was I?")


class NoCursorUsed(Library):
    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        del since
        return await super().ask(ctx, brand, None, page)


class MissesOld(Library):
    """The first gathering leaves out ads that a later one shows."""

    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        answer = await super().ask(ctx, brand, since, page)
        return Answer(ads=[row for row in answer.ads if since or row.id != "ad-5"], next=answer.next)


class NoLag(Library):
    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        return await super().ask(ctx, brand, since + self.lag if since else None, page)


def test_a_cursor_that_is_not_used_is_found() -> None:
    found = verdict("a_second_gathering_returns_the_overlap", NoCursorUsed)
    assert "all 6 ads come again: the cursor is not used" in found


def test_an_ad_that_the_first_gathering_missed_is_found() -> None:
    found = verdict("a_second_gathering_returns_the_overlap", MissesOld)
    assert found.startswith("ad 'ad-5' shows up since the cursor though nothing changed")


def test_late_ads_that_are_not_read_again_are_found() -> None:
    found = verdict("late_ads_are_found", NoLag)
    assert "ad 'late', published late within lag = 2 days, 0:00:00, is not found since" in found


class Swallows(Library):
    """Catches everything and ends as if that were all."""

    async def pages(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None) -> AsyncIterator[Page[date]]:
        try:
            async for page in super().pages(ctx, brand, since):
                yield page
        except Exception:  # noqa: BLE001 - what the mutant does wrong
            return


class GivesUp(Library):
    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        try:
            return await super().ask(ctx, brand, since, page)
        except RetryLater as error:
            raise Retry(str(error), after=1) from error
        except Retry as error:
            raise Terminal(str(error)) from error


class Impatient(Library):
    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        try:
            return await super().ask(ctx, brand, since, page)
        except RetryLater as error:
            raise RetryLater(1) from error


class RawErrors(Library):
    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        try:
            return await super().ask(ctx, brand, since, page)
        except Retry as error:
            raise KeyError("ads") from error


@pytest.mark.parametrize("check", ["a_429_is_passed_on", "server_faults_are_retried", "garbage_is_reported"])
def test_a_source_that_hides_faults_is_found(check: str) -> None:
    found = verdict(check, Swallows)
    assert "ended quietly: 6 of 6 ads are lost, such as 'ad-0'" in found


def test_a_429_that_becomes_something_else_is_found() -> None:
    assert verdict("a_429_is_passed_on", GivesUp).startswith("a 429 becomes Retry: ")


def test_a_429_with_too_short_a_pause_is_found() -> None:
    assert verdict("a_429_is_passed_on", Impatient) == "the vendor said 7 s, the source asks for 1 s"


def test_a_passing_fault_called_final_is_found() -> None:
    assert verdict("server_faults_are_retried", GivesUp).startswith("a 503 becomes Terminal: ")


def test_a_raw_error_is_found() -> None:
    assert verdict("garbage_is_reported", RawErrors) == "garbage becomes KeyError: 'ads': say Retry or Terminal"


class FailsWithoutAds(Library):
    def page(self, answer: Answer, newest: date | None) -> Page[date]:
        if not answer.ads:
            raise Terminal("no ads")
        return super().page(answer, newest)


class Invents(Library):
    def page(self, answer: Answer, newest: date | None) -> Page[date]:
        return super().page(answer, newest) if answer.ads else Page(ads=(Ad(id="invented"),))


def test_a_brand_without_ads_that_fails_is_found() -> None:
    assert verdict("a_brand_without_ads_is_no_error", FailsWithoutAds) == "a brand without ads raises Terminal: no ads"
    assert verdict("a_brand_without_ads_is_no_error", Invents) == "empty_brand has 1 ads"


class IgnoresCancellation(Library):
    async def pages(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None) -> AsyncIterator[Page[date]]:
        try:
            async for page in super().pages(ctx, brand, since):
                yield page
        except asyncio.CancelledError:
            return


class LeavesTask(Library):
    left: ClassVar[set[asyncio.Task[None]]] = set()

    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        self.left.add(asyncio.create_task(asyncio.sleep(60)))
        return await super().ask(ctx, brand, since, page)


class LeavesSocket(Library):
    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        line = socket.socket()
        answer = await super().ask(ctx, brand, since, page)
        line.close()
        return answer


class HoldsOut(Library):
    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        try:
            return await super().ask(ctx, brand, since, page)
        except asyncio.CancelledError:
            await asyncio.sleep(60)
            raise


def test_a_connection_that_stays_open_is_found() -> None:
    found = verdict("cancellation_leaves_nothing_open", LeavesSocket)
    assert found.startswith("after cancellation something is left open: unclosed <socket.socket")


def test_a_gathering_that_does_not_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adology.testing.source.PATIENCE_S", 0.1)
    found = verdict("cancellation_leaves_nothing_open", HoldsOut)
    assert found == "a cancelled gathering still runs 0.1 s later"


def test_swallowed_cancellation_is_found() -> None:
    found = verdict("cancellation_leaves_nothing_open", IgnoresCancellation)
    assert found == "a cancelled gathering ends as if nothing happened: CancelledError is swallowed"


def test_a_task_that_stays_behind_is_found() -> None:
    assert verdict("cancellation_leaves_nothing_open", LeavesTask).startswith("after cancellation a task still runs:")


class ShowsToken(Library):
    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        try:
            return await super().ask(ctx, brand, since, page)
        except Retry as error:
            raise Retry(f"the vendor refused {TOKEN}") from error


class LogsToken(Library):
    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        logger.info(f"asking with {ctx.settings.token}")
        advertiser = brand.handles_for("library")[0]
        del since
        return await ctx.get(f"{ctx.settings.base_url}/ads", Answer, advertiser=advertiser, page=page or None)


def test_a_secret_in_an_error_is_found() -> None:
    found = verdict("no_secret_in_errors_and_logs", ShowsToken)
    assert found == "the error after a 429 shows the secret LIBRARY_TOKEN"


def test_a_secret_in_the_log_is_found() -> None:
    own = {"settings": {"token": "never-resolved-8842"}, "secrets": {"PLAIN": "never-resolved-8842"}}
    found = verdict("no_secret_in_errors_and_logs", LogsToken, **own)
    assert found == "the log of a gathering with a 429 shows the secret PLAIN"


class FindsNot(Library):
    find_handles = Source.find_handles


class FindsTwice(Library):
    async def find_handles(self, *asked: Any) -> tuple[Advertiser, ...]:
        return (await super().find_handles(*asked) or ()) * 2


class FindsUpsideDown(Library):
    async def find_handles(self, *asked: Any) -> tuple[Advertiser, ...]:
        return tuple(reversed(await super().find_handles(*asked) or ()))


class FindsNobody(Library):
    async def find_handles(self, *asked: Any) -> tuple[Advertiser, ...]:
        del asked
        return ()


class FindsAnybody(Library):
    async def find_handles(self, ctx: Any, name: str, domain: str) -> tuple[Advertiser, ...]:
        return await super().find_handles(ctx, name, domain) or (Advertiser(handle="1"),)


class FindsNames(Library):
    async def find_handles(self, *asked: Any) -> tuple[Advertiser, ...]:
        found = await super().find_handles(*asked) or ()
        return tuple(msgspec.structs.replace(one, handle=one.name) for one in found)


class FindsWithToken(Library):
    async def find_handles(self, *asked: Any) -> tuple[Advertiser, ...]:
        found = await super().find_handles(*asked) or ()
        return tuple(msgspec.structs.replace(one, link=f"https://x.example/?{TOKEN}") for one in found)


class FindsQuietly(Library):
    async def find_handles(self, *asked: Any) -> tuple[Advertiser, ...]:
        try:
            return await super().find_handles(*asked) or ()
        except RetryLater:
            return ()


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (FindsTwice, "handles come more than once: 1, 2, 1, 2"),
        (FindsUpsideDown, "are not in [0, 1], the highest first"),
        (FindsNobody, "find_handles finds nobody for ('Acme', 'acme.example')"),
        (FindsAnybody, "which nobody has, it finds '1'"),
        (FindsNames, "the handle 'Acme' that it found cannot be gathered"),
        (FindsWithToken, "what is found shows the secret LIBRARY_TOKEN"),
        (FindsQuietly, "a 429 is taken for an answer"),
    ],
)
def test_wrong_candidates_are_found(plugin: type[Any], words: str) -> None:
    assert words in verdict("found_handles_can_be_gathered", plugin)


class OddPages(Library):
    async def pages(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None) -> AsyncIterator[Any]:
        del ctx, brand, since
        yield [Ad(id="1")]


class NoAds(Library):
    async def pages(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None) -> AsyncIterator[Page[date]]:
        del ctx, brand, since
        yield Page(ads=())


class Breaks(Library):
    def page(self, answer: Answer, newest: date | None) -> Page[date]:
        raise ZeroDivisionError(answer.next, newest)


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (OddPages, "pages() yields list, not adology.Page"),
        (NoAds, "an undisturbed gathering finds no ads: give the stand-in some for `brand`"),
        (Breaks, "an undisturbed gathering raises ZeroDivisionError"),
    ],
)
def test_a_source_that_does_not_work_at_all_is_found(plugin: type[Any], words: str) -> None:
    assert verdict("keys_are_unique_and_stable", plugin).startswith(words)


@pytest.mark.parametrize(
    ("check", "own", "words"),
    [
        ("a_brand_without_ads_is_no_error", {"empty_brand": None}, "empty_brand is not given"),
        ("a_second_gathering_returns_the_overlap", {"incremental": False}, "incremental = False"),
        ("no_secret_in_errors_and_logs", {"secrets": {}}, "no secrets are given"),
        ("an_ordered_cursor_loses_nothing", {}, "ordered = False"),
        ("found_handles_can_be_gathered", {"look_for": None}, "look_for is not given"),
        ("found_handles_can_be_gathered", {"plugin": FindsNot}, "the source does not look for handles"),
    ],
)
def test_what_cannot_be_checked_is_skipped_with_the_reason(check: str, own: dict[str, Any], words: str) -> None:
    result = run_check(type("Kit", (LibraryKit,), own), f"test_{check}")
    assert result.outcome == "skipped"
    assert words in result.problem
