from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from adology import ConfigError, Settings
from adology_facebook import Facebook, FacebookSettings, adology_sources
from adology_facebook.progress import MAX_RESTARTS, Progress, Slice, find_progress, plan

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 10)


def make_slice(**over: object) -> Slice:
    query = Slice(pages=("1", "2", "3"), countries=("DE", "FR"), first=FIRST, last=LAST)
    return msgspec.structs.replace(query, **over)


def test_a_query_is_cut_by_pages_first_because_they_part_the_ads_cleanly() -> None:
    halves = make_slice().halves()
    assert halves is not None
    assert [half.pages for half in halves] == [("1",), ("2", "3")]
    assert all((half.countries, half.first, half.last) == (("DE", "FR"), FIRST, LAST) for half in halves)


def test_then_by_countries_then_by_days_until_nothing_is_left_to_cut() -> None:
    halves = make_slice(pages=("1",)).halves()
    assert halves is not None
    assert [half.countries for half in halves] == [("DE",), ("FR",)]
    halves = make_slice(pages=("1",), countries=("DE",)).halves()
    assert halves is not None
    assert [(half.first, half.last) for half in halves] == [
        (FIRST, date(2026, 1, 5)), (date(2026, 1, 6), LAST),
    ]  # fmt: skip
    assert make_slice(pages=("1",), countries=("DE",), last=FIRST).halves() is None


def test_cutting_to_the_end_covers_every_page_country_and_day_once() -> None:
    todo, leaves = [make_slice()], []
    while todo:
        halves = todo[0].halves()
        leaves += [] if halves else [todo[0]]
        todo = [*(halves or ()), *todo[1:]]
    days = [FIRST + timedelta(days=n) for n in range(10)]
    wanted = {(page, country, day) for page in "123" for country in ("DE", "FR") for day in days}
    assert {(leaf.pages[0], leaf.countries[0], leaf.first) for leaf in leaves} == wanted
    assert len(leaves) == len(wanted)


def test_a_plan_has_ten_pages_a_query() -> None:
    progress = plan(tuple(map(str, range(25))), ("DE",), FIRST, LAST)
    assert [len(query.pages) for query in progress.todo] == [10, 10, 5]
    assert progress.began == LAST


def test_a_plan_never_ends_before_it_begins() -> None:
    (query,) = plan(("1",), ("DE",), LAST + timedelta(days=3), LAST).todo
    assert (query.first, query.last) == (LAST, LAST)


def test_a_token_gives_the_same_progress_back_and_ignores_what_a_newer_version_added() -> None:
    progress = plan(("1", "2"), ("DE",), FIRST, LAST).turn_page("abc", 25).give_part(("7", "8"))
    assert find_progress(progress.encode()) == progress
    assert find_progress(progress.encode()[:-1] + ',"added":1}') == progress


@pytest.mark.parametrize("token", [None, "", "x", "{}", "[1]", '{"began":"yesterday","todo":[]}'])
def test_no_token_or_a_strange_one_is_no_progress(token: str | None) -> None:
    assert find_progress(token) is None


def test_restarts_are_counted_per_query_and_turning_pages_does_not_forgive_them() -> None:
    progress: Progress | None = plan(("1", "2"), ("DE",), FIRST, LAST)
    for _ in range(MAX_RESTARTS):
        assert progress is not None
        progress = progress.turn_page("abc", 10).restart_slice()
    assert progress is not None
    assert (progress.after, progress.rows) == (None, 0)
    assert progress.turn_page("abc", 10).restart_slice() is None
    assert progress.finish_slice().restarts == 0


def test_a_page_handed_over_in_part_is_forgotten_once_it_is_turned() -> None:
    progress = plan(("1",), ("DE",), FIRST, LAST).give_part(("7",))
    assert progress.give_part(("8",)).given == ("7", "8")
    assert progress.turn_page("abc", 10).given == ()
    assert progress.finish_slice().given == ()


def test_the_package_registers_one_source() -> None:
    assert adology_sources() == [Facebook]
    assert (Facebook.name, Facebook.version, Facebook.ordered) == ("facebook", 1, False)
    assert issubclass(FacebookSettings, Settings)


def test_settings_refuse_what_the_vendor_would_and_have_a_schema() -> None:
    assert msgspec.convert({"token": "env:X"}, FacebookSettings).limit == 100
    for wrong in (
        {},
        {"token": "env:X", "limit": 0},
        {"token": "env:X", "api_version": "26"},
        {"token": "x", "lmit": 1},
    ):
        with pytest.raises((msgspec.ValidationError, ConfigError)):
            msgspec.convert(wrong, FacebookSettings)
    assert "token" in msgspec.json.schema(FacebookSettings)["$defs"]["FacebookSettings"]["properties"]


@pytest.mark.parametrize(("calls", "burst"), [(180, 40), (2, 40), (50, 50), (1000, 1)])
def test_spacing_keeps_burst_and_steady_calls_within_the_hour(calls: int, burst: int) -> None:
    settings = FacebookSettings(token="env:X", calls_per_hour=calls, burst=burst)
    used = min(burst, calls - 1) + 3600 / settings.interval_s
    assert used == pytest.approx(calls)
