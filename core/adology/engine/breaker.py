"""Pauses an analyzer that fails again and again, so that a dead vendor or a broken model costs little."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

FAULTS = 5
PAUSE_S = 60.0
LONGEST_PAUSE_S = 900.0


class Breaker:
    """Opens after `faults` faults in a row, for a pause that doubles with each failed trial.

    When the pause is over, one call at a time is let through: its success closes the breaker. What
    is an item's own fault (a broken picture) is no fault here.
    """

    def __init__(
        self,
        *,
        faults: int = FAULTS,
        pause_s: float = PAUSE_S,
        longest_s: float = LONGEST_PAUSE_S,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._most = faults
        self._first_s = pause_s
        self._longest_s = longest_s
        self._clock = clock or asyncio.get_running_loop().time
        self._faults = 0
        self._pause_s = pause_s
        self._until: float | None = None
        self._trial = False
        self.why = ""

    @property
    def is_open(self) -> bool:
        """Whether calls are being held back."""
        return self._until is not None

    def wait_s(self) -> float:
        """Seconds until a call may be made; 0: make it now, and say how it went."""
        if self._until is None:
            return 0.0
        left = self._until - self._clock()
        if left > 0:
            return left
        if self._trial:
            return self._pause_s
        self._trial = True
        return 0.0

    def note_success(self) -> None:
        """A call went well."""
        self._faults = 0
        self._pause_s = self._first_s
        self._until = None
        self._trial = False

    def note_fault(self, why: str, *, after_s: float | None = None, at_once: bool = False) -> bool:
        """A call failed through no fault of its item; True when that opened the breaker.

        `after_s`: how long the vendor wants to be left alone. `at_once`: one fault says it all (a
        setting is wrong).
        """
        self._faults += 1
        self.why = why
        failed_trial, self._trial = self._trial, False
        if not (failed_trial or at_once or self._faults >= self._most):
            return False
        if failed_trial:
            self._pause_s = min(self._longest_s, self._pause_s * 2)
        fresh = self._until is None
        self._until = self._clock() + max(self._pause_s, after_s or 0.0)
        return fresh

    def note_neither(self) -> None:
        """The call said nothing about the analyzer: the next one may be the trial."""
        self._trial = False
