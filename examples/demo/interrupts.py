"""Ctrl-C, and the other ways of being asked to end."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Self

SIGNALS = [signal.SIGINT, signal.SIGTERM]
if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as under nohup
    SIGNALS.append(signal.SIGHUP)


def end_as_by_ctrl_c() -> None:
    """Whoever ends us in another way than by Ctrl-C wants everything stopped as well."""
    for sign in SIGNALS:
        signal.signal(sign, signal.default_int_handler)


class Deferred:
    """Within the block, a request to end waits for `check` or the end of the block; a second one does not.

    For the moment in which a process of ours is being born: interrupted there, we would not know
    whom to stop.
    """

    def __init__(self) -> None:
        self._asked = False

    def __enter__(self) -> Self:
        for sign in SIGNALS:
            signal.signal(sign, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end_as_by_ctrl_c()
        if kind is None:
            self.check()

    def check(self) -> None:
        """Raise KeyboardInterrupt if we were asked to end."""
        if self._asked:
            self._asked = False
            raise KeyboardInterrupt

    def _ask(self, _sign: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
