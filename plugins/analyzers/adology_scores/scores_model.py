"""What the scores analyzers say. Stored as it is: fields are only ever added."""

from __future__ import annotations

from typing import Literal

from adology import Struct
from adology_scores.evidence import Evidence

Judged = Literal["pass", "fail", "insufficient"]


class Verdict(Struct, frozen=True, kw_only=True):
    """One rule on one creative or copy.

    `seen` is the measured value; where only a range is known, its lower end, and `seen_to` the
    upper one (None: not bounded). "insufficient": the value is missing, `why` says why, or its range
    lies on both sides of the threshold. `threshold` is the rule in words and numbers.
    """

    rule: str
    says: str
    measure: str
    verdict: Judged
    threshold: str
    unit: str
    source: str
    basis: str
    seen: float | bool | str | None = None
    seen_to: float | None = None
    ranged: bool = False
    why: str = ""
    evidence: tuple[Evidence, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """One pack on one creative or copy.

    `adherence` is `passed` over `evaluated` (passed and failed), None where nothing was evaluated:
    the `insufficient` rules count neither way. It holds for this placement alone and is no measure
    of quality. `band` is the pack's own word for it, empty where it has none or too few rules
    could be evaluated. `fingerprint` is a hash of the pack's content.
    """

    pack: str
    title: str
    network: str
    placement: str
    date: str
    objective: str = ""
    vertical: str = ""
    fingerprint: str
    rules: tuple[Verdict, ...]
    passed: int
    evaluated: int
    insufficient: int
    adherence: float | None
    band: str = ""


class Scores(Struct, frozen=True, kw_only=True):
    """Reports of all packs that apply, in order of pack. There is no number over all of them."""

    reports: tuple[Report, ...] = ()
