"""Plain data as documents that BSON can hold, whatever it came with.

BSON knows no integers beyond 64 bits, no dates without time and no keys that are not text; MongoDB
gives ``$`` and ``.`` in keys a meaning, nests at most 100 levels and takes 16 MB a document.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import bson
import msgspec

from adology.store.naming import clean_text

DEEPEST = 60
"""Levels kept; well below MongoDB's limit and Python's."""
LARGEST_BYTES = 15 * 1024 * 1024
"""Of a document; MongoDB's 16 MB less some room for what the server adds."""
LONGEST_STRING = 4 * 1024 * 1024
TOO_DEEP = "(nested too deeply)"
_INT64 = range(-(2**63), 2**63)
_KEY_SIGNS = str.maketrans({".": "\uff0e", "\0": None})
_DOLLAR = "\uff04"


def clean(value: Any, depth: int = 0) -> Any:
    """`value` as BSON can hold it.

    ``.`` and a leading ``$`` in keys become their full-width forms, integers beyond 64 bits text,
    NaN and infinities null, dates ISO text, times UTC.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(value, LONGEST_STRING)
    if isinstance(value, int):
        return value if value in _INT64 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return TOO_DEEP if depth >= DEEPEST else _clean_mapping(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        return TOO_DEEP if depth >= DEEPEST else [clean(item, depth + 1) for item in value]
    return _clean_other(value, depth)


def encode_document(document: Mapping[str, Any], whole: str) -> bytes:
    """The BSON of `document`, cut down to size.

    Where it is too large, entries of its part `whole` are left out, the largest first, and
    ``truncated`` says which and how large it was.
    """
    data = bson.encode(document)
    if len(data) <= LARGEST_BYTES:
        return data
    part = document[whole]
    entries = part if isinstance(part, Mapping) else {"": part}
    sizes = {key: len(bson.encode({key: value})) for key, value in entries.items()}
    left, dropped = len(data), []
    for key in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if left <= LARGEST_BYTES - 64 * 1024:
            break
        left -= sizes[key]
        dropped.append(key)
    kept = {key: value for key, value in entries.items() if key not in set(dropped)}
    marker = {"size_bytes": len(data), "dropped": [key[:200] for key in dropped[:100]], "entries": len(dropped)}
    return bson.encode({**document, whole: kept, "truncated": marker})


def _clean_mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    for key, item in value.items():
        name = _clean_key(key)
        while name in cleaned:
            name += "_"
        cleaned[name] = clean(item, depth + 1)
    return cleaned


def _clean_key(key: Any) -> str:
    name = clean_text(key if isinstance(key, str) else str(key), 1000).translate(_KEY_SIGNS)
    return f"{_DOLLAR}{name[1:]}" if name.startswith("$") else name


def _clean_other(value: Any, depth: int) -> Any:
    if isinstance(value, datetime):
        try:
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError:
            return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, msgspec.Struct):
        return clean(msgspec.to_builtins(value), depth)
    return clean_text(str(value), LONGEST_STRING)
