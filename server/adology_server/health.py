"""Whether the server lives, and whether it can work."""

from __future__ import annotations

from typing import Literal

from litestar import Response, get
from litestar.datastructures import State

from adology.errors import AdologyError, describe
from adology.types import Struct
from adology_server.access import Access, allow


class Health(Struct, frozen=True, kw_only=True):
    """It lives."""

    status: Literal["ok"] = "ok"


class Part(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Something that the server needs."""

    name: str
    ok: bool
    error: str = ""


class Readiness(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Whether requests can be served."""

    ready: bool
    parts: tuple[Part, ...]


@get("/healthz", opt=allow(Access.PUBLIC), sync_to_thread=False, operation_id="healthz", security=[])
def get_health() -> Health:
    """The process answers."""
    return Health()


@get("/readyz", opt=allow(Access.PUBLIC), operation_id="readyz", security=[])
async def get_readiness(state: State) -> Response[Readiness]:
    """What the server depends on answers; 503 while something does not."""
    try:
        await state.tenants.ping()
        part = Part(name="postgres", ok=True)
    except AdologyError as error:
        part = Part(name="postgres", ok=False, error=describe(error))
    return Response(Readiness(ready=part.ok, parts=(part,)), status_code=200 if part.ok else 503)


ROUTES = (get_health, get_readiness)
