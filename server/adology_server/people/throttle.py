"""Who failed too often has to wait: logins, the current password, invitations."""

from __future__ import annotations

import hashlib

from adology_server import parts
from adology_server.parts import Anybodys
from adology_server.problems import Refusal

MANY = 20
"""Failures of all who try one e-mail, or of all who share one address, for each of a pair of both."""


class Throttle:
    """What one request tries: `own` is this very try's, the crowds are all who try the like of it.

    Nobody is locked out by a stranger's few failures elsewhere: crowds have far more free.
    """

    def __init__(self, request: Anybodys, own: tuple[str, ...], *crowds: tuple[str, ...]) -> None:
        self._request = request
        self._own = [_digest(own)]
        self._crowds = [_digest(one) for one in crowds]

    async def check(self) -> None:
        """Let it go on.

        Raises:
            Refusal: 429, there were too many failures.
        """
        whose = [*self._own, *self._crowds]
        rows = await parts.tenants(self._request).rows(None, "select auth_wait(%s) as s", [whose])
        if rows[0]["s"] > 0:
            seconds = int(rows[0]["s"]) + 1
            detail = f"Too many failures: wait {seconds} s."
            raise Refusal("too-many", detail, headers={"retry-after": str(seconds)})

    async def note_failure(self) -> None:
        """It failed: after some failures each further one makes the next wait longer."""
        own, tenants = parts.settings(self._request), parts.tenants(self._request)
        for some, free in ((self._own, own.login_failures), (self._crowds, MANY * own.login_failures)):
            await tenants.rows(None, "select auth_failed(%s, %s, %s)", [some, free, own.login_wait_s])

    async def note_success(self) -> None:
        """It did not: what failed before is forgotten, of this very try."""
        await parts.tenants(self._request).rows(None, "select auth_succeeded(%s)", [self._own])


def _digest(what: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(what).encode()).hexdigest()
