"""What operators do from the command line; each change is a record of the operators' audit log."""

from __future__ import annotations

from typing import Any, Final, LiteralString
from uuid import UUID

from adology.cli.model import KeyLine, OperatorLine
from adology_server.owning import FoundError, OwnersDatabase

ACTOR = "command"
_NOTED: Final = (
    "insert into audit (org_id, actor, action, target, subject, outcome, reason)"
    " select %(org)s, %(actor)s, %(action)s, %(target)s, subject, 'done', %(why)s from done returning 1"
)
_OPERATORS: Final = (
    "select o.id::text, o.name, o.created_at, o.disabled_at, count(k.id) filter (where k.revoked_at is null) as keys,"
    " max(k.last_used_at) as last_used_at from operators o left join api_keys k on k.operator_id = o.id"
)
_KEYS: Final = (
    "select k.id::text, k.name, k.hint, k.scopes, k.org_id, coalesce(u.email, p.name, '') as whose, k.created_at,"
    " k.expires_at, k.last_used_at from api_keys k left join users u on u.id = k.user_id"
    " left join operators p on p.id = k.operator_id"
)


class Operating(OwnersDatabase):
    """Looks and changes."""

    def list_operators(self) -> list[OperatorLine]:
        """All operators, by name; those that were revoked too."""
        return self.all(OperatorLine, f"{_OPERATORS} group by o.id order by lower(o.name)")

    def revoke_operator(self, name: str) -> OperatorLine:
        """End an operator and their keys; again, nothing changes.

        Raises:
            FoundError: there is no such operator.
        """
        found = self.all(OperatorLine, f"{_OPERATORS} where o.name = %s group by o.id", [name])
        if not found:
            known = ", ".join(row.name for row in self.list_operators()[:10])
            raise FoundError(f"there is no operator {name!r}; known: {known or 'none yet'}")
        if found[0].disabled_at is None or found[0].keys:
            self._change(
                "with keys as (update api_keys set revoked_at = now()"
                " where operator_id = %(id)s and revoked_at is null),"
                " done as (update operators set disabled_at = coalesce(disabled_at, now()) where id = %(id)s"
                " returning id::text as subject) ",
                {"id": found[0].id},
                action="revokeOperator",
                target=f"/operators/{name}",
            )
        return self.all(OperatorLine, f"{_OPERATORS} where o.name = %s group by o.id", [name])[0]

    def list_keys(self, org_id: str | None) -> list[KeyLine]:
        """Keys that are not revoked: of an organisation; None: of operators and workers."""
        statement: LiteralString = (
            f"{_KEYS} where k.revoked_at is null and k.org_id is not distinct from %s order by k.created_at, k.id"
        )
        return self.all(KeyLine, statement, [org_id])

    def revoke_key(self, key_id: str) -> KeyLine:
        """Revoke a key, whoever's it is.

        Raises:
            FoundError: there is no such key, or it is revoked already.
        """
        try:
            which = UUID(key_id)
        except ValueError:
            raise FoundError(f"{key_id!r} is no id of a key; `adology operator keys` lists them") from None
        found = self.all(KeyLine, f"{_KEYS} where k.id = %s and k.revoked_at is null", [which])
        if not found:
            raise FoundError(f"there is no key {which} that is not revoked; `adology operator keys` lists them")
        self._change(
            "with done as (update api_keys set revoked_at = now() where id = %(id)s and revoked_at is null"
            " returning id::text as subject) ",
            {"id": which},
            action="revokeAnyKey",
            target=f"/keys/{which}",
            org=found[0].org_id,
        )
        return found[0]

    def suspend(self, org_id: str, reason: str | None) -> None:
        """Shut an organisation out, or let it in again where there is no reason; again, nothing changes.

        Raises:
            FoundError: there is no such organisation, or the reason is empty or too long.
        """
        if reason is not None and not 1 <= len(reason) <= 500:  # noqa: PLR2004 - as the table says
            raise FoundError(f"a reason has 1 to 500 characters, this one {len(reason)}")
        if not self.rows("select id from organisations where id = %s and deleted_at is null", [org_id]):
            raise FoundError(f"there is no organisation {org_id!r}; `adology org list` shows them")
        self._change(
            "with done as (update organisations set suspended_at = case when %(on)s then now() end,"
            " suspended_why = %(text)s where id = %(id)s and (suspended_at is null) = %(on)s returning id as subject) ",
            {"id": org_id, "on": reason is not None, "text": reason or ""},
            action="resumeOrganisation" if reason is None else "suspendOrganisation",
            target=f"/organisations/{org_id}",
            org=org_id,
            why=(reason or "")[:100],
        )

    def _change(
        self,
        change: LiteralString,
        values: dict[str, Any],
        *,
        action: str,
        target: str,
        org: str | None = None,
        why: str = "",
    ) -> None:
        """Do it, and write it into the operators' log, and into the organisation's whose it is, in one transaction."""
        facts = {"actor": ACTOR, "action": action, "target": target, "why": why}
        with self.connection() as link, link.transaction():
            done = link.execute(change + _NOTED, {**values, **facts, "org": None})
            if done.rowcount and org is not None:
                again: LiteralString = "with done as (select %(subject)s::text as subject) "
                link.execute(again + _NOTED, {**facts, "subject": values["id"], "org": org})
