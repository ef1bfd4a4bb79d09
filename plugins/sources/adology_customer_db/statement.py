"""What is asked of the database: the customer's query as a subquery, in the order of the cursor.

With two handles, a cursor and an id column::

    select * from (select * from (<query>) h0 union all select * from (<query>) h1) q
    where updated_at is null or updated_at >= :from_mark order by updated_at, id

The comparison is never strict: rows that tie with the cursor are read again rather than lost.
Rows without a cursor value cannot be told old from new and are read every time.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from adology import Brand, ConfigError
from adology_customer_db.mark import Mark
from adology_customer_db.settings import CustomerDbSettings

BINDS = frozenset({"brand", "handle", "since"})
FIRST_WORDS = ("select", "with", "values", "table")
_COMMENT = re.compile(r"\s*(?:--[^\n]*(?:\n|$)|/\*.*?\*/)*\s*", re.DOTALL)
_HANDLE = re.compile(r"(?<![:\w\\]):handle(?![:\w])")
_ALL = sa.text("*")


def check_query(settings: CustomerDbSettings, plugin: str) -> str:
    """The query without its closing semicolon.

    Raises:
        ConfigError: it is no single SELECT, or it has a bind parameter that we do not fill.
    """
    key = f"sources.{plugin}.query"
    query = settings.query.strip().rstrip(";").rstrip()
    words = query[_leading(query) :].lstrip("( \n\t").split(maxsplit=1)
    first = words[0].lower() if words else ""
    if first not in FIRST_WORDS:
        raise ConfigError(
            key, f"begins with {first!r}; allowed: {', '.join(FIRST_WORDS)}", "Write one SELECT.", code="ADO-1005"
        )
    unknown = sorted(set(sa.text(query).compile().params) - BINDS)
    if unknown:
        raise ConfigError(
            key,
            f"has the parameter :{unknown[0]}; allowed: {', '.join(f':{name}' for name in sorted(BINDS))}",
            "Write a literal colon as \\:.",
            code="ADO-1005",
        )
    return query


def build_statement(
    settings: CustomerDbSettings, plugin: str, brand: Brand, *, low: Mark | None, probe: bool = False
) -> sa.Select[Any]:
    """The statement for `brand`, from `low` on; `probe` asks for the columns but for no row."""
    query = check_query(settings, plugin)
    handles = brand.handles_for(plugin) or ("",)
    if not _HANDLE.search(query):
        handles = handles[:1]
    parts = [_bind(query, brand, handle, at, low) for at, handle in enumerate(handles)]
    inner = (
        parts[0].subquery("q")
        if len(parts) == 1
        else sa.union_all(
            *(sa.select(_ALL).select_from(part.subquery(f"h{at}")) for at, part in enumerate(parts))
        ).subquery("q")
    )
    statement: sa.Select[Any] = sa.select(_ALL).select_from(inner)
    if probe:
        return statement.where(sa.false())
    if not settings.cursor_column:
        return statement if not settings.columns.id else statement.order_by(sa.column(settings.columns.id))
    cursor: sa.ColumnClause[Any] = sa.column(settings.cursor_column)
    if low is not None:
        statement = statement.where(sa.or_(cursor.is_(None), cursor >= _parameter("from_mark", low)))
    order = [cursor, *([sa.column(settings.columns.id)] if settings.columns.id else [])]
    return statement.order_by(*order)


def _bind(query: str, brand: Brand, handle: str, at: int, low: Mark | None) -> sa.TextualSelect:
    """One handle's query. The line break ends a comment that would swallow the parenthesis."""
    name = f"handle_{at}"
    text = sa.text(_HANDLE.sub(f":{name}", query) + "\n")
    wanted: dict[str, sa.BindParameter[Any]] = {
        name: sa.bindparam(name, handle),
        "brand": sa.bindparam("brand", brand.id),
        "since": _parameter("since", low),
    }
    used = text.compile().params
    return text.bindparams(*(wanted[key] for key in used)).columns()


def _parameter(name: str, mark: Mark | None) -> sa.BindParameter[Any]:
    """A mark's value; text stays text, which no database then takes for a date of its own making."""
    if mark is None:
        return sa.bindparam(name, None)
    types: dict[str, Any] = {
        "timestamp": sa.DateTime(timezone=True),
        "local": sa.DateTime(),
        "date": sa.Date(),
        "text": sa.String(),
        "bytes": sa.LargeBinary(),
    }
    return sa.bindparam(name, mark.value, type_=types.get(mark.kind))


def _leading(query: str) -> int:
    found = _COMMENT.match(query)
    return found.end() if found else 0
