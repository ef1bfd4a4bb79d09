"""Who asks: sessions of people, keys of people, of operators and of workers."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from litestar.connection import ASGIConnection

from adology.types import Struct
from adology_server.problems import Refusal
from adology_server.tenancy import Tenants

Kind = Literal["user", "key", "operator", "service"]
ACCESS, REFRESH, KEY, INVITATION, TICKET = "ado_at_", "ado_rt_", "ado_key_", "ado_inv_", "ado_wst_"
"""What secrets begin with: scanners of code and logs can tell them."""
_BYTES = 32
_MOST_CACHED = 20_000


class Caller(Struct, frozen=True, kw_only=True):
    """Somebody known. `org_id` is None for operators and workers, who see nothing private."""

    kind: Kind
    org_id: str | None = None
    user_id: UUID | None = None
    operator_id: UUID | None = None
    session_id: UUID | None = None
    key_id: UUID | None = None
    role: str
    scopes: tuple[str, ...] = ()
    brandspace_id: UUID | None = None
    expires_at: datetime | None = None

    @property
    def org(self) -> str:
        """The organisation of somebody who has one; routes of people are open to nobody else."""
        if self.org_id is None:
            raise Refusal("not-allowed", f"This is about an organisation; this {self.kind}'s key has none.")
        return self.org_id

    @property
    def actor(self) -> str:
        """As the audit log names it."""
        return f"{self.kind}:{self.user_id or self.operator_id or self.key_id}"


def make_secret(prefix: str) -> str:
    """A new secret of 256 bits."""
    return prefix + secrets.token_urlsafe(_BYTES)


def digest(secret: str) -> bytes:
    """What is kept of a secret. They are random and long: a fast hash cannot be guessed back."""
    return hashlib.sha256(secret.encode()).digest()


class Callers:
    """Finds callers by what they bring, and remembers them for a moment."""

    def __init__(self, tenants: Tenants, cache_s: float) -> None:
        self._tenants = tenants
        self._cache_s = cache_s
        self._known: dict[bytes, tuple[float, Caller]] = {}
        self._forgotten = 0

    async def find(self, secret: str) -> Caller | None:
        """The caller with this secret; None: there is none any more."""
        hashed = digest(secret)
        kept = self._known.get(hashed)
        if kept is not None and kept[0] > time.monotonic() and not _is_over(kept[1]):
            return kept[1]
        forgotten = self._forgotten
        statement = "select * from auth_by_key(%s)" if secret.startswith(KEY) else "select * from auth_by_token(%s)"
        rows = await self._tenants.rows(None, statement, [hashed])
        if not rows:
            self._known.pop(hashed, None)
            return None
        caller = Caller(**{**rows[0], "scopes": tuple(rows[0]["scopes"] or ())})
        if forgotten != self._forgotten:
            return caller  # rights have changed since the database was asked: good for this once
        if len(self._known) >= _MOST_CACHED:
            self._known.clear()
        self._known[hashed] = (time.monotonic() + self._cache_s, caller)
        return caller

    def forget(self) -> None:
        """Somebody's rights have changed: ask anew about everybody."""
        self._known.clear()
        self._forgotten += 1


async def authenticate(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """The caller that the request's ``Authorization: Bearer …`` names.

    Raises:
        Refusal: 401, there is none, or it is known to nobody (any more).
    """
    header = connection.headers.get("authorization", "")
    scheme, _, secret = header.partition(" ")
    secret = secret.strip()
    if not header:
        raise _unknown("not-authenticated", "Send `Authorization: Bearer` with an access token or a key.")
    if scheme.lower() != "bearer" or not secret.startswith((ACCESS, KEY)):
        raise _unknown("not-authenticated", "Only `Authorization: Bearer` with an access token or a key is taken.")
    callers: Callers = connection.app.state.callers
    caller = await callers.find(secret)
    if caller is None:
        raise _unknown("session-ended", "The token or key is unknown, expired or revoked: log in again.")
    return caller


def _unknown(kind: str, detail: str) -> Refusal:
    return Refusal(kind, detail, headers={"www-authenticate": 'Bearer realm="adology"'})


def _is_over(caller: Caller) -> bool:
    return caller.expires_at is not None and caller.expires_at <= datetime.now(UTC)
