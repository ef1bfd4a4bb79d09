"""Pages of ads: for each brand the next rows by index, merged; rows come as JSON and are passed on as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, LiteralString

import msgspec

from adology.store.naming import JSON_TIME
from adology_server.ads.filters import FIRST, OF_COVERAGE, Filter, joined, status_of, where, with_scope
from adology_server.ads.model import FIELDS, Sort

KEYS: Final[dict[Sort, tuple[str, str]]] = {
    "newest": ("first_seen_at", "timestamptz"),
    "last_seen": ("last_seen_at", "timestamptz"),
    "longest": ("run_days", "integer"),
}
"""What a sort goes by, the highest first; then by id."""

_GROUP: Final = "creatives_alike(f.sha256)"
_SCOPE: Final = "array(select brand from scope)"
_OF_STATUS: Final = ("vendor_status", "stopped_on", "looked_at")


def statement_of(which: Filter, sort: Sort, *, limit: int, begun: bool, collapse: bool) -> LiteralString:
    """The statement that gives `limit` rows: ad_id, key, thumbnail, shown.

    `shown` is the JSON of an `AdRow` but for `thumbnail_url`. The limit is part of the text: a plan that does not
    know it would read all rows and sort them. What is shown is read of the rows of the page alone.
    """
    key, kind = KEYS[sort]
    columns = ("brand", "ad_id", "source", *_OF_STATUS, "last_seen_at", "run_days", "sha256", f"{key} as key")
    after = f" and (f.{key}, f.ad_id) < (%(key)s::{kind}, %(ad)s)" if begun else ""
    alone = ""
    near = "null"
    # What is known of the sources: where it is filtered by, the rows bring it along.
    known, coverage = "", " left join feed_coverage c on c.brand = f.brand and c.source = f.source"
    if which.status:
        known, coverage = "".join(f", cf.{column}" for column in OF_COVERAGE), ""
    if collapse:
        # The first of its group in the list's order stands for it.
        alone = (
            f" and not exists (select from {joined(which, 'g', 'cg')} where g.brand = any({_SCOPE})"
            f" and g.sha256 = any({_GROUP}) and (g.{key}, g.ad_id) > (f.{key}, f.ad_id){where(which, 'g', 'cg')}"
            # As it stands, by the index on creatives: as a join it would read whole brands.
            " offset 0)"
        )
        near = (
            f"(select count(distinct g.ad_id)::text from {joined(which, 'g', 'cg')} where g.brand = any({_SCOPE})"
            f" and g.sha256 = any({_GROUP}) and g.ad_id <> f.ad_id{where(which, 'g', 'cg')})"
        )
    return f"""{with_scope(which)}
select f.ad_id, f.key::text as key, i.thumbnail, concat('{{"role":"', f.role, '","status":"',
    {status_of("f", "f" if known else "c")}, '","near_duplicates":', coalesce({near}, 'null'), ',"last_seen_at":"',
    to_char(f.last_seen_at at time zone 'UTC', {JSON_TIME}), '","run_days":', f.run_days, ',', substr(i.item, 2)
    ) as shown
from (
    select f.*, p.role from scope p cross join lateral (
        select {", ".join(f"f.{column}" for column in columns)}{known}
        from {joined(which, "f", "cf")}
        where f.brand = p.brand and {FIRST}{where(which, "f", "cf")}{after}{alone}
        order by f.{key} desc, f.ad_id desc limit {int(limit)}
    ) f order by f.key desc, f.ad_id desc limit {int(limit)}
) f join feed_items i on i.brand = f.brand and i.ad_id = f.ad_id{coverage}
order by f.key desc, f.ad_id desc"""


def place_of(row: dict[str, Any]) -> list[Any]:
    """What a cursor holds of the last row of a page."""
    return [row["key"], row["ad_id"]]


def render(
    rows: Sequence[dict[str, Any]], following: str | None, sign: Callable[[str], str], fields: Sequence[str] | None
) -> bytes:
    """The page as JSON, without taking rows apart where all fields are wanted."""
    items = ",".join([_row(row, sign) for row in rows])
    if fields is not None:
        wanted = [{name: row[name] for name in fields} for row in msgspec.json.decode(f"[{items}]")]
        items = msgspec.json.encode(wanted).decode()[1:-1]
    return f'{{"items":[{items}],"next":{msgspec.json.encode(following).decode()}}}'.encode()


def _row(row: dict[str, Any], sign: Callable[[str], str]) -> str:
    key = row["thumbnail"]
    # Signed addresses are ASCII without quotes or backslashes.
    url = "null" if key is None else f'"{sign(key)}"'
    return f'{{"thumbnail_url":{url},{row["shown"][1:]}'


def read_fields(names: Sequence[str] | None) -> tuple[list[str] | None, str]:
    """The fields that are wanted, in the order of a row; the first name that is none."""
    if not names:
        return None, ""
    unknown = [name for name in names if name not in FIELDS]
    return [name for name in FIELDS if name in names], unknown[0] if unknown else ""
