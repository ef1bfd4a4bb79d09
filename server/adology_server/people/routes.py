"""The routes about people."""

from __future__ import annotations

from adology_server.people import invitations, keys, organisation, sessions

ROUTES = (*sessions.ROUTES, *organisation.ROUTES, *invitations.ROUTES, *keys.ROUTES)
