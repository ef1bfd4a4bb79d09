"""What all stand-ins share: a real HTTP server, a request log, faults, and their control over HTTP.

Control, on every stand-in: ``POST /_faults`` (a JSON Fault), ``GET /_faults``, ``DELETE /_faults``,
``GET /_requests``, ``POST /_reset``, ``GET /healthz``.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import ClassVar, Self

import msgspec
from aiohttp import web

from upstreams.faults import Fault, Faults
from upstreams.wire import WIRE_KINDS, answer_at_once, degrade

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Clock = Callable[[], float]

LOG_LENGTH = 100_000
SECRET_PARAMETERS = frozenset({"access_token", "api_key", "appsecret_proof", "sig"})
_CONTROL = frozenset({"/_faults", "/_requests", "/_reset", "/_paid", "/healthz"})


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request that was served. `at` is Unix time; `query` is without secrets.

    `credential` is where the secret travelled: query (even if in a header as well), header or nowhere (empty).
    `status` is 0 when the connection was cut before an answer.
    """

    at: float
    method: str
    path: str
    query: dict[str, str]
    credential: str
    status: int
    fault: str = ""


class StandIn:
    """Base of a stand-in vendor. Subclasses add routes and the kinds of faults of their vendor.

    Use as an async context manager, or `start` and `stop`. `clock` gives Unix time, for tests
    of what expires.
    """

    name: ClassVar[str] = "stand-in"
    vendor_kinds: ClassVar[frozenset[str]] = frozenset()
    """Kinds that `vendor_fault` answers, beside the `WIRE_KINDS` that every stand-in knows."""
    most_body_bytes: ClassVar[int] = 1024**2

    def __init__(self, *, clock: Clock = time.time) -> None:
        self.clock = clock
        self.faults = Faults()
        self.requests: deque[LoggedRequest] = deque(maxlen=LOG_LENGTH)
        self._host = ""
        self._port = 0
        self._runner: web.AppRunner | None = None

    # For subclasses

    def add_routes(self, app: web.Application) -> None:
        """Add the vendor's own routes to `app`."""
        raise NotImplementedError

    def fault_applies(self, request: web.Request, fault: Fault) -> bool:  # noqa: ARG002 - for subclasses
        """Whether `fault` concerns `request`; asked before the fault is used up."""
        return True

    async def vendor_fault(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        """The vendor's own way of failing; called for the `vendor_kinds`."""
        raise NotImplementedError(f"{self.name}: {fault.kind} for {request.path}")

    def reset(self) -> None:
        """Forget faults, requests and counters, as if just started."""
        self.faults.clear()
        self.requests.clear()

    # For users

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def origin(self) -> str:
        """Its address without a path, as ``http://127.0.0.1:PORT``."""
        return f"http://{self._host}:{self._port}"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen on `port`, 0 for any free one."""
        app = web.Application(middlewares=[self._observe], client_max_size=self.most_body_bytes)
        app.router.add_get("/healthz", self._get_health)
        app.router.add_get("/_faults", self._get_faults)
        app.router.add_post("/_faults", self._post_fault)
        app.router.add_delete("/_faults", self._delete_faults)
        app.router.add_get("/_requests", self._get_requests)
        app.router.add_post("/_reset", self._post_reset)
        app.router.add_get("/_loop", self._get_loop)
        self.add_routes(app)
        # No access log: its lines would hold the secrets of the query.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._runner = runner
        await web.TCPSite(runner, host, port).start()
        self._host = host if host != "0.0.0.0" else "127.0.0.1"  # noqa: S104 - compared, not bound
        self._port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port and every connection. Harmless when not started."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    # Serving

    @web.middleware
    async def _observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in _CONTROL:
            return await handler(request)
        fault = self.faults.take(request.path, lambda fault: self.fault_applies(request, fault))
        status = 0
        try:
            response = await self._serve(request, handler, fault)
            # The client of a cut connection saw no status, whatever object stands for the answer.
            status = 0 if fault is not None and fault.kind == "reset" else response.status
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            self.requests.append(self._entry(request, status, fault))
        return response

    async def _serve(self, request: web.Request, handler: Handler, fault: Fault | None) -> web.StreamResponse:
        if fault is None:
            return await handler(request)
        if fault.kind in self.vendor_kinds:
            return await self.vendor_fault(request, fault)
        at_once = answer_at_once(request, fault)
        if at_once is not None:
            return at_once
        return await degrade(request, await handler(request), fault)

    def _entry(self, request: web.Request, status: int, fault: Fault | None) -> LoggedRequest:
        in_query = any(name in request.query for name in SECRET_PARAMETERS)
        in_header = "Authorization" in request.headers
        return LoggedRequest(
            at=self.clock(),
            method=request.method,
            path=request.path,
            query={name: value for name, value in request.query.items() if name not in SECRET_PARAMETERS},
            credential="query" if in_query else "header" if in_header else "",
            status=status,
            fault=fault.kind if fault else "",
        )

    # Control

    async def _get_health(self, _: web.Request) -> web.Response:
        return to_json({"status": "ok", "name": self.name})

    async def _get_faults(self, _: web.Request) -> web.Response:
        return to_json(self.faults.active())

    async def _post_fault(self, request: web.Request) -> web.Response:
        try:
            fault = msgspec.json.decode(await request.read(), type=Fault)
        except msgspec.DecodeError as error:
            return to_json({"error": f"not a fault: {error}"}, HTTPStatus.BAD_REQUEST)
        known = self.vendor_kinds | WIRE_KINDS
        if fault.kind not in known:
            problem = f"{self.name} has no fault {fault.kind!r}; it has {', '.join(sorted(known))}"
            return to_json({"error": problem}, HTTPStatus.BAD_REQUEST)
        self.faults.add(fault)
        return to_json(fault, HTTPStatus.CREATED)

    async def _delete_faults(self, _: web.Request) -> web.Response:
        self.faults.clear()
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _get_requests(self, _: web.Request) -> web.Response:
        return to_json(list(self.requests))

    async def _post_reset(self, _: web.Request) -> web.Response:
        self.reset()
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _get_loop(self, request: web.Request) -> web.Response:
        hop = request.query.get("n", "0")
        following = int(hop) + 1 if hop.isdigit() else 1
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": f"/_loop?n={following}"})


def to_json(value: object, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> web.Response:
    """An answer with `value` encoded as JSON, UTF-8."""
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        headers=headers,
        content_type="application/json",
        charset="utf-8",
    )
