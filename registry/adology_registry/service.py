"""Runs the registry: one process, one address, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from adology.errors import EngineError
from adology.log import logger
from adology.settings.model import AdologySettings
from adology_registry.app import create_app

BACKLOG = 2048
KEEP_ALIVE_S = 75
"""Longer than clients keep idle connections, so that the client is the one who closes."""
DRAIN_S = 1
"""Answers under way at SIGTERM get this long; with uvicorn's own steps the end comes within 2 s."""


async def serve(settings: AdologySettings, *, ready: Callable[[str], object] | None = None) -> None:
    """Serve until SIGTERM, SIGINT or cancellation.

    Args:
        settings: `registry.host` and `registry.port` say where; port 0 takes a free one.
        ready: called once with the real address, such as ``http://127.0.0.1:8700``.

    Raises:
        EngineError: the address cannot be listened on.
    """
    app = create_app(settings)
    listener = _listen(settings.registry.host, settings.registry.port)
    origin = _origin(listener)
    server = _Server(app, on_started=lambda: _announce(origin, ready))
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
    logger.bind(address=origin).info("registry stopped")


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling, which would end the process by the signal itself."""

    def __init__(self, app: object, *, on_started: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,  # type: ignore[arg-type]  # Litestar's ASGI types and uvicorn's say the same in different words
            loop="none",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=DRAIN_S,
        )
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, then tell."""
        await super().startup(sockets)
        if self.started:
            self._on_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: `serve` listens to signals."""
        yield


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


def _listen(host: str, port: int) -> socket.socket:
    # With its protocol spelled out: asyncio switches Nagle's delays off only on sockets that say TCP.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise EngineError(
            f"the registry cannot listen on {host}:{port}: {error.strerror or error}.",
            hint="Is one running already? registry.host and registry.port say where; port 0 takes a free one.",
            code="ADO-5709",
        ) from error
    listener.setblocking(False)
    return listener


def _origin(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _announce(origin: str, ready: Callable[[str], object] | None) -> None:
    logger.bind(address=origin).info("registry listening")
    if ready is not None:
        ready(origin)
