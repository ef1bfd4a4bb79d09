"""Faults that can be switched on in any stand-in: what goes wrong, where, how often.

A stand-in takes at most one fault per request, in the order in which they were added.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

FOREVER = -1


class Fault(msgspec.Struct, kw_only=True):
    """One thing that goes wrong.

    `path` is a prefix of the request paths concerned (empty: any). `after` matching requests go
    through before the fault strikes, then `times` requests meet it (-1: until it is cleared).
    `seconds` and `detail` mean what the kind says: a duration, a limit, a target.
    """

    kind: str
    path: str = ""
    times: int = 1
    after: int = 0
    seconds: float = 0.0
    detail: str = ""


class Faults:
    """The faults that are switched on in one stand-in. For one event loop: not thread-safe."""

    def __init__(self) -> None:
        self._active: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Switch `fault` on; the caller's own object is left as it is."""
        if fault.times:
            self._active.append(msgspec.structs.replace(fault))

    def clear(self) -> None:
        """Switch everything off."""
        self._active.clear()

    def take(self, path: str, applies: Callable[[Fault], bool] = lambda _: True) -> Fault | None:
        """The fault that a request of `path` meets, used up by one; None when all is well.

        `applies` lets a stand-in say that a kind does not concern a request; such a request
        neither meets the fault nor counts towards its `after`.
        """
        for fault in self._active:
            if not path.startswith(fault.path) or not applies(fault):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.times != FOREVER:
                fault.times -= 1
            if not fault.times:
                self._active.remove(fault)
            return fault
        return None

    def active(self) -> list[Fault]:
        """Copies of what is switched on and not used up, in order."""
        return [msgspec.structs.replace(fault) for fault in self._active]
