"""Runs an ASGI application of ours: one process, one address, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal

import uvicorn

from adology.errors import EngineError
from adology.http.bounded import BoundedHttp
from adology.http.sockets import SocketProtocol
from adology.log import logger
from adology.types import Struct

BACKLOG = 2048
MANY_FILES = 1 << 20
"""Open files, where the system sets no limit."""
KEEP_ALIVE_S = 75
"""Longer than clients keep idle connections, so that the client is the one who closes."""


class ListenError(EngineError):
    """The address cannot be listened on."""

    code = "ADO-5533"


class Serving(Struct, frozen=True, kw_only=True):
    """How an application is served.

    `name` is what messages call it, `section` the settings that hold its address. `drain_s` is how
    long answers under way at SIGTERM may take.
    """

    name: str
    section: str
    host: str
    port: int
    drain_s: float
    sockets: bool = False
    """Whether it takes WebSockets."""
    lifespan: bool = False
    proxies: tuple[str, ...] = ()
    largest_message: int = 64 * 1024
    """Bytes of a WebSocket message that a client may send."""


async def serve_app(
    app: Any,
    how: Serving,
    *,
    ready: Callable[[str], object] | None = None,
    stopping: Callable[[], object] | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or cancellation.

    Args:
        app: the ASGI application.
        how: where and how; port 0 takes a free one.
        ready: called once with the real address, such as ``http://127.0.0.1:8700``.
        stopping: called when the end begins, before answers under way are waited for.

    Raises:
        ListenError: the address cannot be listened on.
        EngineError: the application cannot start; the log says why.
    """
    listener = _listen(how)
    origin = _origin(listener)
    server = _Server(app, how, on_started=lambda: _announce(how.name, origin, ready), on_stopping=stopping)
    with _stops_on_signals(server):
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            server.should_exit = True
            await task
            raise
        finally:
            listener.close()
    if not server.started:
        raise EngineError(f"the {how.name} could not start", hint="The log above says why.")
    logger.bind(address=origin).info(f"{how.name} stopped")


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling, which would end the process by the signal itself."""

    def __init__(
        self, app: Any, how: Serving, *, on_started: Callable[[], None], on_stopping: Callable[[], object] | None
    ) -> None:
        ws: type[SocketProtocol] | Literal["none"] = SocketProtocol if how.sockets else "none"
        config = uvicorn.Config(
            app,
            loop="none",
            http=BoundedHttp,
            ws=ws,
            ws_max_size=how.largest_message,
            ws_ping_interval=None,  # the application pings: it knows what a slow client may cost
            ws_per_message_deflate=False,  # one encoded frame goes to thousands of clients as it is
            lifespan="on" if how.lifespan else "off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(how.proxies),
            forwarded_allow_ips=list(how.proxies),
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, round(how.drain_s)),
        )
        super().__init__(config)
        self._on_started = on_started
        self._on_stopping = on_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, then tell."""
        await super().startup(sockets)
        if self.started:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell, then as uvicorn does it."""
        if self._on_stopping is not None:
            self._on_stopping()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: `serve_app` listens to signals."""
        yield


def raise_file_limit() -> int:
    """How many files and connections this process may have open: as many as the system lets it ask for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # an unlimited one is more than some systems can give
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MANY_FILES if soft == resource.RLIM_INFINITY else soft


@contextlib.contextmanager
def _stops_on_signals(server: uvicorn.Server) -> Iterator[None]:
    """SIGTERM and SIGINT end `server` in order. Only the main thread can listen to signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    try:
        yield
    finally:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(name)


def _listen(how: Serving) -> socket.socket:
    # With its protocol spelled out: asyncio switches Nagle's delays off only on sockets that say TCP.
    family = socket.AF_INET6 if ":" in how.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((how.host, how.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        where = f"{how.section}.host and {how.section}.port"
        raise ListenError(
            f"the {how.name} cannot listen on {how.host}:{how.port}: {error.strerror or error}.",
            hint=f"Is one running already? {where} say where; port 0 takes a free one.",
        ) from error
    listener.setblocking(False)
    return listener


def _origin(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _announce(name: str, origin: str, ready: Callable[[str], object] | None) -> None:
    logger.bind(address=origin).info(f"{name} listening")
    if ready is not None:
        ready(origin)
