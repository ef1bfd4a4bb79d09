"""From evidence to a confidence: the measured share of true pairs among pairs with such evidence.

First the doubts, each of which alone speaks against one origin: they were set so that no two ads
of one template pass. Then a logistic regression for images; videos are few, so theirs is the rule
of succession over two kinds of evidence. Fitted on half of the data that `tests/quality/likeness.py`
draws; how it holds on the other half stands in the documentation.
"""

from __future__ import annotations

import math

import numpy as np

from adology_likeness.differ import Difference
from adology_likeness.films import InStep
from adology_likeness.overlay import Overlay

MOST_CLASH = 0.0012
MOST_INVERTED = 0.006
MOST_REPLACED = 0.012
KEPT_ALL = 0.89
BARE = 0.12
"""Detail of a picture that is mostly ground: what is missing there was not lost in texture."""
WRITTEN_OVER = 0.03
"""Words that were written over take this much of a picture."""
MOST_MUTUAL = 0.006
MUTUAL_SHARE = 0.15
MOST_EXCHANGED = 0.004
"""Detail of things that took each other's place: some 200 pixels of the kept picture."""
MOST_COVERED = 0.03
LEAST_KEPT = 0.5
LEAST_DETAIL = 0.01
LEAST_COMMON = 0.15
FEW_POINTS = 8
KEPT_BY_FEW = 0.85
COMMON_OF_FEW = 0.5

BASE = 1.35
REPLACED = -1.30
OVERLAP = 4.01
COSINE = 4.58
DOUBT = -5.16
USUAL_COSINE = 0.85
REPLACED_UNIT = 500.0
HIGHEST = 0.99
"""No evidence is surer: there are not pairs enough to measure more."""
DOUBTED = 0.45
"""With a doubt it is never higher."""

FILM_KEPT = 0.4
FILM_ALIKE = 0.8
FILM_COVERED = 0.2
FILM_SHARE = 0.3
FILM_REPLACED = 0.03
SURE_ALIKE = 0.87
SURE_STEPS = 5
PAIR_KEPT = 0.8
STILL_KEPT = 0.9
SURE_FILM, LIKELY_FILM, DOUBTED_FILM = 0.97, 0.9, 0.1


def replaced(difference: Difference) -> float:
    """The share of the common part where each has something that the other lacks."""
    return min(difference.lost_a, difference.lost_b) + difference.clash


def image_confidence(laid: Overlay, cosine: float | None) -> float:
    """Of two pictures; `cosine` of their embeddings where there are any of the measured space."""
    difference = laid.difference
    doubt = is_doubtful(difference, laid.alignment.inliers)
    odds = BASE + REPLACED * math.log1p(REPLACED_UNIT * replaced(difference))
    odds += OVERLAP * math.sqrt(min(difference.overlap_a, difference.overlap_b))
    odds += COSINE * ((USUAL_COSINE if cosine is None else cosine) - USUAL_COSINE) + DOUBT * doubt
    return round(min(DOUBTED if doubt else HIGHEST, 1 / (1 + math.exp(-odds))), 4)


def is_doubtful(difference: Difference, points: int) -> bool:
    """Whether anything says that these are two pictures, or two ads of one template."""
    common = min(difference.overlap_a, difference.overlap_b)
    few = points < FEW_POINTS and (difference.kept < KEPT_BY_FEW or common < COMMON_OF_FEW)
    least, most = sorted((difference.lost_a, difference.lost_b))
    bare = difference.detail < BARE and most < WRITTEN_OVER
    mutual = least > MOST_MUTUAL and least > MUTUAL_SHARE * most
    return (
        few
        or (difference.kept < KEPT_ALL and (bare or mutual))
        or difference.clash >= MOST_CLASH
        or difference.inverted > MOST_INVERTED
        or difference.exchanged > MOST_EXCHANGED
        or least > MOST_REPLACED
        or difference.covered * (1 - difference.excused) > MOST_COVERED
        or difference.kept < LEAST_KEPT
        or difference.detail < LEAST_DETAIL
        or common < LEAST_COMMON
    )


def film_confidence(found: InStep) -> float:
    """Of two videos in step: one of three steps, as sure as there are videos to measure on."""
    alike = float(np.mean([step.alike for step in found.steps]))
    kept = float(np.median([one.kept for one in found.differences]))
    changed = float(np.median([replaced(one) for one in found.differences]))
    covered = float(np.median([one.covered * (1 - one.excused) for one in found.differences]))
    steps = len(found.steps)
    if kept < FILM_KEPT or covered > FILM_COVERED or found.share < FILM_SHARE:
        return DOUBTED_FILM
    if alike < FILM_ALIKE and (kept < PAIR_KEPT or steps < SURE_STEPS):
        return DOUBTED_FILM
    if changed > FILM_REPLACED and (alike < SURE_ALIKE or steps < SURE_STEPS):
        return DOUBTED_FILM
    if steps == 1 and (kept < STILL_KEPT or changed > MOST_CLASH):
        return DOUBTED_FILM
    if steps == 2 and (kept < PAIR_KEPT or alike < SURE_ALIKE - 0.02):  # noqa: PLR2004
        return DOUBTED_FILM
    return SURE_FILM if steps >= SURE_STEPS and alike >= SURE_ALIKE else LIKELY_FILM
