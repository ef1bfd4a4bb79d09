"""Workers say how a task stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, LiteralString
from uuid import UUID

import msgspec
from litestar import post
from litestar.params import JSONBody
from msgspec import Meta
from psycopg.types.json import Jsonb

from adology.types import Struct
from adology_server import parts
from adology_server.access import Access, allow
from adology_server.live.hub import Hub
from adology_server.live.told import Event
from adology_server.parts import Anybodys
from adology_server.problems import Refusal, not_found
from adology_server.tenancy import convert

MOST_BYTES = 32 * 1024
"""Of result and progress: they go to every client. What is larger belongs into S3, and its address here."""


class Notice(Struct, frozen=True, kw_only=True):
    """``{"request_id":"abc123","status":"completed","result":"…"}``; fields of newer workers are let pass."""

    request_id: Annotated[str, Meta(min_length=1, max_length=200)]
    status: Literal["processing", "completed", "failed"]
    result: Any = None
    error: Annotated[str, Meta(max_length=2000)] | None = None
    progress: dict[str, Any] | None = None


@post("/notify", opt=allow(Access.SERVICE), status_code=204, operation_id="notify")
async def notify(request: Anybodys, data: JSONBody[Notice]) -> None:
    """Take a worker's word on a task: it is stored, and told to those who may see it. Said again, nothing changes."""
    for field, value in (("result", data.result), ("progress", data.progress)):
        if len(msgspec.json.encode(value)) > MOST_BYTES:
            raise Refusal("invalid", f"{field} has more than {MOST_BYTES} bytes of JSON.", field=field)
    if "\\u0000" in msgspec.json.encode([data.result, data.error, data.progress]).decode():
        raise Refusal("invalid", "The database takes no NUL character.", field="result")
    try:
        task = UUID(data.request_id)
    except ValueError:
        raise not_found("task", data.request_id) from None
    statement: LiteralString = "select task_notified(%s, %s, %s, %s, %s) as outcome"
    values = [
        task,
        data.status,
        Jsonb(data.result) if data.result is not None else None,
        data.error,
        Jsonb(data.progress) if data.progress is not None else None,
    ]
    row = await _told(request, statement, values)
    if row["outcome"] == "unknown":
        raise not_found("task", data.request_id)
    if row["outcome"] != "noted":
        raise Refusal("conflict", f"The task has ended: it is {row['outcome']}.")


class NewAds(Struct, frozen=True, kw_only=True):
    """A batch brought so many new public ads of a brand; fields of newer workers are let pass."""

    brand: Annotated[str, Meta(min_length=1, max_length=200)]
    batch: Annotated[str, Meta(min_length=1, max_length=200)]
    ads: Annotated[int, Meta(ge=1, le=1_000_000)]


@post("/notify/new-ads", opt=allow(Access.SERVICE), status_code=204, operation_id="notifyNewAds")
async def notify_new_ads(request: Anybodys, data: JSONBody[NewAds]) -> None:
    """Take a worker's word that a brand has new ads, as `brand.new_ads` tells it. Each batch is told once."""
    if "\x00" in data.brand + data.batch:
        raise Refusal("invalid", "The database takes no NUL character.", field="batch")
    row = await _told(request, "select brand_notified(%s, %s, %s) as known", [data.brand, data.batch, data.ads])
    if not row["known"]:
        raise not_found("brand", data.brand)


async def _told(request: Anybodys, statement: LiteralString, values: Sequence[Any]) -> dict[str, Any]:
    """The row of a statement that may write an event. The clients of this process hear of it at once."""
    hub: Hub | None = request.app.state.hub
    tenants = parts.tenants(request)
    if hub is None:
        (row,) = await tenants.rows(None, statement, values)
        return row
    (row,), events = await tenants.several(None, (statement, values), hub.fresh())
    await hub.hand_out([convert(event, Event) for event in events])
    return row
