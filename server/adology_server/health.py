"""Whether the server lives, and whether it can work; and a page that says so to people."""

from __future__ import annotations

import asyncio
import html
from importlib.metadata import version
from typing import Any, Literal

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec

from adology.errors import AdologyError, describe
from adology.plugins import PluginFailure, load_plugins
from adology.types import Struct
from adology_server.access import Access, allow

WAIT_S = 5.0
"""A part that does not answer for so long is away."""
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Adology</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em;color:#222}}
dt{{font-weight:600}}dd{{margin:0 0 .5em}}</style>
<h1>Adology {version}</h1>
<p>{state}</p>
<dl>{parts}</dl>
<ul><li><a href="/v1/openapi.json">OpenAPI 3.1</a></li><li><a href="/readyz">Readiness</a></li>
<li><a href="/healthz">Health</a></li></ul>
<p>How to run and use the server: docs/server.md and docs/problems.md of this version.</p>
</html>
"""
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class Health(Struct, frozen=True, kw_only=True):
    """It lives."""

    status: Literal["ok"] = "ok"


class Part(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Something that the server needs."""

    name: str
    ok: bool
    error: str = ""


class Broken(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A plugin that is installed and cannot be used."""

    plugin: str
    stage: str
    error: str


class Readiness(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Whether requests can be served. Broken `plugins` are told; the server does without them."""

    ready: bool
    parts: tuple[Part, ...]
    plugins: tuple[Broken, ...]


class Plugged:
    """What became of the installed plugins; found out once, when somebody asks."""

    def __init__(self, settings: Any) -> None:
        self._own = settings.plugins
        self._failures: tuple[PluginFailure, ...] | None = None
        self._lock = asyncio.Lock()

    async def failures(self) -> tuple[PluginFailure, ...]:
        """Those that could not be loaded."""
        async with self._lock:
            if self._failures is None:
                loaded = await asyncio.to_thread(load_plugins, only=self._own.only, without=self._own.without)
                self._failures = tuple(loaded.failures)
        return self._failures


@get("/healthz", opt=allow(Access.PUBLIC), sync_to_thread=False, operation_id="healthz", security=[])
def get_health() -> Health:
    """The process answers."""
    return Health()


@get(
    "/readyz",
    opt=allow(Access.PUBLIC),
    operation_id="readyz",
    security=[],
    responses={503: ResponseSpec(Readiness, description="Something that is needed does not answer.")},
)
async def get_readiness(state: State) -> Response[Readiness]:
    """What the server depends on answers; 503 while something does not."""
    found = await _readiness(state)
    return Response(found, status_code=200 if found.ready else 503)


@get("/", opt=allow(Access.PUBLIC), operation_id="statusPage", security=[], media_type="text/html")
async def get_page(request: Request[Any, Any, State]) -> Response[str]:
    """Version and readiness, for people."""
    found = await _readiness(request.app.state)
    rows = [(part.name, "answers" if part.ok else part.error) for part in found.parts]
    rows += [(f"plugin {one.plugin}", "cannot be used; see the log") for one in found.plugins]
    page = _PAGE.format(
        version=html.escape(version("adology")),
        state="Ready." if found.ready else "Not ready.",
        parts="".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in rows),
    )
    return Response(page, media_type="text/html", headers={"content-security-policy": _PAGE_POLICY})


async def _readiness(state: State) -> Readiness:
    part = await _database(state)
    failures = await state.plugged.failures()
    broken = tuple(Broken(plugin=one.entry_point, stage=one.stage, error=one.error[:300]) for one in failures)
    return Readiness(ready=part.ok, parts=(part,), plugins=broken)


async def _database(state: State) -> Part:
    try:
        async with asyncio.timeout(WAIT_S):
            (row,) = await state.tenants.rows(None, "select to_regclass('public.brands_added') is not null as migrated")
    except TimeoutError:
        return Part(name="postgres", ok=False, error=f"does not answer within {WAIT_S:g} s")
    except AdologyError as error:
        return Part(name="postgres", ok=False, error=describe(error))
    outdated = "" if row["migrated"] else "the database is older than this server: run `adology migrate`"
    return Part(name="postgres", ok=not outdated, error=outdated)


ROUTES = (get_health, get_readiness, get_page)
