"""Reads and judges the parameters of both engines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Literal

import msgspec

from adology_serpapi.regions import COUNTRIES
from upstreams.serpapi.errors import POLITICAL_ALONE, Refusal, missing, unsupported

LIST_ENGINE = "google_ads_transparency_center"
DETAILS_ENGINE = "google_ads_transparency_center_ad_details"
PLATFORMS = ("PLAY", "MAPS", "SEARCH", "SHOPPING", "YOUTUBE")
FORMATS = ("text", "image", "video")
DEFAULT_NUM = 40
MOST_NUM = 100


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A search that is in order. `region` is the ISO code of what was asked for by number."""

    engine: Literal["list", "details"]
    advertisers: tuple[str, ...] = ()
    creative: str = ""
    text: str = ""
    platform: str = ""
    political: bool = False
    region: str = ""
    first: date | None = None
    last: date | None = None
    format: str = ""
    num: int = DEFAULT_NUM
    token: str = ""
    no_cache: bool = False
    is_async: bool = False

    def identity(self) -> str:
        """What a page token belongs to: the query without its page."""
        bare = msgspec.structs.replace(self, token="", num=0, no_cache=False, is_async=False)
        return msgspec.json.encode(bare, order="sorted").decode()


def read_query(given: Mapping[str, str]) -> Query:
    """The query in a request's parameters.

    Raises:
        Refusal: 400, with the vendor's text.
    """
    engine = given.get("engine") or "google"
    if engine == "google":
        raise missing("q")
    if engine not in (LIST_ENGINE, DETAILS_ENGINE):
        raise Refusal(f"Unsupported `{engine}` search engine.")
    no_cache, is_async = _flag(given, "no_cache"), _flag(given, "async")
    if no_cache and is_async:
        raise Refusal("`no_cache` and `async` parameters can't be used together.")
    read = _read_details if engine == DETAILS_ENGINE else _read_list
    return msgspec.structs.replace(read(given), no_cache=no_cache, is_async=is_async)


def _read_list(given: Mapping[str, str]) -> Query:
    advertisers = tuple(filter(None, (part.strip() for part in given.get("advertiser_id", "").split(","))))
    text = given.get("text", "").strip()
    if not advertisers and not text:
        raise missing("advertiser_id")
    political, region = _flag(given, "political_ads"), _region(given)
    if political and not region:
        raise Refusal(POLITICAL_ALONE)
    return Query(
        engine="list",
        advertisers=advertisers,
        text=text,
        platform=_choice(given, "platform", PLATFORMS),
        political=political,
        region=region,
        first=_day(given, "start_date"),
        last=_day(given, "end_date"),
        format=_choice(given, "creative_format", FORMATS),
        num=_num(given),
        token=given.get("next_page_token", ""),
    )


def _read_details(given: Mapping[str, str]) -> Query:
    for name in ("advertiser_id", "creative_id"):
        if not given.get(name):
            raise missing(name)
    return Query(
        engine="details",
        advertisers=(given["advertiser_id"],),
        creative=given["creative_id"],
        region=_region(given),
    )


def _region(given: Mapping[str, str]) -> str:
    value = given.get("region", "")
    if not value or value == "anywhere":
        return ""
    if not value.isdecimal() or int(value) not in COUNTRIES:
        raise unsupported(value, "region")
    return COUNTRIES[int(value)]


def _choice(given: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = given.get(name, "")
    if value and value not in allowed:
        raise unsupported(value, name)
    return value


def _flag(given: Mapping[str, str], name: str) -> bool:
    value = given.get(name, "false")
    if value not in ("true", "false"):
        raise unsupported(value, name)
    return value == "true"


def _day(given: Mapping[str, str], name: str) -> date | None:
    value = given.get(name, "")
    if not value:
        return None
    try:
        return datetime.strptime(value, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise unsupported(value, name) from None


def _num(given: Mapping[str, str]) -> int:
    value = given.get("num", str(DEFAULT_NUM))
    if not value.isdecimal() or int(value) < 1:
        raise unsupported(value, "num")
    return min(MOST_NUM, int(value))
