"""Bodies as they cross the wire: JSON for everybody, MessagePack for workers.

Both are decoded straight from the raw body into the structs below; the limits stand in the types,
so that a refusal names the field. Fields that these structs do not know are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adology.abc.sink import ItemResult
from adology.registry_client.protocol import Progress
from adology_registry.errors import BadRequestError
from adology_registry.floats import pack_floats, unpack_floats
from adology_registry.state import Held

MAX_BRAND = 200
MAX_URL = 8192
CHUNK_BYTES = 256 * 1024

JSON = "application/json"
MSGPACK = "application/msgpack"

B = TypeVar("B", bound=msgspec.Struct)

Id = Annotated[str, Meta(max_length=200)]
Token = Annotated[str, Meta(min_length=1, max_length=200)]


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What every request body has: the brand, and optionally which of its batches is meant."""

    brand: str
    batch_id: Id | None = None

    def __post_init__(self) -> None:
        check_brand(self.brand)


class StartBody(Body, frozen=True, kw_only=True):
    """`POST /start`."""

    expected_count: Annotated[int, Meta(ge=0, le=2**53)]


class WireResult(ItemResult, frozen=True, kw_only=True):
    """A result as it comes: `embedding` as numbers or float32 bytes. Afterwards always bytes or None.

    The three fields of the contract are always written, the others only if they say something.
    """

    # Wider types than ItemResult's, until __post_init__ has made them equal; UNSET as the default
    # (which nothing equals afterwards) is what makes the encoder always write them.
    url: Annotated[str, Meta(min_length=1, max_length=MAX_URL)]
    embedding: bytes | list[float] | UnsetType | None = UNSET  # type: ignore[assignment]  # see above
    s3_path: str | UnsetType | None = UNSET  # type: ignore[assignment]  # see above

    def __post_init__(self) -> None:
        embedding = None if self.embedding is UNSET else pack_floats(self.embedding)
        msgspec.structs.force_setattr(self, "embedding", embedding)
        if self.s3_path is UNSET:
            msgspec.structs.force_setattr(self, "s3_path", None)


class SubmitBody(Body, frozen=True, kw_only=True):
    """`POST /submit`."""

    result: WireResult


class SubmitManyBody(Body, frozen=True, kw_only=True):
    """`POST /submit-many`."""

    results: list[WireResult]


class LeaseBody(Body, frozen=True, kw_only=True):
    """`POST /commit-renew` and `POST /commit-release`."""

    lease_token: Token


class CompleteBody(Body, frozen=True, kw_only=True):
    """`POST /commit-complete`."""

    lease_token: Id | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A `SubmitAnswer` on the wire; the lease's fields are there only with `should_commit`."""

    should_commit: bool
    epoch: str
    batch_id: str
    received: int
    expected_count: int
    lease_token: str | UnsetType = UNSET
    lease_s: float | UnsetType = UNSET


class ProgressAnswer(Progress, frozen=True, kw_only=True, omit_defaults=False):
    """A `Progress` with every field shown."""


class PageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /brands`: one page; `next` goes into `after` for the following one, null at the end."""

    brands: list[ProgressAnswer]
    next: str | None
    epoch: str


class DoneAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /commit-complete` and `POST /commit-release`: whether there was something to end."""

    brand: str
    done: bool
    epoch: str


class HealthAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /healthz`."""

    status: str
    epoch: str
    active_brands: int
    held_bytes: int
    uptime_s: float


encode_json = msgspec.json.Encoder().encode
encode_msgpack = msgspec.msgpack.Encoder().encode
_decode_held = msgspec.msgpack.Decoder(WireResult).decode


class Reader:
    """Decodes one kind of body. Built once: decoders compile their types."""

    def __init__(self, kind: type[B]) -> None:
        self._json: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)
        self._msgpack: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(kind)

    def read(self, body: bytes, *, msgpack: bool) -> Any:
        """The body as the struct of this reader.

        Raises:
            BadRequestError: saying which field is wrong, what was seen and what is allowed.
        """
        try:
            return self._msgpack.decode(body) if msgpack else self._json.decode(body)
        except msgspec.ValidationError as error:
            field = _field_of(str(error))
            raise BadRequestError(f"the body does not fit: {error}.", field=field) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            name = "MessagePack" if msgpack else "JSON"
            raise BadRequestError(
                f"the body of {len(body)} bytes is not {name}: {error}.",
                hint=f"Without Content-Type {MSGPACK} it must be one JSON object.",
            ) from None


def check_brand(brand: str) -> None:
    """Refuse names that cannot stand in an address or a log line.

    Raises:
        ValueError: naming the field `brand`, as msgspec passes it on.
    """
    if not 1 <= len(brand) <= MAX_BRAND:
        raise ValueError(f"`brand` has {len(brand)} characters; 1 to {MAX_BRAND} are allowed")
    if not brand.isprintable():
        raise ValueError(f"`brand` {brand!r} has characters that cannot be printed")
    if brand.startswith("/") or brand.endswith("/") or brand in {".", ".."}:
        raise ValueError(f"`brand` {brand!r} cannot stand in an address: no slash at its ends, no `.` or `..`")


def iter_results(held: Sequence[Held], *, msgpack: bool) -> Iterator[bytes]:
    """The list of results in pieces of about `CHUNK_BYTES`, so that a large batch is never held twice."""
    chunk = bytearray(_array_header(len(held)) if msgpack else b"[")
    for position, one in enumerate(held):
        if msgpack:
            chunk += one.data
        else:
            chunk += (b"," if position else b"") + _as_json(one.data)
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    if not msgpack:
        chunk += b"]"
    yield bytes(chunk)


def _as_json(data: bytes) -> bytes:
    result = _decode_held(data)
    if isinstance(result.embedding, bytes):
        msgspec.structs.force_setattr(result, "embedding", unpack_floats(result.embedding))
    return encode_json(result)


def _array_header(count: int) -> bytes:
    """MessagePack's array 32: allowed for any length, and the results behind it are encoded already."""
    return b"\xdd" + count.to_bytes(4, "big")


_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
_NAMED = re.compile(r"`([A-Za-z_]\w*)`")


def _field_of(message: str) -> str:
    """The dotted place that msgspec's message names, including a missing or refused field."""
    path = _PATH.search(message)
    place = path.group(1) if path else ""
    if message.startswith(("Object missing required field", "`brand`", "`embedding`")):
        named = _NAMED.search(message)
        if named is not None:
            place = f"{place}.{named.group(1)}" if place else named.group(1)
    return place
