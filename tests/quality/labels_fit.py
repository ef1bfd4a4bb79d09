"""Fits the curve of `adology_labels.nearest` on the ads to tune on: ``python -m tests.quality.labels_fit DATA``.

Likeness and lead of the nearest category, and whether it is right, of every ad of `label_texts.TUNE`,
of `ad_texts.TEXTS` in two languages each, of texts that name no product, where no answer is right, and
of every second real creative and political ad: ads written for the purpose alone would make it too sure.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adology_copy.cta import PHRASE
from adology_labels.local import LEAST_WORDS, words_of
from adology_labels.nearest import Nearest, nearest
from adology_labels.taxonomies import TIER_ONE
from tests.quality import labels
from tests.quality.ad_texts import TEXTS
from tests.quality.label_texts import OF_AD_TEXTS, SAY_NO_PRODUCT, TUNE

STEPS = 60
RIDGE = 0.01


def examples(data: Path) -> list[tuple[str, str]]:
    """Texts with the IAB ids that are right, between bars; empty: none is."""
    return [
        *((one.text, one.iab) for one in TUNE),
        *((text[0], ids) for text, ids in zip(TEXTS, OF_AD_TEXTS, strict=True)),
        *((text[3], ids) for text, ids in zip(TEXTS, OF_AD_TEXTS, strict=True)),
        *((text, "") for text, _ in SAY_NO_PRODUCT),
        *(("\n".join(lines), "|".join(ids)) for lines, ids in labels.creatives(data)[::2]),
        *((text, "|".join(labels.POLITICS)) for text in labels.political(data)[::2]),
    ]


def fit(data: Path) -> tuple[float, float, float]:
    """Offset, and weights of likeness and lead, by Newton's method with a small ridge."""
    given = [(PHRASE.sub(" ", text), ids) for text, ids in examples(data)]
    given = [(text, ids) for text, ids in given if words_of(text) >= LEAST_WORDS]  # others are never asked about
    found: list[Nearest] = nearest([text for text, _ in given], TIER_ONE)
    right = np.array([one.id in ids.split("|") for one, (_, ids) in zip(found, given, strict=True)], dtype=float)
    rows = np.array([[1.0, one.likeness, one.lead] for one in found])
    weights: NDArray[np.float64] = np.zeros(3)
    for _ in range(STEPS):
        share = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (share - right) + RIDGE * weights
        curvature = (rows * (share * (1 - share))[:, None]).T @ rows + RIDGE * np.eye(3)
        weights -= np.linalg.solve(curvature, slope)
    return float(weights[0]), float(weights[1]), float(weights[2])


if __name__ == "__main__":
    sys.stdout.write("OFFSET, PER_LIKENESS, PER_LEAD = {:.2f}, {:.2f}, {:.2f}\n".format(*fit(Path(sys.argv[1]))))
