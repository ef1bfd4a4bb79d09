"""What state an ad is in, by what its source said and what its dates prove. Pure decisions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from adology import BrandAd, BrandItem, Struct

State = Literal["running", "stopped", "missing", "not_looked"]

LOOKED = frozenset({"ok"})
"""Outcomes of a source after which an ad that was not seen was looked for. A source that gave
nothing at all ("empty") proves nothing about any ad: a lost handle looks the same."""


class Moment(Struct, frozen=True, kw_only=True):
    """The batch that the pulse is taken after, and the one before."""

    batch: str
    previous: str | None
    at: datetime
    previous_at: datetime | None
    sources: dict[str, str]


def moment_of(item: BrandItem) -> Moment:
    """The two batches of the brand's item."""
    return Moment(
        batch=item.batch,
        previous=item.previous_batch,
        at=item.committed_at,
        previous_at=item.previous_committed_at,
        sources=item.sources,
    )


def state_of(ad: BrandAd, moment: Moment) -> State:
    """The state of one ad after the batch.

    A source's word goes before dates, since dates in the future are plans and some vendors leave
    old end dates on ads that run again; but an old "active" proves nothing about today.
    """
    seen = ad.last_batch == moment.batch
    if ad.status == "stopped" or (_is_past(ad, moment.at.date()) and not (seen and ad.status == "active")):
        return "stopped"
    if seen:
        return "running"
    return "missing" if moment.sources.get(ad.source) in LOOKED else "not_looked"


def is_new(ad: BrandAd, moment: Moment) -> bool:
    """First seen in this batch."""
    return ad.first_batch == moment.batch


def is_newly_stopped(ad: BrandAd, moment: Moment) -> bool:
    """A stopped ad whose stop falls between the previous batch and this one.

    Its last day was past on the day of this batch but not on that of the previous one, so that
    every ad is counted in exactly one batch. Without a known last day the stop cannot be placed.
    """
    if moment.previous_at is None or ad.stopped_on is None:
        return False
    return moment.previous_at.date() <= ad.stopped_on < moment.at.date()


def is_newly_missing(ad: BrandAd, moment: Moment) -> bool:
    """A missing ad that the previous batch saw."""
    return moment.previous is not None and ad.last_batch == moment.previous


def days_run(ad: BrandAd, state: State, moment: Moment) -> tuple[int, bool]:
    """Days from first to last, both included, and whether the vendor's dates say so."""
    first = ad.started_on or ad.first_seen_at.date()
    last, dated = _last_day(ad, state, moment)
    return max(1, (last - first).days + 1), dated and ad.started_on is not None


def _last_day(ad: BrandAd, state: State, moment: Moment) -> tuple[date, bool]:
    if state == "running":
        return moment.at.date(), True
    if state == "stopped" and ad.stopped_on is not None:
        return ad.stopped_on, True
    return ad.last_seen_at.date(), False


def _is_past(ad: BrandAd, today: date) -> bool:
    return ad.stopped_on is not None and ad.stopped_on < today
