"""The three message bodies. Their given fields are contracts; ours are optional beside them.

Messages of other people's programs carry the given fields only, and work.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import msgspec

from adology.errors import AdologyError
from adology.types import Struct

M = TypeVar("M", bound="Message")

MAX_BODY_BYTES = 200 * 1024
"""SQS takes 256 KiB at least everywhere; the rest is room for attributes."""
MAX_BRAND = 200
MAX_URL = 8192
UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding raises: the last one for a body that is nested thousands deep."""


class Message(Struct, frozen=True, kw_only=True):
    """What all bodies share. `request_id` survives a deferral; `deferred` counts them."""

    brand: str
    request_id: str | None = None
    deferred: int = 0


class GatherMessage(Message, frozen=True, kw_only=True):
    """``{"brand":"nike"}`` on the gather queue."""


class AcquireMessage(Message, frozen=True, kw_only=True):
    """``{"brand":"nike","url":"…","metadata":{…}}`` on the acquire queue.

    `batch` says which batch the URL belongs to; without it the brand's active batch is meant.
    `again` marks a message that is not the first of its URL: look for a stored result first.
    """

    url: str
    # A factory's result, unlike a default, is not left out on the wire: the field is always sent.
    metadata: Any = msgspec.field(default_factory=lambda: None)
    batch: str | None = None
    again: bool = False


class AnalyzeMessage(Message, frozen=True, kw_only=True):
    """``{"brand":"nike","kind":"asset","subject":"…"}`` on the analyze queue, which is the engine's own.

    `subject` is the hash of an asset's bytes or of an ad's copy; `brand` is who pays. `analyzers`
    are the ones to run, with those that they use; empty means all. `organisation` asked for it: its
    budget counts as well.
    """

    kind: Literal["asset", "ad"]
    subject: str
    analyzers: tuple[str, ...] = ()
    organisation: str | None = None


class InsightMessage(Message, frozen=True, kw_only=True):
    """``{"brand":"nike"}`` on the insight queue; `batch` is the one that was committed."""

    batch: str | None = None


class UndecodableError(AdologyError):
    """The body is not a message of its queue; it goes to the dead-letter queue with this text."""

    code = "ADO-5801"


def encode(message: Message) -> str:
    """The JSON body."""
    return _as_sqs_takes_it(msgspec.json.encode(message))


def defer_body(body: str, message_id: str) -> tuple[str, int]:
    """The body of the fresh message that takes the place of `body`, and how often it was deferred.

    Its fields stay as they were written, byte for byte. It gets a `request_id`, the first
    message's id, if it had none. A body that is no JSON object stays as it is.
    """
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        told = msgspec.json.decode(body, type=_Deferral)
    except UNREADABLE:
        return body, 1
    count = told.deferred + 1
    fields["request_id"] = msgspec.Raw(msgspec.json.encode(told.request_id or message_id))
    fields["deferred"] = msgspec.Raw(str(count).encode())
    return _as_sqs_takes_it(msgspec.json.encode(fields)), count


class _Deferral(Struct, frozen=True, kw_only=True):
    request_id: str | None = None
    deferred: int = 0


def _as_sqs_takes_it(body: bytes) -> str:
    """JSON text without the two characters that SQS refuses; control characters are escaped already."""
    return body.decode().replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def decode(body: str, kind: type[M]) -> M:
    """The message in `body`.

    Raises:
        UndecodableError: saying what is wrong with which field.
    """
    try:
        message = msgspec.json.decode(body, type=kind)
    except UNREADABLE as error:
        raise UndecodableError(f"the body is no {kind.__name__}: {error}") from error
    if not 0 < len(message.brand) <= MAX_BRAND or not message.brand.isprintable():
        raise UndecodableError(
            f"brand has {len(message.brand)} characters; allowed: 1 to {MAX_BRAND} printable characters"
        )
    if message.brand.startswith("/") or message.brand.endswith("/") or message.brand in {".", ".."}:
        raise UndecodableError(
            f"brand {message.brand!r} cannot stand in the registry's addresses;"
            " not allowed: `.`, `..`, a slash at either end"
        )
    if isinstance(message, AcquireMessage) and not 0 < len(message.url) <= MAX_URL:
        raise UndecodableError(f"url has {len(message.url)} characters; allowed: 1 to {MAX_URL}")
    return message
