"""What the worker and a child process say to each other: MessagePack behind a length.

The worker sends `Request` or `Call`. The child sends `Hello` once, and for each request `Started` when
the analyzer or function is loaded (its deadline runs from there), any number of `LogLine`, and one of
`Done`, `Failed`, `Fault`, `OutOfMemory`; of these the last three may come instead of `Started`.
"""

from __future__ import annotations

import struct
from typing import Any, Literal

import msgspec

from adology.types import Struct

MAX_FRAME = 64 * 1024 * 1024
"""Longest message. A child is not trusted with the worker's memory."""

HEADER = struct.Struct(">I")


class Item(Struct, frozen=True, kw_only=True):
    """A MediaItem with its path as text."""

    sha256: str
    path: str
    kind: Literal["image", "video"]
    content_type: str
    size_bytes: int
    results: dict[str, Any]


class Request(Struct, frozen=True, kw_only=True, tag=True):
    """Analyse one item with the class that `reference` (``module:Class``) names."""

    reference: str
    settings: dict[str, Any]
    item: Item
    scratch: str
    deadline_s: float


class Call(Struct, frozen=True, kw_only=True, tag=True):
    """Call the function that `reference` (``module:function``) names."""

    reference: str
    args: list[Any]
    deadline_s: float


class Hello(Struct, frozen=True, kw_only=True, tag=True):
    """The child is ready for requests."""


class Started(Struct, frozen=True, kw_only=True, tag=True):
    """The analyzer or function is loaded and begins."""


class LogLine(Struct, frozen=True, kw_only=True, tag=True):
    """A line that the analyzer logged; the worker logs it with its own ids."""

    level: str
    text: str
    extra: dict[str, str]


class Made(Struct, frozen=True, kw_only=True):
    """A derived file by its plain name in the scratch folder."""

    name: str
    content_type: str


class Done(Struct, frozen=True, kw_only=True, tag=True):
    """The result as plain data, and what was derived."""

    result: Any
    derived: tuple[Made, ...]


class Failed(Struct, frozen=True, kw_only=True, tag=True):
    """One of `adology.errors` was raised."""

    error: str
    message: str
    state: dict[str, str | int | float | bool | None]


class Fault(Struct, frozen=True, kw_only=True, tag=True):
    """Anything else was raised."""

    error: str
    text: str
    trace: tuple[str, ...]


class OutOfMemory(Struct, frozen=True, kw_only=True, tag=True):
    """The item needs more memory than the child may have. The child wants to be replaced."""


FromWorker = Request | Call
Answer = Done | Failed | Fault | OutOfMemory
FromChild = Hello | Started | LogLine | Answer

encode = msgspec.msgpack.Encoder().encode
decode_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
decode_from_child: msgspec.msgpack.Decoder[FromChild] = msgspec.msgpack.Decoder(FromChild)
