"""Events as clients get them: encoded once, for however many."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from adology.http.sockets import text_frame

Topic = Literal["tasks", "brands"]
TOPICS: frozenset[Topic] = frozenset({"tasks", "brands"})

_encode = msgspec.json.Encoder().encode


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `events`. Without `org_id` it is of those in `orgs`; `spaces` are brandspaces that hold its brand."""

    id: int
    org_id: str | None
    orgs: tuple[str, ...] = ()
    spaces: tuple[UUID, ...]
    kind: str
    body: dict[str, Any]
    at: datetime


class Told:
    """An event with the bytes that clients get: the body's fields, then `event`, `seq` and `at`."""

    __slots__ = ("block", "event", "frame", "id", "topic")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.id = event.id
        self.topic: Topic = "tasks" if event.kind == "task" else "brands"
        message = {key: value for key, value in event.body.items() if value is not None}
        text = _encode({**message, "event": event.kind, "seq": event.id, "at": event.at})
        self.frame = text_frame(text)
        self.block = b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.kind.encode(), text)


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants to hear of what it may hear. With `space` only brands of that brandspace."""

    topics: frozenset[Topic] = TOPICS
    space: UUID | None = None

    def wants(self, told: Told) -> bool:
        """Whether the event is one of these."""
        if told.topic not in self.topics:
            return False
        return self.space is None or told.topic == "tasks" or self.space in told.event.spaces


ALL = Subscription()
"""What clients hear who did not say."""


def control_frame(message: Mapping[str, Any]) -> bytes:
    """A message about the connection itself: it has `type`, events have `event`."""
    return text_frame(_encode(message))


def control_block(message: Mapping[str, Any]) -> bytes:
    """The same for a stream of server-sent events."""
    return b"event: %s\ndata: %s\n\n" % (str(message["type"]).encode(), _encode(message))
