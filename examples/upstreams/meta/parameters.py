"""What may be asked of ``ads_archive``, judged as strictly as the vendor does."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from upstreams.meta.countries import COUNTRIES
from upstreams.meta.errors import bad_parameter
from upstreams.meta.records import FIELDS

MAX_PAGE_IDS = 10
MAX_TERMS_LENGTH = 100
DEFAULT_LIMIT = 25
MAX_LIMIT = 2000
DEFAULT_FIELDS = ("id", "ad_snapshot_url")

AD_TYPES = (
    "ALL", "POLITICAL_AND_ISSUE_ADS", "HOUSING_ADS", "EMPLOYMENT_ADS", "FINANCIAL_PRODUCTS_AND_SERVICES_ADS",
    "CREDIT_ADS",
)  # fmt: skip
STATUSES = ("ACTIVE", "INACTIVE", "ALL")
MEDIA_TYPES = ("ALL", "IMAGE", "MEME", "VIDEO", "NONE")
PLATFORMS = ("FACEBOOK", "INSTAGRAM", "AUDIENCE_NETWORK", "MESSENGER", "WHATSAPP", "OCULUS", "THREADS")
SEARCH_TYPES = ("KEYWORD_UNORDERED", "KEYWORD_EXACT_PHRASE")
AUDIENCE_SIZES = ("100", "1000", "5000", "10000", "50000", "100000", "500000", "1000000")
POLITICAL_ONLY = ("bylines", "delivery_by_region", "estimated_audience_size_min", "estimated_audience_size_max")


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One valid question. Empty tuples and None mean: no such filter."""

    countries: tuple[str, ...]
    page_ids: tuple[str, ...] = ()
    terms: str = ""
    exact: bool = False
    ad_type: str = "ALL"
    status: str = "ACTIVE"
    delivered_from: date | None = None
    delivered_to: date | None = None
    media_type: str = "ALL"
    platforms: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    unmask_removed: bool = False
    political: bool = False
    fields: tuple[str, ...] = DEFAULT_FIELDS
    limit: int = DEFAULT_LIMIT
    after: str = ""

    def identity(self) -> str:
        """The same for every page of one walk: everything but `limit`, `fields` and `after`."""
        same = msgspec.structs.replace(self, fields=(), limit=0, after="")
        return msgspec.json.encode(same).decode()


def read_query(given: Mapping[str, str]) -> Query:
    """The question that request parameters ask.

    Raises:
        GraphError: code 100, in the vendor's words, at the first parameter that is wrong.
    """
    countries = _enums(given, "ad_reached_countries", ("ALL", *COUNTRIES))
    if not countries:
        raise bad_parameter("The parameter ad_reached_countries is required.")
    query = Query(
        countries=countries,
        page_ids=_page_ids(given),
        terms=_terms(given),
        exact=_enum(given, "search_type", SEARCH_TYPES) == "KEYWORD_EXACT_PHRASE",
        ad_type=_enum(given, "ad_type", AD_TYPES),
        status=_enum(given, "ad_active_status", STATUSES),
        delivered_from=_date(given, "ad_delivery_date_min"),
        delivered_to=_date(given, "ad_delivery_date_max"),
        media_type=_enum(given, "media_type", MEDIA_TYPES),
        platforms=_enums(given, "publisher_platforms", PLATFORMS),
        languages=_array(given, "languages"),
        unmask_removed=_bool(given, "unmask_removed_content"),
        political=_political(given),
        fields=_fields(given),
        limit=_limit(given),
        after=given.get("after", ""),
    )
    if not query.page_ids and not query.terms:
        raise bad_parameter("At least one of search_terms or search_page_ids must be given.")
    return query


def parse_array(text: str) -> tuple[str, ...] | None:
    """The elements in any encoding that works: ``["US","DE"]``, ``['US']`` and ``US,DE``; None if broken."""
    text = text.strip()
    if not text.startswith("["):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    value: Any
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    if not isinstance(value, list) or not all(isinstance(item, str | int) for item in value):
        return None
    return tuple(str(item) for item in value)


def _array(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    values = parse_array(given.get(name, ""))
    if values is None:
        raise bad_parameter(f"Param {name} must be an array.")
    return values


def _enums(given: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    values = _array(given, name)
    for index, value in enumerate(values):
        if value not in allowed:
            raise bad_parameter(f"Param {name}[{index}] must be one of {{{', '.join(allowed)}}}")
    return values


def _enum(given: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """The value of an enum; its default is the first allowed one."""
    value = given.get(name) or allowed[0]
    if value not in allowed:
        raise bad_parameter(f"Param {name} must be one of {{{', '.join(allowed)}}}")
    return value


def _page_ids(given: Mapping[str, str]) -> tuple[str, ...]:
    values = _array(given, "search_page_ids")
    if len(values) > MAX_PAGE_IDS:
        raise bad_parameter(f"Param search_page_ids must have at most {MAX_PAGE_IDS} elements.")
    for index, value in enumerate(values):
        if not (value.isascii() and value.isdigit() and int(value) < 1 << 63):
            raise bad_parameter(f"Param search_page_ids[{index}] must be an integer.")
    return values


def _terms(given: Mapping[str, str]) -> str:
    terms = given.get("search_terms", "")
    if len(terms) > MAX_TERMS_LENGTH:
        raise bad_parameter(f"Param search_terms must be no longer than {MAX_TERMS_LENGTH} characters.")
    return terms


def _date(given: Mapping[str, str], name: str) -> date | None:
    text = given.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad_parameter(f"Param {name} must be a valid date of the form YYYY-mm-dd.") from None


def _bool(given: Mapping[str, str], name: str) -> bool:
    value = given.get(name, "false").lower()
    if value not in {"true", "false", "1", "0"}:
        raise bad_parameter(f"Param {name} must be a boolean.")
    return value in {"true", "1"}


def _political(given: Mapping[str, str]) -> bool:
    """Whether a filter is used that only ads about politics can pass."""
    for name in ("estimated_audience_size_min", "estimated_audience_size_max"):
        allowed = AUDIENCE_SIZES if name.endswith("min") else AUDIENCE_SIZES[1:]
        if given.get(name) and given[name] not in allowed:
            raise bad_parameter(f"Param {name} must be one of {{{', '.join(allowed)}}}")
    for name in ("bylines", "delivery_by_region"):
        _array(given, name)
    return any(given.get(name) for name in POLITICAL_ONLY)


def _fields(given: Mapping[str, str]) -> tuple[str, ...]:
    text = given.get("fields", "").strip()
    if not text:
        return DEFAULT_FIELDS
    # facebook-business sends a list as JSON, everybody else commas.
    values = parse_array(text) or ()
    for value in values:
        if value not in FIELDS:
            raise bad_parameter(f"Tried accessing nonexisting field ({value})")
    return tuple(dict.fromkeys(("id", *values)))


def _limit(given: Mapping[str, str]) -> int:
    text = given.get("limit") or str(DEFAULT_LIMIT)
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
        raise bad_parameter(f"Param limit must be an integer from 1 to {MAX_LIMIT}.")
    return int(text)
