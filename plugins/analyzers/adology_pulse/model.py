"""What the pulse analyzer says. Stored as it is: fields are only ever added."""

from __future__ import annotations

from datetime import datetime

import msgspec

from adology import Struct


class Share(Struct, frozen=True, kw_only=True):
    """Ads of one format, and their share in [0, 1] of the ads counted."""

    format: str
    ads: int
    share: float


class Movement(Struct, frozen=True, kw_only=True):
    """A number of ads, with the ids of some of them (the first in order) as evidence."""

    ads: int = 0
    examples: tuple[str, ...] = ()


class RunLengths(Struct, frozen=True, kw_only=True):
    """Days that ads ran, first and last day included; None where there are no ads.

    `longest_ad` is the id of one ad that ran longest. `dated` of the `ads` have the vendor's own
    dates at both ends (for running ads: the start); for the others we count the days on which
    we saw them, which is a lower bound.
    """

    ads: int = 0
    dated: int = 0
    median: float | None = None
    p90: float | None = None
    longest: int | None = None
    longest_ad: str = ""


class SourcePulse(Struct, frozen=True, kw_only=True):
    """The same numbers for one source instance. `outcome` is how its gathering ended, "absent" if it took no part."""

    source: str
    outcome: str
    ads: int = 0
    running: int = 0
    stopped: int = 0
    missing: int = 0
    not_looked: int = 0
    new: int = 0
    newly_stopped: int = 0


class Pulse(Struct, frozen=True, kw_only=True):
    """A brand's ads after a batch.

    Every ad is exactly one of four:

    - `running`: seen in this batch, and neither its source nor its dates say that it stopped;
    - `stopped`: its source says so, or its last day is past;
    - `missing`: not seen although its source was gathered well. It may have stopped or been taken
      down, or a source that only reports changes had nothing to report: nothing proves it stopped;
    - `not_looked`: not seen, and its source was not gathered, failed, gave nothing or only a part.

    `new` ads were first seen in this batch; in the first batch of all (`is_first`) that is every
    ad and says nothing. The last day of `newly_stopped` ads lies between the previous batch and
    this one; ads that stopped on a day that nobody tells belong to no batch. `newly_missing` ads
    were seen by the previous batch. `median_life_days` is the Kaplan-Meier median: how long half
    of the brand's ads live, counting ads that are not known to have stopped as living at least as
    long as they were seen; None while fewer than half have stopped.
    """

    brand: str
    batch: str
    previous_batch: str | None
    committed_at: datetime
    is_first: bool
    ads: int
    running: int
    stopped: int
    missing: int
    not_looked: int
    new: Movement
    newly_stopped: Movement
    newly_missing: Movement
    formats: tuple[Share, ...] = ()
    running_formats: tuple[Share, ...] = ()
    new_formats: tuple[Share, ...] = ()
    run_running: RunLengths = msgspec.field(default_factory=RunLengths)
    run_stopped: RunLengths = msgspec.field(default_factory=RunLengths)
    run_all: RunLengths = msgspec.field(default_factory=RunLengths)
    median_life_days: int | None = None
    sources: tuple[SourcePulse, ...] = ()
