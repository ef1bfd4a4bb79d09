"""What vendors say about their limits in headers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adology.http.client import Answer
from adology.types import Struct

_PARTS = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
LONGEST_PAUSE_S = 60.0
"""A reset tells when the whole allowance is back. Some of it is back before, and the next answer says how much."""
NEARLY = 50
"""One part in so many of an allowance is nearly nothing."""


class Pause(Struct, frozen=True, kw_only=True):
    """How long a credential is to be left alone, and why."""

    seconds: float
    why: str


def parse_duration(text: str) -> float | None:
    """Seconds of a Go-style duration (``12ms``, ``6m0s``, ``1h0m2.5s``) or a plain number; None for anything else."""
    text = text.strip()
    if text.replace(".", "", 1).isdigit() and text.isascii():
        return float(text)
    seconds, end = 0.0, 0
    for part in _PARTS.finditer(text):
        if part.start() != end:
            return None
        seconds += float(part[1]) * _UNITS[part[2]]
        end = part.end()
    return seconds if text and end == len(text) else None


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from ``retry-after-ms`` or ``retry-after``; None without one, or when it says nothing."""
    thousandths = parse_duration(headers.get("retry-after-ms", ""))
    if thousandths:
        return thousandths / 1000
    plain: Answer[None] = Answer(0, {"Retry-After": headers.get("retry-after", "")}, b"", "")
    return plain.retry_after_s() or None


def pause_after(headers: Mapping[str, str], tokens: float) -> Pause | None:
    """The pause that usage headers ask for; `tokens` is the size of a call like the last one.

    There is one when nearly no requests are left, or fewer tokens than another call would take.
    """
    longest: Pause | None = None
    for what, another in (("requests", 1.0), ("tokens", tokens)):
        left = _number(headers, f"x-ratelimit-remaining-{what}")
        limit = _number(headers, f"x-ratelimit-limit-{what}")
        reset_s = parse_duration(headers.get(f"x-ratelimit-reset-{what}", ""))
        if left is None or limit is None or reset_s is None:
            continue
        if left >= another and left > limit // NEARLY:
            continue
        pause = Pause(seconds=min(LONGEST_PAUSE_S, reset_s), why=f"{left:.0f} of {limit:.0f} {what} a minute are left")
        if longest is None or pause.seconds > longest.seconds:
            longest = pause
    return longest


def _number(headers: Mapping[str, str], name: str) -> float | None:
    text = headers.get(name, "").strip()
    return float(text) if text.isascii() and text.isdigit() else None
