"""What requests and answers about people look like."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from adology.types import Struct
from adology_server.people.passwords import AnyPassword, Password

Role = Literal["owner", "admin", "member", "viewer"]
Scope = Literal["read", "write", "manage"]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Email = Annotated[
    str,
    Meta(min_length=3, max_length=254, pattern=r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f.]+(\.[^@\s\x00-\x1f.]+)*$"),
]
Secret = Annotated[str, Meta(min_length=8, max_length=200)]


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request's body: fields that nothing knows are refused."""


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """An answer's body: all fields are there."""


class Login(Body, frozen=True, kw_only=True):
    """E-mail and password."""

    email: Email
    password: AnyPassword


class Refresh(Body, frozen=True, kw_only=True):
    """A refresh token, good for one use."""

    refresh_token: Secret


class Acceptance(Body, frozen=True, kw_only=True):
    """An invitation is taken: the token, and the e-mail that was invited."""

    token: Secret
    email: Email
    name: Name
    password: Password


class NewPassword(Body, frozen=True, kw_only=True):
    """A change of one's own password; all other sessions end."""

    current: AnyPassword
    new: Password


class Tokens(Answer, frozen=True, kw_only=True):
    """Secrets of a session. The refresh token is good for one use, which gives another."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of the scheme
    expires_in: float


class Person(Answer, frozen=True, kw_only=True):
    """A user as members of the organisation see them."""

    id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None
    version: int


class Organisation(Answer, frozen=True, kw_only=True):
    """The caller's organisation."""

    id: str
    name: str
    created_at: datetime
    version: int


class Me(Answer, frozen=True, kw_only=True):
    """The caller."""

    user: Person
    organisation: Organisation
    brandspace_id: UUID | None
    scopes: tuple[str, ...]


class OrganisationChange(Body, frozen=True, kw_only=True):
    """What may be changed of an organisation."""

    name: Name


class PersonChange(Body, frozen=True, kw_only=True):
    """What may be changed of a user; absent fields stay."""

    role: Role | None = None
    disabled: bool | None = None
    name: Name | None = None


class NewInvitation(Body, frozen=True, kw_only=True):
    """Who is to come, as what."""

    email: Email
    role: Role = "member"


class Invitation(Answer, frozen=True, kw_only=True):
    """Somebody was asked to join."""

    id: UUID
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime


class Invited(Answer, frozen=True, kw_only=True):
    """A new invitation; `token` is shown this once, for the invited person."""

    invitation: Invitation
    token: str


class NewKey(Body, frozen=True, kw_only=True):
    """A key for scripts. It can do what its scopes say, of what its maker may do."""

    name: Name
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=3)] = ("read",)
    expires_at: datetime | None = None


class Key(Answer, frozen=True, kw_only=True):
    """A key without its secret; `hint` are its last characters."""

    id: UUID
    user_id: UUID
    name: str
    hint: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class MadeKey(Answer, frozen=True, kw_only=True):
    """A new key; `secret` is shown this once."""

    key: Key
    secret: str


class SessionRow(Answer, frozen=True, kw_only=True):
    """Where one is logged in. `current`: this request's."""

    id: UUID
    user_agent: str
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool
