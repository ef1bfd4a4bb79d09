"""How much an organisation may have of what costs all of us: counted so that two at once cannot both be the last."""

from __future__ import annotations

from typing import Any, LiteralString

from adology_server.problems import Refusal
from adology_server.tenancy import Connection

SPACE = 0x6164726D
"""First half of the numbers of our locks; the second is the hash of what is counted, of which organisation."""

KEYS = "keys"
TASKS = "tasks"
BRANDS = "brands"
BOARDS = "boards"
NOTES = "notes"
TAGS = "tags"
BRANDSPACES = "brandspaces"
INVITATIONS = "invitations"


async def check_room(
    connection: Connection,
    kind: str,
    counted: LiteralString,
    values: Any,
    most: int,
    refusal: str,
    *,
    problem: str = "conflict",
    retry_after_s: int | None = None,
) -> None:
    """Whether one more may be made in this transaction; until it ends, nobody else there makes one of that kind.

    Args:
        connection: in the organisation's transaction.
        kind: what is counted; one of the names above.
        counted: a statement that gives their number as `n`.
        values: of the statement.
        most: how many there may be.
        refusal: what the caller is told, `{most}` in it.
        problem: the kind of problem.
        retry_after_s: when to ask again, where time helps.

    Raises:
        Refusal: there are as many as may be.
    """
    await connection.execute(
        "select pg_advisory_xact_lock(%s, hashtext(%s || ':' || coalesce(current_org(), '')))", [SPACE, kind]
    )
    row = await (await connection.execute(counted, values)).fetchone()
    if row is not None and row["n"] >= most:
        headers = {"retry-after": str(retry_after_s)} if retry_after_s is not None else None
        raise Refusal(problem, refusal.format(most=most), headers=headers)
