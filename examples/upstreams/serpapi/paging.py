"""Page tokens: opaque, bound to their query, and of limited life."""

from __future__ import annotations

import base64
import binascii
import hashlib

import msgspec

_MAC_BYTES = 8


class Token(msgspec.Struct, frozen=True, array_like=True):
    """Where the next page begins, of which query, made when (Unix seconds)."""

    offset: int
    query: str
    at: float


class StaleTokenError(Exception):
    """The token has expired, belongs to another query, or is not one of ours."""


_decoder = msgspec.msgpack.Decoder(Token)


def fingerprint(identity: str) -> str:
    """A short name of a query."""
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def encode_token(token: Token) -> str:
    """The token as clients see it."""
    data = msgspec.msgpack.encode(token)
    return base64.b64encode(_mac(data) + data).decode()


def decode_token(text: str, *, query: str, now: float, ttl_s: float) -> Token:
    """The token in `text`.

    Raises:
        StaleTokenError: it is no good for `query` now.
    """
    try:
        data = base64.b64decode(text, validate=True)
        token = _decoder.decode(data[_MAC_BYTES:])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise StaleTokenError from None
    if data[:_MAC_BYTES] != _mac(data[_MAC_BYTES:]) or token.query != query or now - token.at >= ttl_s:
        raise StaleTokenError
    return token


def _mac(data: bytes) -> bytes:
    return hashlib.blake2b(data, key=b"stand-in page token", digest_size=_MAC_BYTES).digest()
