"""What strangers say, made storable: ads of sources, metadata of messages, results of analyzers.

JSON, MessagePack, SQS and Postgres each refuse something else (lone surrogates, NUL, numbers that
no column holds, depth). One such value must not stop the batch, or the items that are stored
together with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from adology.errors import Terminal
from adology.store.naming import clean_id, clean_text
from adology.types import Ad

DEEPEST = 64
"""Nesting that is kept; what lies deeper becomes "…"."""
BAD_AD_CODE = "ADO-2092"
_NUL = b"\\u0000"
_LEAST, _MOST = -(2**63), 2**64 - 1

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Ad).decode


def clean_plain(value: Any, depth: int = 0) -> Any:
    r"""Plain data that every store takes; what cannot be kept as it is becomes text.

    >>> clean_plain({"a": "x\0", "b": [float("nan"), 10**30]})
    {'a': 'x', 'b': [None, '1000000000000000000000000000000']}
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(value, len(value))
    if isinstance(value, int):
        return value if _LEAST <= value <= _MOST else _digits(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {_text(key): clean_plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean_plain(item, depth + 1) for item in value]
    if isinstance(value, msgspec.Struct):
        return clean_plain(msgspec.structs.asdict(value), depth + 1)
    return _text(value)


def clean_ad(ad: Ad) -> Ad:
    """The ad as the manifest, messages and stores hold it; usually the very same object.

    Raises:
        Terminal: a field has a value of another type than `Ad` declares.
    """
    if _is_storable(ad) and clean_id(ad.id) == ad.id:
        return ad
    try:
        name = clean_id(ad.id) if isinstance(ad.id, str) else ad.id
        fields = msgspec.to_builtins(msgspec.structs.replace(ad, id=name, raw={}))
        return msgspec.convert({**clean_plain(fields), "raw": clean_plain(ad.raw)}, Ad)
    except (msgspec.ValidationError, TypeError, ValueError, AttributeError) as error:
        raise Terminal(
            f"the source made an ad that does not fit, {str(ad.id)[:100]!r}: {error}",
            hint="See the fields of adology.Ad.",
            code=BAD_AD_CODE,
        ) from error


def _is_storable(ad: Ad) -> bool:
    """Whether it comes back from JSON, and holds no NUL."""
    try:
        data = _encode(ad)
        _decode(data)
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        return False
    return _NUL not in data


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to write out thousands of digits
        return hex(value)


def _text(value: Any) -> str:
    text = value.isoformat() if isinstance(value, date) else str(value)
    return clean_text(text, len(text))
