"""What requests and answers of operators look like."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from adology_server.people.model import Answer, Body

Why = Annotated[str, Meta(min_length=1, max_length=500, description="Why; the organisation's admins can read it.")]


class Suspension(Body, frozen=True, kw_only=True):
    """An organisation is shut out until the suspension ends."""

    reason: Why


class OrganisationLine(Answer, frozen=True, kw_only=True):
    """An organisation in numbers: nothing of what it has is shown.

    `users` may log in, `keys` are not revoked, `open_tasks` have not ended; `last_seen_at` is the last
    login or use of a key. `deleted_at`: nobody gets in any more; `purged_at`: nothing of it is left.
    """

    id: str
    name: str
    created_at: datetime
    suspended_at: datetime | None
    suspended_why: str
    deleted_at: datetime | None
    purged_at: datetime | None
    users: int
    keys: int
    brandspaces: int
    boards: int
    open_tasks: int
    private_ads: int
    last_seen_at: datetime | None


class AnyKey(Answer, frozen=True, kw_only=True):
    """A key without its secret: of an organisation's user, of the operator of that name, or of workers."""

    id: UUID
    org_id: str | None
    user_id: UUID | None
    operator: str | None
    name: str
    hint: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
