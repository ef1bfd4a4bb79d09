"""Run lengths in a histogram of days: as small for a million ads as for a hundred."""

from __future__ import annotations

from collections import Counter

from adology_pulse.model import RunLengths

MOST_DAYS = 20_000
"""Fifty-five years: dates beyond are vendor mistakes, and bound the histogram."""


class Lengths:
    """Counts ads by the days that they ran."""

    def __init__(self) -> None:
        self.days: Counter[int] = Counter()
        self._dated = 0
        self._longest: tuple[int, str] = (0, "")

    def add(self, days: int, ad: str, *, dated: bool) -> None:
        """One ad."""
        days = min(days, MOST_DAYS)
        self.days[days] += 1
        self._dated += dated
        # Of equally long ones the first id, so that the order of the ads does not matter.
        if days > self._longest[0] or (days == self._longest[0] and ad < self._longest[1]):
            self._longest = (days, ad)

    def result(self) -> RunLengths:
        """Median, 90th percentile and longest of what was added."""
        ads = self.days.total()
        if not ads:
            return RunLengths()
        longest, ad = self._longest
        return RunLengths(
            ads=ads,
            dated=self._dated,
            median=percentile(self.days, 0.5),
            p90=percentile(self.days, 0.9),
            longest=longest,
            longest_ad=ad,
        )


def percentile(days: Counter[int], part: float) -> float | None:
    """Linear interpolation between the two nearest ranks, as numpy and spreadsheets do it."""
    total = days.total()
    if not total:
        return None
    rank = part * (total - 1)
    low = int(rank)
    below, above = _at_rank(days, low), _at_rank(days, min(low + 1, total - 1))
    return round(below + (above - below) * (rank - low), 2)


def _at_rank(days: Counter[int], rank: int) -> int:
    passed = 0
    for value in sorted(days):
        passed += days[value]
        if passed > rank:
            return value
    raise AssertionError("rank beyond the histogram")


def median_life(ended: Counter[int], censored: Counter[int]) -> int | None:
    """Days after which half of the ads have stopped, by Kaplan and Meier (1958).

    `ended` ads ran so long and stopped; `censored` ones ran at least so long. None where the
    estimate never falls to one half.
    """
    at_risk = ended.total() + censored.total()
    alive = 1.0
    for day in sorted(ended.keys() | censored.keys()):
        if ended[day]:
            alive *= 1 - ended[day] / at_risk
            if alive <= 0.5 + 1e-12:
                return day
        at_risk -= ended[day] + censored[day]
    return None
