"""What is true of every creative, for whoever measures an analyzer against it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from upstreams.world import Struct

TRUTH_FILE = "truth.jsonl"

Relation = Literal["exact", "recompressed", "resized"]
Box = tuple[int, int, int, int]


class Truth(Struct, frozen=True, kw_only=True):
    """One creative. Boxes are left, top, right, bottom in pixels of its own size.

    `relation` says how it repeats `same_as`: "exact" byte for byte under another name,
    "recompressed" with stronger compression, "resized" smaller. `cuts_s` are the times at which a
    clip's scene changes; `frames` is 1 for a still picture.
    """

    id: str
    brand: str
    file: str
    kind: str
    headline: str
    price: str
    button: str
    language: str
    product: str
    boxes: dict[str, Box]
    same_as: str | None = None
    relation: Relation | None = None
    cuts_s: tuple[float, ...] = ()
    has_sound: bool = False
    frames: int = 1


_decoder = msgspec.json.Decoder(Truth)


def write_truth(folder: Path, truths: Iterable[Truth]) -> None:
    """Write one line per creative."""
    (folder / TRUTH_FILE).write_bytes(msgspec.json.Encoder().encode_lines(truths))


def load_truth(folder: Path) -> dict[str, Truth]:
    """The truth by creative id."""
    lines = (folder / TRUTH_FILE).read_bytes().splitlines()
    return {truth.id: truth for truth in map(_decoder.decode, lines)}
