"""The creatives' embeddings in one matrix: what the peers search, with FAISS and a list of the brands' rows."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Self

import faiss
import numpy as np
import psycopg
from numpy.typing import NDArray

from adology_faiss.graph import scan


class Vectors:
    """Exact search among the creatives of some brands."""

    def __init__(self, shas: list[str], matrix: NDArray[np.float32], rows: dict[str, NDArray[np.int64]]) -> None:
        self._shas = shas
        self._at = {sha: at for at, sha in enumerate(shas)}
        self._matrix = matrix
        self._rows = rows

    @classmethod
    def load(cls, url: str) -> Self:
        """All of the database."""
        faiss.omp_set_num_threads(1)
        with psycopg.connect(url) as link:
            found: list[tuple[Any, ...]] = link.execute(
                "select n.subject, n.result->>'vector', b.brand from analyses n"
                " join ad_assets m on m.sha256 = n.subject join brand_ads b on b.ad_id = m.ad_id"
                " where n.analyzer = 'visual_embedding'"
            ).fetchall()
        rows: dict[str, list[int]] = defaultdict(list)
        for at, (_, _, brand) in enumerate(found):
            rows[brand].append(at)
        matrix = np.stack([np.frombuffer(base64.b64decode(vector), "<f4") for _, vector, _ in found])
        return cls([sha for sha, _, _ in found], matrix, {brand: np.array(at, np.int64) for brand, at in rows.items()})

    def search(self, sha: str, brands: Sequence[str], k: int) -> list[tuple[str, float]]:
        """The nearest creatives of these brands, with the cosine."""
        rows = np.sort(np.concatenate([self._rows[brand] for brand in brands if brand in self._rows]))
        scores, found = scan(self._matrix, rows, self._matrix[self._at[sha]], k)
        return [(self._shas[at], float(score)) for at, score in zip(found, scores, strict=True) if at >= 0]
