"""Which ads: the query parameters that lists, facets and statistics share, and their SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString, get_args

from adology.types import Struct
from adology_server.ads import parameters
from adology_server.ads.parameters import LEVELS, Status
from adology_server.problems import Refusal


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
    brand: parameters.Brands = None,
    role: parameters.Roles = None,
    source: parameters.Sources = None,
    platform: parameters.Platforms = None,
    format_: parameters.Formats = None,
    status: parameters.Statuses = None,
    language: parameters.Languages = None,
    domain: parameters.Domains = None,
    label: parameters.AnyLabel = None,
    label_all: parameters.AllLabels = None,
    label_none: parameters.NoLabel = None,
    passed: parameters.Passed = None,
    failed: parameters.Failed = None,
    first_seen_from: parameters.FirstSeenFrom = None,
    first_seen_to: parameters.FirstSeenTo = None,
    last_seen_from: parameters.LastSeenFrom = None,
    last_seen_to: parameters.LastSeenTo = None,
    run_days_min: parameters.RunDaysMin = None,
    run_days_max: parameters.RunDaysMax = None,
    safety_max: parameters.SafetyMax = None,
    safety_score_max: parameters.SafetyScoreMax = None,
    q: parameters.Words = "",
) -> Filter:
    """The filter of the request's query.

    Raises:
        Refusal: a time without its zone.
    """
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
        first_seen_from=_zoned("first_seen_from", first_seen_from),
        first_seen_to=_zoned("first_seen_to", first_seen_to),
        last_seen_from=_zoned("last_seen_from", last_seen_from),
        last_seen_to=_zoned("last_seen_to", last_seen_to),
        run_days_min=run_days_min,
        run_days_max=run_days_max,
        safety_max=None if safety_max is None else LEVELS.index(safety_max),
        safety_score_max=safety_score_max,
        q=q.replace("\0", "").strip(),
    )


def _zoned(name: str, time: datetime | None) -> datetime | None:
    """The time; a Refusal for one that does not say in which zone."""
    if time is not None and time.tzinfo is None:
        raise Refusal("invalid", f"{name} has no time zone: write it as 2026-01-31T00:00:00Z.", field=name)
    return time


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

OF_COVERAGE: Final = ("tried_at", "outcome", "read_at", "whole_at")
"""Columns of what is known of a source that a status takes."""

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
