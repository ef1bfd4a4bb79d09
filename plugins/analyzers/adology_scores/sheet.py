"""Where measures are written down while a creative is measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from adology_scores.measures_model import Measures, Missing, Seen

MOST_EVIDENCE = 5
"""Kept per measure, the first ones."""


class Sheet:
    """Values by measure, reasons of those without one, and evidence."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._missing: dict[str, str] = {}
        self._evidence: list[Seen] = []

    def put(self, measure: str, value: Any, *evidence: Seen) -> None:
        """A value, and what it rests on."""
        self._values[measure] = value
        self._evidence += evidence[:MOST_EVIDENCE]

    def lack(self, measures: Iterable[str], why: str) -> None:
        """These have no value."""
        self._missing.update(dict.fromkeys(measures, why))

    def drop(self, measures: Iterable[str], why: str) -> None:
        """These have no value after all."""
        for name in measures:
            self._values.pop(name, None)
            self._missing[name] = why

    def close(self, kind: Literal["image", "video"]) -> Measures:
        """The result."""
        missing = tuple(Missing(measure=name, why=why) for name, why in sorted(self._missing.items()))
        return Measures(kind=kind, missing=missing, evidence=tuple(self._evidence), **self._values)
