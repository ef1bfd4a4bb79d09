"""Whether the server lives, and whether it can work; and a page that says so to people."""

from __future__ import annotations

import asyncio
import html
from importlib.metadata import version
from typing import Any, Literal

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec

from adology.plugins import PluginFailure, load_plugins
from adology.types import Struct
from adology_server.access import Access, allow
from adology_server.readiness import Part

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


class Broken(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A plugin that is installed and cannot be used."""

    plugin: str
    stage: str
    error: str


class Readiness(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Whether requests can be served; `degraded`: they can, and something that some of them use does not answer.

    Broken `plugins` are told; the server does without them.
    """

    ready: bool
    degraded: bool
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
    """What the server cannot do without answers; 503 while it does not.

    What it can do without for a while is told as `degraded`. Looked at once a second, however often it is asked.
    """
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
        state=("Ready, but not whole." if found.degraded else "Ready.") if found.ready else "Not ready.",
        parts="".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in rows),
    )
    return Response(page, media_type="text/html", headers={"content-security-policy": _PAGE_POLICY})


async def _readiness(state: State) -> Readiness:
    parts, failures = await asyncio.gather(state.probes.look(), state.plugged.failures())
    broken = tuple(Broken(plugin=one.entry_point, stage=one.stage, error=one.error[:300]) for one in failures)
    ready = all(part.ok for part in parts if part.needed)
    return Readiness(ready=ready, degraded=not all(part.ok for part in parts), parts=parts, plugins=broken)


ROUTES = (get_health, get_readiness, get_page)
