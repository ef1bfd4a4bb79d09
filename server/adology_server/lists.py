"""Lists of an organisation, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString, TypeVar

from adology_server import parts
from adology_server.paging import Page
from adology_server.parts import Incoming

T = TypeVar("T")


async def list_page(
    request: Incoming,
    kind: type[T],
    what: Sequence[Any],
    statement: LiteralString,
    begin: Mapping[str, Any],
    *,
    limit: int,
    after: str | None,
    **values: Any,
) -> Page[T]:
    """One page of the rows that `statement` gives.

    Args:
        request: who asks; rows are those of their organisation.
        kind: the Struct of a row.
        what: which list, with everything that its rows depend on besides the organisation.
        statement: takes `limit`, `values`, and the fields of `begin`: it gives rows behind that place, in order.
        begin: the fields by which rows are ordered, and what they are before the first row.
        limit: rows of a page, at most.
        after: the cursor of the page before.
        values: further parameters of the statement.

    Raises:
        Refusal: the cursor is of another list or caller.
    """
    org, cursors = request.user.org, parts.cursors(request)
    question = [*what, org]
    place = await cursors.decode(question, after)
    behind = dict(begin) if place is None else dict(zip(begin, place, strict=True))
    rows = await parts.tenants(request).all(org, kind, statement, {**values, **behind, "limit": limit + 1})
    return await cursors.page(question, rows, limit, lambda row: [getattr(row, field) for field in begin])
