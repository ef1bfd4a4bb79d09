"""Pages of ads: of each brand the next rows by index, merged; rows come as JSON and are passed on as text."""

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

    A page takes few rows of each brand, and a filter may leave few of many: a quarter of the page is read of each,
    and more of those brands alone whose rows all come before the last one of the page.
    """
    key, kind = KEYS[sort]
    after = f" and (f.{key}, f.ad_id) < (%(key)s::{kind}, %(ad)s)" if begun else ""
    beyond = f" and (f.{key}, f.ad_id) < (p.key, p.ad_id)"
    alone, near = _collapsed(which, key) if collapse else ("", "null")
    head = max(limit // 4, 1)
    # What is known of the sources: where it is filtered by, the rows bring it along.
    known = "f" if which.status else "c"
    coverage = "" if which.status else " left join feed_coverage c on c.brand = f.brand and c.source = f.source"
    return f"""{with_scope(which)},
head as materialized ({_by_brand(which, key, "scope", after + alone, head)}),
last as materialized (select key, ad_id from head order by key desc, ad_id desc offset {limit - 1} limit 1),
deeper as materialized (
    select h.brand, h.role, h.key, h.ad_id from (
        select *, row_number() over (partition by brand order by key desc, ad_id desc) as place from head
    ) h where h.place = {head} and ((h.key, h.ad_id) > (select key, ad_id from last)) is not false
)
select f.ad_id, f.key::text as key, i.thumbnail, concat('{{"role":"', f.role, '","status":"',
    {status_of("f", known)}, '","near_duplicates":', coalesce({near}, 'null'), ',"last_seen_at":"',
    to_char(f.last_seen_at at time zone 'UTC', {JSON_TIME}), '","run_days":', f.run_days, ',', substr(i.item, 2)
    ) as shown
from (
    select * from (
        select * from head union all {_by_brand(which, key, "deeper", beyond + alone, limit - head)}
    ) f order by f.key desc, f.ad_id desc limit {int(limit)}
) f join feed_items i on i.brand = f.brand and i.ad_id = f.ad_id{coverage}
order by f.key desc, f.ad_id desc"""


def _by_brand(which: Filter, key: str, brands: str, more: str, limit: int) -> str:
    """Of each row of `brands`, the first rows of the feed by index; `more` is a condition on them."""
    columns = ["brand", "ad_id", "source", *_OF_STATUS, "last_seen_at", "run_days", "sha256", f"{key} as key"]
    wanted = [f"f.{column}" for column in columns] + [f"cf.{column}" for column in OF_COVERAGE if which.status]
    return f"""select f.*, p.role from {brands} p cross join lateral (
        select {", ".join(wanted)} from {joined(which, "f", "cf")}
        where f.brand = p.brand and {FIRST}{where(which, "f", "cf")}{more}
        order by f.{key} desc, f.ad_id desc limit {int(limit)}
    ) f"""


def _collapsed(which: Filter, key: str) -> tuple[str, str]:
    """The condition that a row stands for its near-duplicates; how many there are, beside it."""
    others = (
        f"from {joined(which, 'g', 'cg')} where g.brand = any({_SCOPE})"
        f" and g.sha256 = any({_GROUP}){where(which, 'g', 'cg')}"
    )
    # The first of its group in the list's order. As it stands, by the index on creatives: as a join it would read
    # whole brands.
    alone = f" and not exists (select {others} and (g.{key}, g.ad_id) > (f.{key}, f.ad_id) offset 0)"
    return alone, f"(select count(distinct g.ad_id)::text {others} and g.ad_id <> f.ad_id)"


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
