"""``/v1/ws``: what happens, over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Annotated, Any
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
from litestar import Request, asgi
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send
from msgspec import Meta

from adology.http.sockets import KEY, SocketProtocol
from adology_server.access import Access, allow
from adology_server.live.hub import Hub
from adology_server.live.members import FLOOD, SocketMember
from adology_server.live.origins import check_origin
from adology_server.live.tickets import redeem
from adology_server.live.told import TOPICS, Subscription, Topic
from adology_server.people.model import Body
from adology_server.problems import PROBLEM, Refusal, not_found
from adology_server.refusals import refusal_of
from adology_server.requests import request_id
from adology_server.tenancy import Tenants

MOST_MESSAGES, WITHIN_S = 60, 10.0
"""Who sends more than so many messages in so many seconds is closed."""

Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Subscribe(Body, frozen=True, kw_only=True, tag="subscribe", tag_field="type"):
    """Hear these from now on, instead of what was heard until now; with `brandspace` only its brands."""

    to: Annotated[tuple[Topic, ...], Meta(min_length=1, max_length=2)] = ("tasks", "brands")
    brandspace: UUID | None = None


class Resume(Body, frozen=True, kw_only=True, tag="resume", tag_field="type"):
    """Send again what came after that event, and go on from there."""

    after: Seq


class Ping(Body, frozen=True, kw_only=True, tag="ping", tag_field="type"):
    """Answer with ``{"type":"pong"}``: pages cannot send the protocol's own pings."""


_decode = msgspec.json.Decoder(Subscribe | Resume | Ping).decode


@asgi("/v1/ws", opt=allow(Access.TICKET), copy_scope=False)
async def open_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell the client what happens until one of us closes.

    Before the first message it was let in by ``?ticket=``, once; ``?after=`` resumes behind an event.
    """
    if scope["type"] != ScopeType.WEBSOCKET:
        detail = "This address takes WebSockets: connect with a ticket of POST /v1/ws-tickets."
        raise Refusal("bad-request", detail, headers={"upgrade": "websocket"})
    state = scope["litestar_app"].state
    hub: Hub = state.hub
    await receive()
    async with contextlib.AsyncExitStack() as stack:
        try:
            hub.seats.check_room()  # before a ticket is used up for nothing
            after, member = await _admit(scope, state)
            await stack.enter_async_context(hub.seats.taken(member.who))
        except Exception as error:  # noqa: BLE001 - whatever it is becomes the answer to the handshake
            await _refuse(scope, send, error)
            return
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        member.held = after is not None
        with hub.joined(member):
            member.say({"type": "hello", "latest": hub.last})
            if after is not None:
                await hub.catch_up(member, after)
            await _converse(member, hub, state.tenants, receive)


async def _admit(scope: Any, state: Any) -> tuple[int | None, SocketMember]:
    own = state.settings.server
    check_origin(scope, own)
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    try:
        after = msgspec.convert(query["after"][0], Seq, strict=False) if "after" in query else None
    except msgspec.ValidationError:
        raise Refusal("invalid", "after is the `seq` of an event.", field="after") from None
    caller = await redeem(state.tenants, query.get("ticket", [""])[0])
    socket: SocketProtocol = scope["extensions"][KEY]
    return after, SocketMember(caller, own.socket_buffer_bytes, socket)


async def _refuse(scope: Any, send: Send, error: Exception) -> None:
    """Answer the handshake with a problem, as any other request."""
    asked: Any = {**scope, "type": "http", "method": "GET"}
    refusal = refusal_of(Request(asked), error)
    headers = [(b"content-type", PROBLEM.encode())]
    headers += [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
    body = msgspec.json.encode(refusal.problem(request_id(scope)))
    messages: tuple[Any, ...] = (
        {"type": "websocket.http.response.start", "status": int(refusal.status), "headers": headers},
        {"type": "websocket.http.response.body", "body": body, "more_body": False},
    )
    for message in messages:
        await send(message)


async def _converse(member: SocketMember, hub: Hub, tenants: Tenants, receive: Receive) -> None:
    loop = asyncio.get_running_loop()
    times: deque[float] = deque(maxlen=MOST_MESSAGES)
    while True:
        message: Any = await receive()
        if message["type"] == "websocket.disconnect":
            return
        if len(times) == MOST_MESSAGES and loop.time() - times[0] < WITHIN_S:
            member.end(FLOOD, f"more than {MOST_MESSAGES} messages in {WITHIN_S:g} s")
            return
        times.append(loop.time())
        await _answer(member, hub, tenants, message.get("text"))


async def _answer(member: SocketMember, hub: Hub, tenants: Tenants, text: str | None) -> None:
    """Do what a message asks for; what cannot be done is said, and the connection stays."""
    try:
        await _follow(member, hub, tenants, _decode(text or ""))
    except (msgspec.MsgspecError, RecursionError) as error:
        detail = str(error) if text else "Messages are JSON objects, as text."
        member.say({"type": "error", "problem": "invalid", "detail": detail})
    except Refusal as refusal:
        member.say({"type": "error", "problem": refusal.kind, "detail": refusal.message})


async def _follow(member: SocketMember, hub: Hub, tenants: Tenants, asked: Subscribe | Resume | Ping) -> None:
    match asked:
        case Subscribe():
            member.subscription = await subscription(tenants, member.org, asked.to, asked.brandspace)
            heard = {"to": sorted(member.subscription.topics), "brandspace": asked.brandspace}
            member.say({"type": "subscribed", **heard})
        case Resume():
            await hub.catch_up(member, asked.after)
        case Ping():
            member.say({"type": "pong"})


async def subscription(
    tenants: Tenants, org_id: str, topics: tuple[Topic, ...] | None, space: UUID | None
) -> Subscription:
    """What was asked for, if the brandspace is one of the organisation.

    Raises:
        Refusal: 404, it is not.
    """
    if space is not None and not await tenants.rows(org_id, "select id from brandspaces where id = %s", [space]):
        raise not_found("brandspace", space)
    return Subscription(topics=frozenset(topics) if topics else TOPICS, space=space)
