"""The three message bodies. Their given fields are contracts; ours are optional beside them.

Messages of other people's programs carry the given fields only, and work.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from adology.errors import AdologyError
from adology.types import Struct

M = TypeVar("M", bound="Message")

MAX_BODY_BYTES = 200 * 1024
"""SQS takes 256 KiB at least everywhere; the rest is room for attributes."""
MAX_BRAND = 200
MAX_URL = 8192


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
    `again` marks a message of the steward: look for a stored result first.
    """

    url: str
    metadata: Any = None
    batch: str | None = None
    again: bool = False


class InsightMessage(Message, frozen=True, kw_only=True):
    """``{"brand":"nike"}`` on the insight queue; `batch` is the one that was committed."""

    batch: str | None = None


class UndecodableError(AdologyError):
    """The body is not a message of its queue; it goes to the dead-letter queue with this text."""

    code = "ADO-5501"


def encode(message: Message) -> str:
    """The JSON body."""
    return msgspec.json.encode(message).decode()


def decode(body: str, kind: type[M]) -> M:
    """The message in `body`.

    Raises:
        UndecodableError: saying what is wrong with which field.
    """
    try:
        message = msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UndecodableError(f"the body is not a {kind.__name__}: {error}") from error
    if not 0 < len(message.brand) <= MAX_BRAND or not message.brand.isprintable():
        raise UndecodableError(
            f"brand has {len(message.brand)} characters; allowed: 1 to {MAX_BRAND} printable characters"
        )
    if isinstance(message, AcquireMessage) and not 0 < len(message.url) <= MAX_URL:
        raise UndecodableError(f"url has {len(message.url)} characters; allowed: 1 to {MAX_URL}")
    return message
