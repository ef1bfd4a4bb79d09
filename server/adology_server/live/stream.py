"""``/v1/events``: what happens, as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from litestar import get
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from adology.http.bounded import CUT
from adology_server import parts
from adology_server.access import Access, allow
from adology_server.live.hub import Hub
from adology_server.live.members import StreamMember
from adology_server.live.sockets import subscription
from adology_server.live.told import Topic
from adology_server.parts import Incoming
from adology_server.problems import Refusal

LARGEST = 2**63 - 1

To = Annotated[Topic | None, QueryParameter(description="`tasks` or `brands`; both.")]
Space = Annotated[UUID | None, QueryParameter(name="brandspace", description="Only brands of this brandspace.")]
Last = Annotated[
    str | None, HeaderParameter(name="Last-Event-ID", description="The `id` of the last event that the client has.")
]
Since = Annotated[int | None, QueryParameter(ge=0, le=LARGEST, description="As Last-Event-ID, which goes before it.")]


@get("/v1/events", opt=allow(Access.VIEWER), operation_id="streamEvents", media_type="text/event-stream")
async def stream_events(
    request: Incoming, to: To = None, space: Space = None, after: Since = None, last: Last = None
) -> Stream:
    """What happens, from now on; with Last-Event-ID from behind that event on.

    Events have the same JSON as over the WebSocket. `gap`: what was missed is not kept any more;
    `bye`: the stream ends, and why. Comments keep the connection alive.
    """
    hub: Hub = request.app.state.hub
    extensions: Any = request.scope["extensions"]
    member = StreamMember(request.user, parts.settings(request).socket_buffer_bytes, extensions[CUT])
    member.subscription = await subscription(parts.tenants(request), member.org, (to,) if to else None, space)
    since = _last_id(last) if last is not None else after
    headers = {"cache-control": "private, no-store", "x-accel-buffering": "no"}
    blocks = _blocks(hub, member, since)
    # What is refused is refused here, before an answer has begun.
    first = await anext(blocks)
    return Stream(_from(first, blocks), media_type="text/event-stream", headers=headers)


def _last_id(given: str) -> int:
    if not (given.isascii() and given.isdigit() and int(given[:20]) <= LARGEST):
        raise Refusal("invalid", "Last-Event-ID is the id of an event.", field="Last-Event-ID")
    return int(given[:20])


async def _from(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(rest):
        yield first
        async for block in rest:
            yield block


async def _blocks(hub: Hub, member: StreamMember, after: int | None) -> AsyncGenerator[bytes, None]:
    """The greeting, once the member has a seat; then what there is to tell."""
    member.held = after is not None
    async with hub.seats.taken(member.who):
        with hub.joined(member):
            # Beside the response, which takes what it sends.
            missed = asyncio.create_task(hub.catch_up(member, after)) if after is not None else None
            try:
                yield b"retry: 2000\n: hello\n\n"
                while (block := await member.take()) is not None:
                    yield block
            finally:
                if member.cutting is not None:
                    member.cutting.cancel()
                if missed is not None:
                    missed.cancel()
                    await asyncio.gather(missed, return_exceptions=True)
