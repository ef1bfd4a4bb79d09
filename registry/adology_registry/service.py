"""Runs the registry: one process, one address, an orderly end."""

from __future__ import annotations

from collections.abc import Callable

from adology.http.serving import Serving, serve_app
from adology.settings.model import AdologySettings
from adology_registry.app import create_app

DRAIN_S = 1
"""Answers under way at SIGTERM get this long; with uvicorn's own steps the end comes within 2 s."""


async def serve(settings: AdologySettings, *, ready: Callable[[str], object] | None = None) -> None:
    """Serve until SIGTERM, SIGINT or cancellation.

    Args:
        settings: `registry.host` and `registry.port` say where; port 0 takes a free one.
        ready: called once with the real address, such as ``http://127.0.0.1:8700``.

    Raises:
        ListenError: the address cannot be listened on.
    """
    how = Serving(
        name="registry",
        section="registry",
        host=settings.registry.host,
        port=settings.registry.port,
        drain_s=DRAIN_S,
    )
    await serve_app(create_app(settings), how, ready=ready)
