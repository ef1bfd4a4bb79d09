"""What a benchmark is told (sizes) and what it says (lines of the table)."""

from __future__ import annotations

import statistics
from typing import Literal

from adology.types import Struct

Sense = Literal["at least", "at most"]


class Size(Struct, frozen=True, kw_only=True):
    """How much of everything. `reps` are interleaved repetitions, each with new queues and tables."""

    reps: int = 3
    warm: int = 24
    creatives: int = 300
    messages: int = 3000
    peer_messages: int = 1000
    texts: int = 1000
    submits: int = 6000
    ads: int = 5000
    file_bytes: int = 300 * 1024 * 1024
    urls: int = 5000
    understood: int = 60
    remembered: int = 2000
    served_ads: int = 100_000
    requests: int = 1500
    connections: tuple[int, ...] = (1, 32)
    growth: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    walks: int = 60
    listeners: int = 2000
    rounds: int = 20


FULL = Size()
SHORT = Size(
    reps=1,
    warm=2,
    creatives=8,
    messages=200,
    peer_messages=50,
    texts=40,
    submits=200,
    ads=200,
    file_bytes=24 * 1024 * 1024,
    urls=0,
    understood=2,
    remembered=0,
    served_ads=200,
    requests=20,
    connections=(2,),
    growth=(60, 120),
    walks=2,
    listeners=20,
    rounds=2,
)
"""Runs each measurement once, to see that it runs; its seconds mean nothing."""


class Goal(Struct, frozen=True, kw_only=True):
    """What a line has to reach."""

    sense: Sense
    limit: float

    def is_met(self, value: float) -> bool:
        """Whether `value` reaches it."""
        return value >= self.limit if self.sense == "at least" else value <= self.limit


class Line(Struct, frozen=True, kw_only=True):
    """One line: `samples` are one value per repetition, shown as median [min..max].

    `note` stands for the value where there is none (a peer that is not installed).
    """

    group: str
    what: str
    unit: str = ""
    samples: tuple[float, ...] = ()
    goal: Goal | None = None
    note: str = ""

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.samples)

    @property
    def is_met(self) -> bool | None:
        """None without a goal, or without a value."""
        return self.goal.is_met(self.value) if self.goal and self.samples else None


def ratios(ours: tuple[float, ...], base: tuple[float, ...]) -> tuple[float, ...]:
    """Each repetition against the one beside it: what disturbed both cancels out."""
    return tuple(a / b for a, b in zip(ours, base, strict=True))
