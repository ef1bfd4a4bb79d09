"""Are two creatives one, changed? From what an overlay shows to kinds, evidence and a measured confidence."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np

from adology_likeness import films, overlay
from adology_likeness.align import Alignment
from adology_likeness.confidence import film_confidence, image_confidence, replaced
from adology_likeness.cosines import best_cosine, known_space
from adology_likeness.differ import Difference
from adology_likeness.model import Creative, Evidence, Kind, Likeness, Shot, Span

ORDER: tuple[Kind, ...] = ("mirrored", "trim", "speed", "crop", "panel", "overlay", "text", "padded", "colour", "same")
"""From what tells most to what tells least."""

WHOLE = 0.93
"""Share of a picture that must be common for it to count as uncut."""
PANEL = 0.02
WRITTEN = 0.006
REPLACED = 0.004
COLOURED = 7.0
"""Levels."""
OTHER_SPEED = 0.04
TRIMMED_S = 1.0
DIGITS = 4


class Finding(NamedTuple):
    """What comparing gave, before it is put into words."""

    confidence: float
    changes: set[Kind]
    evidence: Evidence
    spans: tuple[Span, ...] = ()


def judge(a: Creative, b: Creative) -> Likeness | None:
    """The likeness of two creatives of one recipe, at whatever confidence; None: nothing in common."""
    if a.signature.kind == b.signature.kind == "video":
        finding = _films(a, b) if len(a.signature.shots) > 1 or len(b.signature.shots) > 1 else _stills(a, b)
    elif a.signature.kind == b.signature.kind:
        finding = _stills(a, b)
    else:
        return None
    if finding is None:
        return None
    changes = tuple(kind for kind in ORDER if kind in finding.changes) or ("same",)
    return Likeness(
        kind=changes[0],
        changes=changes,
        confidence=finding.confidence,
        evidence=finding.evidence,
        spans=finding.spans,
    )


def turned_round(likeness: Likeness) -> Likeness:
    """The same likeness, seen from the other creative."""
    spans = tuple(
        Span(a_start_s=span.b_start_s, a_end_s=span.b_end_s, b_start_s=span.a_start_s, b_end_s=span.a_end_s)
        for span in likeness.spans
    )
    scale = round(1 / likeness.evidence.scale, DIGITS) if likeness.evidence.scale else 0.0
    evidence = msgspec.structs.replace(likeness.evidence, scale=scale)
    return msgspec.structs.replace(likeness, spans=tuple(sorted(spans, key=lambda s: s.a_start_s)), evidence=evidence)


def _stills(a: Creative, b: Creative) -> Finding | None:
    shots = a.signature.shots[0], b.signature.shots[0]
    laid = overlay.lay_over(overlay.see(shots[0]), overlay.see(shots[1]))
    if laid is None:
        return None
    cosine, why = best_cosine(a, b)
    confidence = image_confidence(laid, cosine if known_space(a) else None)
    evidence = msgspec.structs.replace(
        _numbers([laid.difference], laid.alignment.inliers),
        cosine=None if cosine is None else round(cosine, DIGITS),
        no_cosine=why,
        scale=_scale(laid.alignment, *shots),
    )
    return Finding(confidence, _changes(laid.difference, laid.alignment), evidence)


def _films(a: Creative, b: Creative) -> Finding | None:
    one, other = a.signature, b.signature
    found = films.follow(one.shots, other.shots)
    if found is None or not found.differences:
        return None
    cosine, why = best_cosine(a, b)
    differences = list(found.differences)
    evidence = msgspec.structs.replace(
        _numbers(differences, found.alignment.inliers),
        cosine=None if cosine is None else round(cosine, DIGITS),
        no_cosine=why,
        scale=_scale(found.alignment, one.shots[0], other.shots[0]),
        frames=len(found.steps),
        share=round(found.share, DIGITS),
    )
    changes = _changes(_middle(differences), found.alignment) - {"text"}
    if float(np.median([replaced(d) + max(d.lost_a, d.lost_b) for d in differences])) > WRITTEN:
        changes.add("overlay")
    if abs(found.speed - 1) > OTHER_SPEED:
        changes.add("speed")
    if _is_trimmed(a, b, found):
        changes.add("trim")
    return Finding(film_confidence(found), changes, evidence, found.spans)


def _is_trimmed(a: Creative, b: Creative, found: films.InStep) -> bool:
    first, last = found.spans[0], found.spans[-1]
    one, other = a.signature.shots, b.signature.shots
    ends = (first.a_start_s - one[0].start_s, one[-1].end_s - last.a_end_s)
    other_ends = (first.b_start_s - other[0].start_s, other[-1].end_s - last.b_end_s)
    return max(*ends, *other_ends) > TRIMMED_S or (
        found.speed == 1 and abs((one[-1].end_s - one[0].start_s) - (other[-1].end_s - other[0].start_s)) > TRIMMED_S
    )


def _middle(differences: list[Difference]) -> Difference:
    return Difference(*(float(np.median(values)) for values in zip(*differences, strict=True)))


def _numbers(differences: list[Difference], points: int) -> Evidence:
    middle = _middle(differences)
    return Evidence(
        points=points,
        overlap=round(max(middle.overlap_a, middle.overlap_b), DIGITS),
        agreement=round(middle.kept, DIGITS),
        replaced=round(float(np.median([replaced(d) for d in differences])), DIGITS),
        added=round(max(middle.lost_a, middle.lost_b) + middle.covered, DIGITS),
    )


def _scale(alignment: Alignment, a: Shot, b: Shot) -> float:
    """By how much b shows it larger, in pixels of the creatives."""
    shares = math.sqrt(abs(float(np.linalg.det(alignment.matrix[:, :2]))))
    return round(shares * max(b.width, b.height) / max(a.width, a.height), DIGITS)


def _changes(difference: Difference, alignment: Alignment) -> set[Kind]:
    changes: set[Kind] = set()
    if alignment.mirror:
        changes.add("mirrored")
    cut = [share < WHOLE for share in (difference.overlap_a, difference.overlap_b)]
    if any(cut):
        changes.add("padded" if difference.bordered else "crop")
    if difference.covered * difference.excused > PANEL:
        changes.add("panel")
    if max(difference.lost_a, difference.lost_b) > WRITTEN or difference.clash > REPLACED:
        changes.add("text")
    if difference.colour > COLOURED:
        changes.add("colour")
    return changes
