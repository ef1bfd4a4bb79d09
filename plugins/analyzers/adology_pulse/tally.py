"""Counts ads one by one; what it holds does not grow with their number."""

from __future__ import annotations

import heapq
from collections import Counter

from adology import BrandAd
from adology_pulse.lengths import Lengths, median_life
from adology_pulse.model import Movement, Share, SourcePulse
from adology_pulse.state import Moment, State, days_run, is_new, is_newly_missing, is_newly_stopped, state_of

OTHER = "other"
UNKNOWN = "unknown"


class Examples:
    """A number of ads and the first few ids in order, whatever order they come in."""

    def __init__(self, keep: int) -> None:
        self.ads = 0
        self._keep = keep
        self._ids: list[_Reversed] = []

    def add(self, ad: str) -> None:
        """One more ad."""
        self.ads += 1
        if len(self._ids) < self._keep:
            heapq.heappush(self._ids, _Reversed(ad))
        elif self._keep:
            heapq.heappushpop(self._ids, _Reversed(ad))

    def result(self) -> Movement:
        """What was added."""
        return Movement(ads=self.ads, examples=tuple(sorted(one.text for one in self._ids)))


class _Reversed:
    """Sorts backwards, so that the heap's top is the last id."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __lt__(self, other: _Reversed) -> bool:
        return self.text > other.text


class Mix:
    """Formats and their numbers of ads, at most `most` of them told apart."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ads: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """One ad of the format."""
        name = name.strip().lower() or UNKNOWN
        self._ads[name if name in self._ads or len(self._ads) < self._most else OTHER] += 1

    def result(self) -> tuple[Share, ...]:
        """Formats, commonest first."""
        total = self._ads.total()
        ranked = sorted(self._ads.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple(Share(format=name, ads=ads, share=round(ads / total, 4)) for name, ads in ranked)


class Tally:
    """All counters of a brand."""

    def __init__(self, moment: Moment, *, examples: int, max_formats: int) -> None:
        self._moment = moment
        self.states: Counter[State] = Counter()
        self.new, self.newly_stopped, self.newly_missing = (Examples(examples) for _ in range(3))
        self.formats, self.running_formats, self.new_formats = (Mix(max_formats) for _ in range(3))
        self.run_running, self.run_stopped, self.run_all = (Lengths() for _ in range(3))
        self._censored: Counter[int] = Counter()
        self._sources: dict[str, Counter[str]] = {name: Counter() for name in moment.sources}

    def add(self, ad: BrandAd) -> None:
        """One ad; each is added once."""
        state = state_of(ad, self._moment)
        self.states[state] += 1
        self.formats.add(ad.format)
        source = self._sources.setdefault(ad.source, Counter())
        source["ads"] += 1
        source[state] += 1
        self._move(ad, state, source)
        self._measure(ad, state)

    def _move(self, ad: BrandAd, state: State, source: Counter[str]) -> None:
        if state == "running":
            self.running_formats.add(ad.format)
        if is_new(ad, self._moment):
            self.new.add(ad.id)
            self.new_formats.add(ad.format)
            source["new"] += 1
        if state == "stopped" and is_newly_stopped(ad, self._moment):
            self.newly_stopped.add(ad.id)
            source["newly_stopped"] += 1
        if state == "missing" and is_newly_missing(ad, self._moment):
            self.newly_missing.add(ad.id)

    def _measure(self, ad: BrandAd, state: State) -> None:
        days, dated = days_run(ad, state, self._moment)
        self.run_all.add(days, ad.id, dated=dated)
        if state == "running":
            self.run_running.add(days, ad.id, dated=dated)
        if state == "stopped":
            self.run_stopped.add(days, ad.id, dated=dated)
        else:
            self._censored[days] += 1

    def median_life(self) -> int | None:
        """See `Pulse.median_life_days`."""
        return median_life(self.run_stopped.days, self._censored)

    def sources(self) -> tuple[SourcePulse, ...]:
        """Every source that took part or has ads, by name."""
        return tuple(
            SourcePulse(
                source=name,
                outcome=self._moment.sources.get(name, "absent"),
                ads=counted["ads"],
                running=counted["running"],
                stopped=counted["stopped"],
                missing=counted["missing"],
                not_looked=counted["not_looked"],
                new=counted["new"],
                newly_stopped=counted["newly_stopped"],
            )
            for name, counted in sorted(self._sources.items())
        )
