"""Which ads: the query parameters that lists, facets and statistics share, and their SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, LiteralString, get_args

from litestar.params import QueryParameter

from adology.types import Struct
from adology_server.brandspaces.model import BrandRole
from adology_server.problems import Refusal

Status = Literal["running", "stopped", "not_looked", "unknown"]
Level = Literal["none", "low", "medium", "high"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
MOST: Final = 50
"""Values of one filter."""


def _parameter(name: str, text: str, **limits: Any) -> Any:
    return QueryParameter(name=name, description=text, **limits)


Day = datetime | None
Many = list[str] | None
_LIST: Final = {"max_items": MOST}


class Filter(Struct, frozen=True, kw_only=True):
    """What an ad must be. Of several values of one filter any is enough; all filters must hold."""

    brand: tuple[str, ...] = ()
    role: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    format: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    label_all: tuple[str, ...] = ()
    label_none: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    first_seen_from: datetime | None = None
    first_seen_to: datetime | None = None
    last_seen_from: datetime | None = None
    last_seen_to: datetime | None = None
    run_days_min: int | None = None
    run_days_max: int | None = None
    safety_max: int | None = None
    safety_score_max: float | None = None
    q: str = ""


def read_filter(
    brand: Annotated[Many, _parameter("brand", "Brands, by id.", **_LIST)] = None,
    role: Annotated[list[BrandRole] | None, _parameter("role", "What the brand is in the brandspace.")] = None,
    source: Annotated[Many, _parameter("source", "Sources, by name.", **_LIST)] = None,
    platform: Annotated[Many, _parameter("platform", "Platforms that the ad runs on.", **_LIST)] = None,
    format_: Annotated[Many, _parameter("format", "Formats, as sources name them.", **_LIST)] = None,
    status: Annotated[
        list[Status] | None,
        _parameter(
            "status",
            "`running`: seen when its source was last read, and said to be active. `stopped`: the source says so,"
            " or did not show it although it shows all that runs. `not_looked`: its source was not read, or not"
            " lately. `unknown`: the source does not tell.",
        ),
    ] = None,
    language: Annotated[Many, _parameter("language", "ISO 639-1 codes.", **_LIST)] = None,
    domain: Annotated[Many, _parameter("domain", "Hosts of landing pages, without `www.`.", **_LIST)] = None,
    label: Annotated[Many, _parameter("label", "Any of these labels, as `taxonomy:id`.", **_LIST)] = None,
    label_all: Annotated[Many, _parameter("label_all", "All of these labels.", **_LIST)] = None,
    label_none: Annotated[Many, _parameter("label_none", "None of these labels.", **_LIST)] = None,
    passed: Annotated[Many, _parameter("passed", "All of these rules passed, as `pack:rule`.", **_LIST)] = None,
    failed: Annotated[Many, _parameter("failed", "Any of these rules failed.", **_LIST)] = None,
    first_seen_from: Annotated[Day, _parameter("first_seen_from", "First seen at or after.")] = None,
    first_seen_to: Annotated[Day, _parameter("first_seen_to", "First seen before.")] = None,
    last_seen_from: Annotated[Day, _parameter("last_seen_from", "Last seen at or after.")] = None,
    last_seen_to: Annotated[Day, _parameter("last_seen_to", "Last seen before.")] = None,
    run_days_min: Annotated[
        int | None, _parameter("run_days_min", "Ran at least so many days.", ge=0, le=100000)
    ] = None,
    run_days_max: Annotated[
        int | None, _parameter("run_days_max", "Ran at most so many days.", ge=0, le=100000)
    ] = None,
    safety_max: Annotated[
        Level | None, _parameter("safety_max", "Judged, by words and pictures, and at most this sensitive.")
    ] = None,
    safety_score_max: Annotated[
        float | None,
        _parameter("safety_score_max", "Creatives judged, and at most so likely pornographic.", ge=0, le=1),
    ] = None,
    q: Annotated[
        str, _parameter("q", "Words in copy or creative: quotes, `or` and `-` as in web searches.", max_length=500)
    ] = "",
) -> Filter:
    """The filter of the request's query.

    Raises:
        Refusal: a time without its zone.
    """
    times = {
        "first_seen_from": first_seen_from,
        "first_seen_to": first_seen_to,
        "last_seen_from": last_seen_from,
        "last_seen_to": last_seen_to,
    }
    for name, value in times.items():
        if value is not None and value.tzinfo is None:
            raise Refusal("invalid", f"{name} has no time zone: write it as 2026-01-31T00:00:00Z.", field=name)
    return Filter(
        brand=tuple(brand or ()),
        role=tuple(role or ()),
        source=tuple(source or ()),
        platform=tuple(platform or ()),
        format=tuple(format_ or ()),
        status=tuple(status or ()),
        language=tuple(language or ()),
        domain=tuple(one.lower() for one in domain or ()),
        label=tuple(label or ()),
        label_all=tuple(label_all or ()),
        label_none=tuple(label_none or ()),
        passed=tuple(passed or ()),
        failed=tuple(failed or ()),
        run_days_min=run_days_min,
        run_days_max=run_days_max,
        safety_max=None if safety_max is None else LEVELS.index(safety_max),
        safety_score_max=safety_score_max,
        q=q.replace("\0", "").strip(),
        **times,
    )


STATUS: Final = """case
    when {f}.vendor_status = 'stopped' or {f}.stopped_on < (now() at time zone 'UTC')::date then 'stopped'
    when {f}.looked_at < {c}.whole_at then 'stopped'
    when {c}.tried_at is null then 'unknown'
    when {f}.looked_at < {c}.tried_at and {c}.outcome not in ('ok', 'empty')
        or greatest({f}.looked_at, coalesce({c}.read_at, '-infinity')) < now() - %(stale)s::interval then 'not_looked'
    when {f}.vendor_status = 'active' and {f}.looked_at >= coalesce({c}.read_at, '-infinity') then 'running'
    else 'unknown' end"""
"""Of a row {f} of the feed and what is known of its source, {c}. Where the source shows only what is new,
absence says nothing."""

_WHERE: Final[dict[str, LiteralString]] = {
    "source": "{f}.source = any(%(source)s)",
    "platform": "{f}.platforms && %(platform)s",
    "format": "{f}.format = any(%(format)s)",
    "language": "{f}.languages && %(language)s",
    "domain": "{f}.landing_domain = any(%(domain)s)",
    "label": "{f}.labels && %(label)s",
    "label_all": "{f}.labels @> %(label_all)s",
    "label_none": "not {f}.labels && %(label_none)s",
    "passed": "{f}.rules_passed @> %(passed)s",
    "failed": "{f}.rules_failed && %(failed)s",
    "first_seen_from": "{f}.first_seen_at >= %(first_seen_from)s",
    "first_seen_to": "{f}.first_seen_at < %(first_seen_to)s",
    "last_seen_from": "{f}.last_seen_at >= %(last_seen_from)s",
    "last_seen_to": "{f}.last_seen_at < %(last_seen_to)s",
    "run_days_min": "{f}.run_days >= %(run_days_min)s",
    "run_days_max": "{f}.run_days <= %(run_days_max)s",
    "safety_max": "{f}.safety_level <= %(safety_max)s",
    "safety_score_max": "{f}.safety <= %(safety_score_max)s",
    "q": "({f}.brand, {f}.ad_id) in (select brand, ad_id from found)",
}
_ARRAYS: Final = frozenset(name for name, kind in Filter.__annotations__.items() if "tuple" in str(kind))

FIRST: Final = """(not f.shared
    or f.brand = (select min(s.brand) from scope s where s.brand = any(f.brands)))"""
"""An ad of several brands of the scope is one ad: it goes by the first of them."""


def values_of(which: Filter) -> dict[str, Any]:
    """The values of the statements' parameters."""
    fields = {name: getattr(which, name) for name in which.__struct_fields__}
    return {name: list(value) if name in _ARRAYS else value for name, value in fields.items()}


