"""What a stand-in has charged for, by content: the proof that nothing was paid twice.

A charge is made when the vendor has done the work, whether or not its answer arrives.
"""

from __future__ import annotations

import hashlib
from collections import Counter

import msgspec

_encode = msgspec.json.Encoder(order="deterministic").encode


class Charged(msgspec.Struct, frozen=True, kw_only=True):
    """`calls` charged for, over `contents` different ones; `twice`: hash of a content → how often, where above one."""

    calls: int
    contents: int
    twice: dict[str, int]


class Charges:
    """Counts charged calls per content."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def charge(self, *content: object) -> str:
        """Count one call of that content; the hash that it is counted under."""
        key = content_key(*content)
        self.counts[key] += 1
        return key

    def clear(self) -> None:
        """Forget every call."""
        self.counts.clear()

    def show(self) -> Charged:
        """The state, for people and for tests in other processes."""
        return Charged(
            calls=self.counts.total(),
            contents=len(self.counts),
            twice={key: times for key, times in sorted(self.counts.items()) if times > 1},
        )


def content_key(*content: object) -> str:
    """SHA-256 of the content, whatever the order of its fields."""
    return hashlib.sha256(_encode(content)).hexdigest()
