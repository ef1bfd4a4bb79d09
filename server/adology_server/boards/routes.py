"""The routes about boards, notes and tags."""

from __future__ import annotations

from adology_server.boards import notes, pins

ROUTES = (*pins.ROUTES, *notes.ROUTES)
