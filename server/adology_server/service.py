"""Runs the server: one process, one address, an orderly end."""

from __future__ import annotations

from collections.abc import Callable

from adology.http.serving import Serving, serve_app
from adology.settings.model import AdologySettings
from adology_server.app import create_app


async def serve(settings: AdologySettings, *, ready: Callable[[str], object] | None = None) -> None:
    """Serve until SIGTERM, SIGINT or cancellation.

    Args:
        settings: `server.*` says where and what.
        ready: called once with the real address.

    Raises:
        ListenError: the address cannot be listened on.
    """
    own = settings.server
    how = Serving(
        name="server",
        section="server",
        host=own.host,
        port=own.port,
        drain_s=own.drain_s,
        sockets="live" in own.roles,
        lifespan=True,
        proxies=own.proxies,
    )
    app = create_app(settings)
    # Sockets and streams would be waited for in vain: they are told to come back elsewhere.
    stopping = app.state.hub.stop if app.state.hub is not None else None
    await serve_app(app, how, ready=ready, stopping=stopping)
