"""From an ad of the world to an ArchivedAd: the vendor's types with all their quirks.

What does not apply is absent, never null. Only the fields asked for are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any
from urllib.parse import urlencode

from upstreams.meta.countries import NAMES
from upstreams.world import WorldAd, WorldBrand

REMOVED_TEXT = "This content was removed because it didn't follow our Advertising Standards."

POLITICAL_FIELDS = (
    "bylines", "currency", "spend", "impressions", "estimated_audience_size", "demographic_distribution",
    "delivery_by_region",
)  # fmt: skip
HEAVY_FIELDS = frozenset(
    {
        "age_country_gender_reach_breakdown",
        "total_reach_by_location",
        "target_locations",
        "demographic_distribution",
        "delivery_by_region",
    }
)
AGES = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")

Maker = Callable[[WorldBrand, WorldAd], Any]


def _texts(name: str) -> Maker:
    def make(_: WorldBrand, ad: WorldAd) -> list[str]:
        return list(getattr(ad, name))

    return make


def _breakdown(_: WorldBrand, ad: WorldAd) -> list[dict[str, Any]]:
    rows = []
    for country, reach in _reach_by_country(ad):
        dice = Random(f"{ad.id}/{country}")
        weights = [dice.random() for _ in AGES]
        cells: list[dict[str, Any]] = []
        for age, weight in zip(AGES, weights, strict=True):
            people = int(reach * weight / sum(weights))
            women = int(people * dice.uniform(0.3, 0.7))
            cell = {"age_range": age, "male": people - women, "female": women, "unknown": people // 200}
            # A count of nobody is left out, key and all.
            cells.append({key: value for key, value in cell.items() if value})
        rows.append({"country": country, "age_gender_breakdowns": cells})
    return rows


def _reach_by_country(ad: WorldAd) -> Iterator[tuple[str, int]]:
    shown = [country for country in ad.countries if country in NAMES]
    for country in shown if ad.reach else ():
        yield country, (ad.reach or 0) // len(shown)


def _locations(_: WorldBrand, ad: WorldAd) -> list[dict[str, Any]]:
    return [
        {"name": NAMES[country], "type": "countries", "excluded": False, "num_obfuscated": 0}
        for country in ad.countries
        if country in NAMES
    ]


def _payers(brand: WorldBrand, _: WorldAd) -> list[dict[str, Any]]:
    return [{"beneficiary": brand.name, "payer": brand.name, "current": True}]


_MAKERS: dict[str, Maker] = {
    "id": lambda _, ad: ad.id,
    "ad_creation_time": lambda _, ad: ad.started_on.isoformat(),
    "ad_delivery_start_time": lambda _, ad: ad.started_on.isoformat(),
    "ad_delivery_stop_time": lambda _, ad: ad.stopped_on.isoformat() if ad.stopped_on else None,
    "ad_creative_bodies": _texts("bodies"),
    "ad_creative_link_titles": _texts("titles"),
    "ad_creative_link_captions": _texts("captions"),
    "ad_creative_link_descriptions": _texts("descriptions"),
    "page_id": lambda brand, _: brand.meta_page_id,
    "page_name": lambda brand, _: brand.name,
    "publisher_platforms": lambda _, ad: [name.lower() for name in ad.platforms],
    "languages": _texts("languages"),
    "eu_total_reach": lambda _, ad: ad.reach,
    "br_total_reach": lambda _, __: None,
    "age_country_gender_reach_breakdown": _breakdown,
    "total_reach_by_location": lambda _, ad: [
        {"key": NAMES[country], "value": reach} for country, reach in _reach_by_country(ad)
    ],
    "beneficiary_payers": _payers,
    "target_ages": lambda _, __: ["18", "65"],
    "target_gender": lambda _, __: "All",
    "target_locations": _locations,
}
_MASKED = frozenset(name for name in _MAKERS if name.startswith("ad_creative_"))

FIELDS = frozenset({*_MAKERS, *POLITICAL_FIELDS, "ad_snapshot_url"})
"""Every name that may be asked for; the political ones never apply in this world."""


def make_record(
    brand: WorldBrand, ad: WorldAd, fields: Iterable[str], *, site: str, token: str, unmask: bool = False
) -> dict[str, Any]:
    """The record of `ad` with those of `fields` that apply, and its id.

    The snapshot address lies at `site` and carries the caller's own `token`, as the vendor's does.
    """
    record: dict[str, Any] = {"id": ad.id}
    for name in fields:
        if name == "ad_snapshot_url":
            record[name] = f"{site}/ads/archive/render_ad/?{urlencode({'id': ad.id, 'access_token': token})}"
        elif name in _MAKERS:
            value = _MAKERS[name](brand, ad)
            if name in _MASKED and ad.removed and not unmask:
                value = [REMOVED_TEXT]
            if value is not None and value != []:
                record[name] = value
    return record
