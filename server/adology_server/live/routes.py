"""The routes about what happens."""

from __future__ import annotations

from adology_server.live import notify, sockets, stream, tickets

ROUTES = (notify.notify, notify.notify_new_ads, tickets.make_ticket)
"""Of the role `api`."""

LIVE = (sockets.open_socket, stream.stream_events)
"""Of the role `live`."""
