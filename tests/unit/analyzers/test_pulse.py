from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adology import BrandAd, BrandItem, Context
from adology_pulse import Pulse, PulseAnalyzer, PulseSettings
from adology_pulse.lengths import MOST_DAYS, Lengths, median_life, percentile

pytestmark = pytest.mark.anyio

BEFORE = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 8, 6, 0, tzinfo=UTC)


@dataclass
class Batch:
    """A scripted brand; implements `BrandItem`."""

    script: Sequence[BrandAd] = ()
    brand: str = "acme"
    batch: str = "b2"
    previous_batch: str | None = "b1"
    committed_at: datetime = NOW
    previous_committed_at: datetime | None = BEFORE
    sources: dict[str, str] = field(default_factory=lambda: {"meta": "ok"})

    async def ads(self) -> AsyncIterator[BrandAd]:
        for ad in self.script:
            yield ad


def ad(name: str = "a", /, **over: Any) -> BrandAd:
    """A running image ad of the source meta, first seen in the first batch and last in this one."""
    fields: dict[str, object] = {
        "id": name,
        "source": "meta",
        "format": "image",
        "status": "active",
        "first_seen_at": BEFORE,
        "last_seen_at": NOW,
        "started_on": date(2026, 2, 1),
        "first_batch": "b1",
        "last_batch": "b2",
    }
    return msgspec.convert(fields | over, BrandAd)


async def pulse(*ads: BrandAd, settings: PulseSettings | None = None, **over: object) -> Pulse:
    item: BrandItem = Batch(script=ads, **over)  # type: ignore[arg-type]  # fields by name
    return await PulseAnalyzer().analyze(Context("pulse", settings or PulseSettings()), item)


def states(found: Pulse) -> dict[str, int]:
    names = ("running", "stopped", "missing", "not_looked")
    return {name: getattr(found, name) for name in names if getattr(found, name)}


async def test_a_brand_without_ads_has_a_pulse_of_zero() -> None:
    found = await pulse()

    assert (found.ads, states(found), found.formats, found.median_life_days) == (0, {}, (), None)
    assert found.run_all.median is None
    assert [(s.source, s.outcome, s.ads) for s in found.sources] == [("meta", "ok", 0)]


@pytest.mark.parametrize(
    ("over", "state"),
    [
        ({}, "running"),
        ({"status": "unknown"}, "running"),
        ({"status": "stopped"}, "stopped"),
        ({"status": "stopped", "last_batch": "b1"}, "stopped"),
        ({"status": "unknown", "stopped_on": "2026-03-07"}, "stopped"),
        # Its last day is today: it may run until midnight.
        ({"status": "unknown", "stopped_on": "2026-03-08"}, "running"),
        ({"status": "unknown", "stopped_on": "2026-12-31"}, "running"),
        # The source says active in this batch: an old end date is left over.
        ({"status": "active", "stopped_on": "2026-01-01"}, "running"),
        # An old "active" against a date that has passed since.
        ({"status": "active", "stopped_on": "2026-03-05", "last_batch": "b1"}, "stopped"),
        ({"last_batch": "b1"}, "missing"),
        ({"last_batch": "b1", "source": "google"}, "not_looked"),
    ],
)
async def test_the_state_of_an_ad_is_what_is_said_or_proven(over: dict[str, Any], state: str) -> None:
    assert states(await pulse(ad(**over))) == {state: 1}


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("ok", "missing"), ("empty", "not_looked"), ("partial", "not_looked"), ("failed", "not_looked")],
)
async def test_a_bad_gathering_never_looks_like_a_quiet_brand(outcome: str, state: str) -> None:
    found = await pulse(ad(last_batch="b1"), sources={"meta": outcome})

    assert states(found) == {state: 1}
    assert found.stopped == found.newly_stopped.ads == 0


async def test_new_and_newly_stopped_ads_are_named() -> None:
    found = await pulse(
        ad("old"),
        ad("new1", first_batch="b2", first_seen_at=NOW),
        ad("new2", first_batch="b2", first_seen_at=NOW, format="video"),
        ad("ended", status="stopped", stopped_on="2026-03-04"),
        ad("long-gone", status="stopped", stopped_on="2026-02-11", last_batch="b1"),
        ad("undated", status="stopped"),
        ad("vanished", last_batch="b1"),
        ad("vanished-earlier", last_batch="b0"),
    )

    assert (found.new.ads, found.new.examples) == (2, ("new1", "new2"))
    assert (found.newly_stopped.ads, found.newly_stopped.examples) == (1, ("ended",))
    assert (found.newly_missing.ads, found.newly_missing.examples) == (1, ("vanished",))
    assert states(found) == {"running": 3, "stopped": 3, "missing": 2}
    assert [(s.format, s.ads) for s in found.new_formats] == [("image", 1), ("video", 1)]


async def test_in_the_first_batch_everything_is_new_and_nothing_newly_stopped() -> None:
    found = await pulse(
        ad("a", first_batch="b2"),
        ad("b", first_batch="b2", status="stopped", stopped_on="2026-03-05"),
        previous_batch=None,
        previous_committed_at=None,
    )

    assert (found.is_first, found.new.ads, found.newly_stopped.ads, found.newly_missing.ads) == (True, 2, 0, 0)


@pytest.mark.parametrize("last_day", [date(2026, 3, 1) + timedelta(days=n) for n in range(10)])
async def test_daily_batches_count_each_stop_exactly_once(last_day: date) -> None:
    counted = 0
    for day in range(1, 15):
        before, now = BEFORE + timedelta(days=day - 1), BEFORE + timedelta(days=day)
        told = now.date() >= last_day
        found = await pulse(
            ad(status="stopped" if told else "active", stopped_on=last_day if told else None),
            committed_at=now,
            previous_committed_at=before,
        )
        counted += found.newly_stopped.ads

    assert counted == 1


