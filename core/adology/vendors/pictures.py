"""Pictures on their way to a vendor: what they are, and how many tokens one may take at most."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Literal

from adology.errors import Terminal
from adology.fetch.sniff import SNIFF_BYTES, sniff

Detail = Literal["low", "high"]

_TILES = {"gpt-4o-mini": (2833, 2833 + 8 * 5667), "gpt-4o": (85, 85 + 8 * 170), "gpt-4.1": (85, 85 + 8 * 170)}
"""Models that count tiles of 512 pixels: tokens at low detail, and of the 8 tiles that are the most at high."""
_PATCHES = (640, 3800)
"""Models that count patches of 32 pixels: a budget of 1536 times the largest known multiplier, 2.46."""


def picture_type(data: bytes, allowed: AbstractSet[str], model: str) -> str:
    """The content type by the first bytes.

    Raises:
        Terminal: it is not one of `allowed`.
    """
    found = sniff(data[:SNIFF_BYTES])
    seen = found.content_type if found else "unknown bytes"
    if seen not in allowed:
        takes = ", ".join(sorted(allowed))
        raise Terminal(f"{model} does not take {seen}; it takes {takes}", code="ADO-3204")
    return seen


def most_picture_tokens(model: str, detail: Detail) -> int:
    """An upper bound, whatever the size of the picture."""
    name = max((name for name in _TILES if model == name or model.startswith(f"{name}-20")), key=len, default="")
    low, high = _TILES.get(name, _PATCHES)
    return low if detail == "low" else high
