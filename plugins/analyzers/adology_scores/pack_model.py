"""Rule packs: what a network or a norm asks of creatives in one placement, from one date on."""

from __future__ import annotations

from datetime import date
from typing import Literal

from adology import Struct
from adology_scores.catalogue import Kind

Basis = Literal["vendor", "standard", "norm", "own"]
"""Who says so: the network itself, a standard, somebody's measured norm, or we (to be calibrated)."""


class Zone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The free zone of a placement: what the network's own buttons and names leave.

    `aspect` as "9:16" is the shape that the shares hold for; `top`, `bottom`, `left`, `right` are the
    shares of height and width that are covered.
    """

    aspect: str
    top: float = 0.0
    bottom: float = 0.0
    left: float = 0.0
    right: float = 0.0


class Band(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name for adherence from `at_least` on."""

    at_least: float
    name: str


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One demand on one measure; of the bounds those that are given must all hold.

    `kinds` narrows the pack's kinds; empty: all of them that the measure has. `source` is where the
    threshold comes from.
    """

    id: str
    says: str
    measure: str
    source: str
    basis: Basis
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None
    equals: bool | None = None
    one_of: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()


class Pack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules that belong together.

    `date` is from when on they hold: of packs with one `id` the newest is applied unless another
    is asked for. `objective` and `vertical` narrow what they were found on; empty: any. `bands`
    name adherence where at least `bands_need` of the rules were evaluated. `fingerprint` is a hash
    of the content, filled in when a file is read.
    """

    id: str
    date: date
    title: str
    network: str
    placement: str
    kinds: tuple[Kind, ...]
    rules: tuple[Rule, ...]
    about: str = ""
    objective: str = ""
    vertical: str = ""
    aspects: tuple[str, ...] = ()
    zone: Zone | None = None
    bands: tuple[Band, ...] = ()
    bands_need: float = 0.75
    fingerprint: str = ""

    @property
    def name(self) -> str:
        """``id@date``."""
        return f"{self.id}@{self.date.isoformat()}"

    @property
    def reference(self) -> str:
        """What results that depend on this pack name in their fingerprint."""
        return f"pack/{self.name}/{self.fingerprint}"


def ratio_of(aspect: str) -> float:
    """Width over height of "9:16" or "1.91:1".

    Raises:
        ValueError: it is no such text.
    """
    width, _, height = aspect.partition(":")
    ratio = float(width) / float(height)
    if not 0 < ratio < float("inf"):
        raise ValueError(f"{aspect!r} is no shape")
    return ratio
