"""First customers and operators, made from the command line with the rights of the schema's owner."""

from __future__ import annotations

import re
import secrets
from typing import LiteralString
from uuid import UUID

import msgspec
import psycopg

from adology.cli.model import MadeSecret, MadeUser, OrgLine
from adology.types import Struct
from adology_server.callers import KEY, digest, make_secret
from adology_server.owning import FoundError, OwnersDatabase
from adology_server.people.model import Email, Role
from adology_server.people.passwords import LONGEST, SHORTEST, Passwords

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HINT = 4


class _Address(Struct, frozen=True, kw_only=True):
    email: Email


class Founding(OwnersDatabase):
    """Makes first customers and keys."""

    def make_org(self, name: str, org_id: str | None = None) -> OrgLine:
        """A new organisation.

        Raises:
            FoundError: the id is taken or of another form.
        """
        if org_id is not None and not _ID.fullmatch(org_id):
            raise FoundError(f"the id {org_id!r} is not 1 to 64 of letters, digits, _ and -")
        if not 1 <= len(name) <= 200:  # noqa: PLR2004 - as the table says
            raise FoundError(f"a name has 1 to 200 characters, this one {len(name)}")
        statement: LiteralString = (
            "insert into organisations (id, name) values (coalesce(%s, gen_random_uuid()::text), %s)"
            " on conflict do nothing returning id, name, 0 as users, 0 as brandspaces, created_at"
        )
        made = self.all(OrgLine, statement, [org_id, name])
        if not made:
            raise FoundError(f"there is an organisation {org_id!r} already")
        return made[0]

    def list_orgs(self) -> list[OrgLine]:
        """All organisations, by name."""
        return self.all(
            OrgLine,
            "select o.id, o.name, o.created_at, o.suspended_at,"
            " (select count(*) from users u where u.org_id = o.id) as users,"
            " (select count(*) from brandspaces b where b.org_id = o.id) as brandspaces"
            " from organisations o where deleted_at is null order by lower(name), id",
        )

    async def make_user(self, org_id: str, email: str, role: Role, name: str, password: str | None) -> MadeUser:
        """A new user of the organisation; without a password one is made up.

        Raises:
            FoundError: no such organisation, the e-mail is taken or none, the password too short.
        """
        try:
            msgspec.convert({"email": email}, _Address)
        except msgspec.ValidationError:
            raise FoundError(f"{email!r} is no e-mail address") from None
        if password is not None and not SHORTEST <= len(password) <= LONGEST:
            raise FoundError(f"a password has {SHORTEST} to {LONGEST} characters, this one {len(password)}")
        made_up = "" if password is not None else secrets.token_urlsafe(18)
        hashed = await Passwords().hash(password or made_up)
        try:
            rows = self.rows(
                "insert into users (org_id, email, role, name, password_hash) values (%s, lower(%s), %s, %s, %s)"
                " on conflict do nothing returning id, org_id, email, role",
                [org_id, email, role, name, hashed],
            )
        except psycopg.errors.ForeignKeyViolation:
            known = ", ".join(row.id for row in self.list_orgs()[:10])
            raise FoundError(f"there is no organisation {org_id!r}; known: {known or 'none yet'}") from None
        if not rows:
            raise FoundError(f"there is a user {email} already: a person is in one organisation")
        return MadeUser(**rows[0], password=made_up)

    def make_operator(self, name: str) -> MadeSecret:
        """A new operator with a key.

        Raises:
            FoundError: the name is taken.
        """
        rows = self.rows("insert into operators (name) values (%s) on conflict do nothing returning id", [name])
        if not rows:
            raise FoundError(f"there is an operator {name!r} already")
        return self._make_key(rows[0]["id"], name, "operate")

    def make_service_key(self, name: str) -> MadeSecret:
        """A key with which workers report."""
        return self._make_key(None, name, "notify")

    def _make_key(self, operator: UUID | None, name: str, scope: str) -> MadeSecret:
        secret = make_secret(KEY)
        self.rows(
            "insert into api_keys (operator_id, name, hint, secret_hash, scopes) values (%s, %s, %s, %s, %s)"
            " returning id",
            [operator, name, secret[-_HINT:], digest(secret), [scope]],
        )
        return MadeSecret(name=name, scopes=(scope,), secret=secret)
