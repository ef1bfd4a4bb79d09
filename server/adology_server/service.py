"""Runs the server: one process, one address, an orderly end."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from adology.http.serving import Serving, raise_file_limit, serve_app
from adology.log import logger
from adology.settings.model import AdologySettings
from adology_server.app import create_app

OTHER_FILES = 256
"""Open at once beside sockets and streams: requests, the database, plugins, libraries."""


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
    app = create_app(_within(settings, raise_file_limit()))
    # Sockets and streams would be waited for in vain: they are told to come back elsewhere.
    stopping = app.state.hub.stop if app.state.hub is not None else None
    await serve_app(app, how, ready=ready, stopping=stopping)


def _within(settings: AdologySettings, files: int) -> AdologySettings:
    """No more connections than the system lets this process have: past its limit nobody is let in any more."""
    most = max(1, files - OTHER_FILES)
    if "live" not in settings.server.roles or settings.server.sockets_per_process <= most:
        return settings
    logger.bind(open_files=files, sockets_per_process=most).warning(
        f"the system lets this process open {files} files: it takes {most} connections;"
        " raise the limit (ulimit -Hn), or lower server.sockets_per_process"
    )
    own = msgspec.structs.replace(settings.server, sockets_per_process=most)
    return msgspec.structs.replace(settings, server=own)
