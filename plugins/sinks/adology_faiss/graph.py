"""Searching vectors with FAISS: by looking at each one, or along a graph.

A graph never changes once it can be seen: a larger one is a copy that more vectors went into.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import faiss as untyped_faiss
import numpy as np
from numpy.typing import NDArray

from adology_faiss.columns import Mask
from adology_faiss.model import Vector

faiss: Any = untyped_faiss
"""Its stubs lack half of what is used here; arrays are typed where they come in and go out."""

Vectors = NDArray[np.float32]
"""Shape (n, dimensions)."""
Rows = NDArray[np.int64]
Found = tuple[NDArray[np.float32], Rows]
"""Similarities, falling, and the rows that they belong to."""

Bits = NDArray[np.uint8]
"""A mask at eight rows to the byte."""

BLOCK = 4096
WIDTH = 64
"""Candidates of a search that is not told otherwise."""


def as_bits(mask: Mask) -> Bits:
    """The mask as FAISS takes it."""
    return np.packbits(mask, bitorder="little")


def scan(vectors: Vectors, rows: Rows, query: Vector, k: int) -> Found:
    """The `k` best of the given rows, exactly; the rows' vectors are read where they are."""
    k = min(k, len(rows))
    if k == 0:
        return np.empty(0, np.float32), np.empty(0, np.int64)
    similarities, found = np.empty(k, np.float32), np.empty(k, np.int64)
    # One query over a list of rows is also the fastest way over all of them: IndexFlatIP takes twice as long.
    faiss.knn_inner_product(
        faiss.swig_ptr(query),
        faiss.swig_ptr(vectors),
        vectors.shape[1],
        1,
        len(vectors),
        k,
        faiss.swig_ptr(similarities),
        faiss.swig_ptr(found),
        faiss.IDSelectorArray(len(rows), faiss.swig_ptr(rows)),
    )
    return similarities, found


class Graph:
    """HNSW over rows 0 to `size`, and their vectors."""

    def __init__(self, index: Any) -> None:
        index.hnsw.efSearch = WIDTH
        self._index = index
        storage = faiss.downcast_index(index.storage)
        self.size = int(index.ntotal)
        # A view: the vectors are kept once, and live as long as the index.
        self.vectors: Vectors = faiss.rev_swig_ptr(storage.get_xb(), self.size * index.d).reshape(self.size, index.d)

    @classmethod
    def build(cls, dimensions: int, blocks: Iterable[Vectors], *, links: int, build_width: int) -> Graph:
        """A graph of the vectors, in their order."""
        index = faiss.IndexHNSWFlat(dimensions, links, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = build_width
        return cls(_fill(index, blocks))

    def grown(self, blocks: Iterable[Vectors]) -> Graph:
        """A copy with more rows."""
        return Graph(_fill(faiss.clone_index(self._index), blocks))

    def search(self, query: Vector, k: int, width: int, bits: Bits | None) -> Found:
        """About the `k` best of the rows that pass (None: all); `width` candidates are kept on the way."""
        selector = None if bits is None else faiss.IDSelectorBitmap(self.size, faiss.swig_ptr(bits))
        plain = selector is None and width == WIDTH and k <= WIDTH
        # To make parameters takes a twentieth of a search.
        parameters = None if plain else faiss.SearchParametersHNSW(efSearch=max(width, k), sel=selector)
        similarities, rows = np.empty(k, np.float32), np.empty(k, np.int64)
        # `search` itself, without its wrapper for many queries of any kind.
        pointers = faiss.swig_ptr(similarities), faiss.swig_ptr(rows)
        self._index.search_c(1, faiss.swig_ptr(query), k, *pointers, parameters)
        if rows[-1] >= 0:
            return similarities, rows
        kept = rows >= 0
        return similarities[kept], rows[kept]

    def dump(self) -> NDArray[np.uint8]:
        """The graph without its vectors."""
        dumped: NDArray[np.uint8] = faiss.serialize_index(self._index, faiss.IO_FLAG_SKIP_STORAGE)
        return dumped

    @classmethod
    def restore(cls, dumped: NDArray[np.uint8], vectors: Vectors) -> Graph:
        """What `dump` gave, with its vectors.

        Raises:
            ValueError: they do not belong together.
        """
        index = faiss.deserialize_index(dumped)
        if not isinstance(index, faiss.IndexHNSWFlat) or index.d != vectors.shape[1] or index.ntotal != len(vectors):
            raise ValueError(f"the graph is not one over vectors of shape {vectors.shape}")
        storage = faiss.IndexFlatIP(index.d)
        storage.add(vectors)
        storage.this.disown()
        index.storage = storage
        index.own_fields = True
        return cls(index)

    @property
    def link_bytes(self) -> int:
        """Bytes of the graph without its vectors."""
        hnsw = self._index.hnsw
        return int(4 * hnsw.neighbors.size() + 8 * hnsw.offsets.size() + 4 * hnsw.levels.size())


def _fill(index: Any, blocks: Iterable[Vectors]) -> Any:
    for block in blocks:
        index.add(np.ascontiguousarray(block))
    return index