async def test_formats_are_mixed_and_bounded() -> None:
    ads = [ad(str(i), format=name) for i, name in enumerate(["image", "IMAGE ", "video", "", "carousel", "html"])]

    found = await pulse(*ads, settings=PulseSettings(max_formats=3))

    assert [(s.format, s.ads, s.share) for s in found.formats] == [
        ("image", 2, 0.3333),
        ("other", 2, 0.3333),
        ("unknown", 1, 0.1667),
        ("video", 1, 0.1667),
    ]
    assert found.running_formats == found.formats


async def test_numbers_are_kept_per_source() -> None:
    found = await pulse(
        ad("m1"),
        ad("m2", last_batch="b1"),
        ad("g1", source="google", last_batch="b1"),
        ad("g2", source="google", status="stopped", stopped_on="2026-03-04", first_batch="b2"),
        ad("x1", source="removed", last_batch="b0"),
        sources={"meta": "ok", "google": "failed", "files": "empty"},
    )

    rows = [(s.source, s.outcome, s.ads, s.running, s.stopped, s.missing, s.not_looked) for s in found.sources]
    assert rows == [
        ("files", "empty", 0, 0, 0, 0, 0),
        ("google", "failed", 2, 0, 1, 0, 1),
        ("meta", "ok", 2, 1, 0, 1, 0),
        ("removed", "absent", 1, 0, 0, 0, 1),
    ]
    google = found.sources[1]
    assert (google.new, google.newly_stopped) == (1, 1)


async def test_run_lengths_count_both_ends_and_say_how_many_have_dates() -> None:
    found = await pulse(
        ad("running", started_on="2026-03-01"),
        ad("one-day", status="stopped", started_on="2026-02-10", stopped_on="2026-02-10"),
        ad("ten-days", status="stopped", started_on="2026-02-01", stopped_on="2026-02-10"),
        ad("seen-only", status="stopped", started_on=None, first_seen_at=BEFORE, last_seen_at=NOW),
        ad("backwards", status="stopped", started_on="2026-02-10", stopped_on="2026-02-01"),
    )

    assert (found.run_running.median, found.run_running.ads, found.run_running.dated) == (8.0, 1, 1)
    assert (found.run_stopped.ads, found.run_stopped.dated) == (4, 3)
    assert (found.run_stopped.longest, found.run_stopped.longest_ad) == (10, "ten-days")
    assert found.run_stopped.median == 4.5
    assert found.run_all.p90 == pytest.approx(9.2)


async def test_the_order_of_the_ads_does_not_matter() -> None:
    ads = [
        ad(f"a{i:02}", first_batch=f"b{i % 3}", last_batch=f"b{i % 2 + 1}", started_on="2026-02-01") for i in range(60)
    ]

    forth, back = await pulse(*ads), await pulse(*reversed(ads))

    assert forth == back
    assert forth.new.examples == tuple(sorted(forth.new.examples))
    assert len(forth.new.examples) == 20


async def test_a_pulse_survives_the_wire() -> None:
    found = await pulse(ad("a"), ad("b", status="stopped", stopped_on="2026-03-04"))

    assert msgspec.convert(msgspec.to_builtins(found), Pulse) == found
    assert msgspec.json.decode(msgspec.json.encode(found), type=Pulse) == found


async def test_examples_can_be_switched_off() -> None:
    found = await pulse(ad("a", first_batch="b2"), settings=PulseSettings(examples=0))

    assert (found.new.ads, found.new.examples) == (1, ())


class Endless(Batch):
    """So many ads, made one at a time."""

    async def ads(self) -> AsyncIterator[BrandAd]:
        for i in range(60_000):
            yield ad(
                f"{i:08}",
                format=f"format {i}",
                first_batch="b2",
                started_on=date(1900, 1, 1) + timedelta(days=i % 40_000),
            )


async def test_memory_does_not_grow_with_the_number_of_ads() -> None:
    tracemalloc.start()
    try:
        found = await PulseAnalyzer().analyze(Context("pulse", PulseSettings()), Endless())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found.ads == found.new.ads == 60_000
    assert found.run_all.longest == MOST_DAYS
    assert peak < 12_000_000


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.sampled_from([0.0, 0.5, 0.9, 1.0]))
def test_percentiles_are_those_of_numpy(days: list[int], part: float) -> None:
    lengths = Lengths()
    for i, value in enumerate(days):
        lengths.add(value, str(i), dated=True)

    assert percentile(lengths.days, part) == pytest.approx(float(np.percentile(days, part * 100)), abs=0.01)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=41))
def test_without_running_ads_the_median_life_is_the_middle_one(days: list[int]) -> None:
    lengths, nothing = Lengths(), Lengths()
    for value in days:
        lengths.add(value, "a", dated=True)

    assert median_life(lengths.days, nothing.days) == sorted(days)[(len(days) - 1) // 2]


def test_running_ads_lengthen_the_median_life() -> None:
    """Worked by hand: S(5) = 5/6, S(10) = 5/6 x 3/4 = 0.625, S(20) = 0.625 x 1/2 = 0.3125."""
    ended, running = Lengths(), Lengths()
    for value in (5, 10, 20):
        ended.add(value, "a", dated=True)
    for value in (7, 12, 30):
        running.add(value, "a", dated=True)

    assert median_life(ended.days, running.days) == 20
    assert median_life(ended.days, Lengths().days) == 10
    assert median_life(Lengths().days, running.days) is None
