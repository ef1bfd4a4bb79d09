"""An index as one file.

::

    head     magic, version of the format, length of the contents, SHA-256 of the contents
    contents msgpack: space, dimensions, size, rows in the graph, and SHA-256 and length of each part
    parts    the vectors (float32, little-endian, row by row), the graph, the attributes (msgpack)

Every byte is under a checksum, so damage is found before anything is believed. The checksums say
nothing about who wrote the file: load only what your own processes wrote.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from adology import Struct
from adology_faiss.columns import Columns, Mask
from adology_faiss.errors import SnapshotDamagedError, SnapshotSpaceError
from adology_faiss.generation import Generation
from adology_faiss.graph import BLOCK, Vectors
from adology_faiss.growing import Growing
from adology_faiss.model import Facet

VERSION = 1
MAGIC = b"ADOVECTS"
STORED = np.dtype("<f4")
_HEAD = struct.Struct("<8sHQ32s")
_PARTS = ("vectors", "graph", "columns")


class Part(Struct, frozen=True, kw_only=True):
    """Where a part ends and what it must hash to."""

    size: int
    sha256: bytes


class Contents(Struct, frozen=True, kw_only=True):
    """What the file holds."""

    space: str
    dimensions: int
    size: int
    in_graph: int
    parts: dict[str, Part]


class Stored(Struct, frozen=True, kw_only=True):
    """The attributes; arrays as their little-endian bytes, days as ordinals."""

    ids: list[str]
    alive: bytes
    owners: bytes
    owner_codes: dict[str, int]
    first: bytes
    last: bytes
    rows_with: list[tuple[Facet, str, bytes]]


Dumped = tuple[int, NDArray[np.uint8]]
"""Rows in the graph, and the graph without its vectors."""


def write_snapshot(path: Path, space: str, dimensions: int, state: Generation) -> None:
    """Write beside `path`, then take its place; what was there stays until the new file is whole."""
    columns = msgspec.msgpack.encode(_stored(state))
    graph = state.graph.dump() if state.graph else np.empty(0, np.uint8)
    vectors = hashlib.sha256()
    for block in _vector_bytes(state):
        vectors.update(block)
    parts = {
        "vectors": Part(size=state.size * dimensions * STORED.itemsize, sha256=vectors.digest()),
        "graph": Part(size=graph.nbytes, sha256=hashlib.sha256(graph.data).digest()),
        "columns": Part(size=len(columns), sha256=hashlib.sha256(columns).digest()),
    }
    contents = msgspec.msgpack.encode(
        Contents(space=space, dimensions=dimensions, size=state.size, in_graph=state.graph_size, parts=parts)
    )
    with _replacing(path) as file:
        file.write(_HEAD.pack(MAGIC, VERSION, len(contents), hashlib.sha256(contents).digest()))
        file.write(contents)
        for block in _vector_bytes(state):
            file.write(block)
        file.write(graph.data)
        file.write(columns)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - a descriptor, no path
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _vector_bytes(state: Generation) -> Iterator[memoryview]:
    for block in state.vector_blocks(np.arange(state.size)):
        yield np.ascontiguousarray(block, STORED).data.cast("B")


def _stored(state: Generation) -> Stored:
    columns, size, alive = state.columns, state.size, state.alive
    held = ((key, rows[alive[rows]]) for key, rows in columns.holders(size))
    owners = np.where(alive, columns.owners.view(size), 0)
    used = set(np.unique(owners).tolist())
    return Stored(
        ids=[name if lives else "" for name, lives in zip(columns.ids[:size], alive.tolist(), strict=True)],
        alive=alive.tobytes(),
        owners=_as_bytes(owners),
        owner_codes={owner: code for owner, code in list(columns.owner_codes.items()) if code in used},
        first=_as_bytes(columns.first.view(size)),
        last=_as_bytes(columns.last.view(size)),
        rows_with=[(key[0], key[1], _as_bytes(rows)) for key, rows in held if len(rows)],
    )


def _as_bytes(numbers: NDArray[np.int32]) -> bytes:
    return numbers.astype("<i4").tobytes()


def _as_numbers(data: bytes) -> NDArray[np.int32]:
    return np.frombuffer(data, "<i4").astype(np.int32)


def read_snapshot(path: Path, space: str, dimensions: int) -> tuple[Columns, Mask, Dumped | None, Vectors]:
    """What `write_snapshot` was given.

    Raises:
        SnapshotDamagedError: it is not what was written.
        SnapshotSpaceError: it is of another space.
    """
    with path.open("rb") as file:
        contents = _read_contents(path, file)
        if (contents.space, contents.dimensions) != (space, dimensions):
            raise SnapshotSpaceError(
                path,
                f"the space {contents.space!r} of {contents.dimensions} dimensions",
                f"{space!r} of {dimensions}",
            )
        expected = file.tell() + sum(contents.parts[name].size for name in _PARTS)
        size = os.fstat(file.fileno()).st_size
        if size != expected:
            raise SnapshotDamagedError(path, f"it has {size} bytes; {expected} were written")
        parts = {name: _read_part(path, file, name, contents.parts[name]) for name in _PARTS}
    columns, alive = _restored(msgspec.msgpack.decode(parts["columns"].data, type=Stored))
    vectors = parts["vectors"].view(STORED).reshape(contents.size, dimensions).astype(np.float32, copy=False)
    return columns, alive, (contents.in_graph, parts["graph"]) if contents.in_graph else None, vectors


def _read_contents(path: Path, file: BinaryIO) -> Contents:
    head = file.read(_HEAD.size)
    if not head.startswith(MAGIC[: len(head)]):
        raise SnapshotDamagedError(path, "it is no snapshot of an index")
    if len(head) < _HEAD.size:
        raise SnapshotDamagedError(path, f"it ends after {len(head)} bytes, within its head")
    _, version, length, digest = _HEAD.unpack(head)
    if version != VERSION:
        raise SnapshotDamagedError(path, f"it is of format {version}; this version reads format {VERSION}")
    # Never more than there is, whatever a damaged length says.
    data = file.read(min(length, os.fstat(file.fileno()).st_size))
    if hashlib.sha256(data).digest() != digest:
        raise SnapshotDamagedError(path, "the checksum of its table of contents is wrong")
    return msgspec.msgpack.decode(data, type=Contents)


def _read_part(path: Path, file: BinaryIO, name: str, part: Part) -> NDArray[np.uint8]:
    data = np.empty(part.size, np.uint8)
    view, digest, at = data.data, hashlib.sha256(), 0
    while at < part.size:
        count = file.readinto(view[at : at + BLOCK * BLOCK])  # type: ignore[attr-defined]  # a buffered file has it
        if not count:
            raise SnapshotDamagedError(path, f"its {name} end early")
        digest.update(view[at : at + count])
        at += count
    if digest.digest() != part.sha256:
        raise SnapshotDamagedError(path, f"the checksum of its {name} is wrong")
    return data


def _restored(stored: Stored) -> tuple[Columns, Mask]:
    columns = Columns()
    columns.ids = stored.ids
    columns.owner_codes = stored.owner_codes
    columns.owners = Growing(_as_numbers(stored.owners))
    columns.first = Growing(_as_numbers(stored.first))
    columns.last = Growing(_as_numbers(stored.last))
    columns.rows_with = {(by, name): Growing(_as_numbers(rows)) for by, name, rows in stored.rows_with}
    return columns, np.frombuffer(stored.alive, np.bool_).copy()