def with_scope(which: Filter) -> str:
    """The brands that are looked at, with their roles, as `scope`; what the words are found in, as `found`."""
    scope = "with scope as materialized (select brand, role from brandspace_brands where brandspace_id = %(space)s"
    if which.brand:
        scope += " and brand = any(%(brand)s)"
    if which.role:
        scope += " and role = any(%(role)s)"
    if which.q:
        scope += "), found as materialized (select brand, ad_id from feed_found(array(select brand from scope), %(q)s)"
    return scope + ")"


def joined(which: Filter, table: str, coverage: str) -> str:
    """The feed as `table`, with what is known of its sources where the filter asks for it."""
    if not which.status:
        return f"feed {table}"
    on = f"{coverage}.brand = {table}.brand and {coverage}.source = {table}.source"
    return f"feed {table} left join feed_coverage {coverage} on {on}"


def where(which: Filter, table: str, coverage: str) -> str:
    """The conditions on a row of the feed; brands and roles are the scope's matter."""
    found: list[str] = [
        condition.replace("{f}", table)
        for name, condition in _WHERE.items()
        if getattr(which, name) not in (None, (), "")
    ]
    if which.status:
        # Each outcome as a condition: a plan takes those for likely, and a comparison for rare.
        told = status_of(table, coverage)
        for name in get_args(Status):
            told = told.replace(f"then '{name}'", f"then '{name}' = any(%(status)s)")
        found.append(told.replace("else 'unknown'", "else 'unknown' = any(%(status)s)"))
    return "".join(f" and {one}" for one in found)


def status_of(table: str, coverage: str) -> str:
    """The status of a row of the feed."""
    return f"({STATUS.replace('{f}', table).replace('{c}', coverage)})"


def question(which: Filter) -> Sequence[Any]:
    """What tells this filter from another, for cursors."""
    return [str(value) for value in values_of(which).values()]
