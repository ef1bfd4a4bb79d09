"""What answers about ads look like."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from adology_server.ads.parameters import Level, Status
from adology_server.brandspaces.model import BrandRole
from adology_server.people.model import Answer

Sort = Literal["newest", "last_seen", "longest"]
RunBasis = Literal["dates", "started", "seen"]
Facet = Literal[
    "brand",
    "role",
    "source",
    "platform",
    "format",
    "status",
    "language",
    "label",
    "domain",
    "safety",
    "passed",
    "failed",
]


class AdRow(Answer, frozen=True, kw_only=True):
    """An ad in a list. `title` and `body` are the first ones, cut to 300 characters.

    `run_days` counts both ends; `run_basis` says by what: the source's dates, its begin and when it
    was last seen, or when it was first and last seen. `safety` is the highest score of its creatives
    in [0, 1], `safety_level` the highest level of copy and creatives; null: nobody judged.
    `vendor_status` is the source's own word. `near_duplicates` counts the brandspace's other ads with
    nearly the same creative, where the list is collapsed, else null.
    """

    role: BrandRole
    status: Status
    near_duplicates: int | None
    thumbnail_url: str | None
    id: int
    brand: str
    source: str
    source_ad_id: str
    private: bool
    advertiser: str
    title: str
    body: str
    cta: str
    format: str
    kind: str | None
    assets: int
    platforms: tuple[str, ...]
    languages: tuple[str, ...]
    countries: tuple[str, ...]
    landing_domain: str
    vendor_status: str
    started_on: date | None
    stopped_on: date | None
    first_seen_at: datetime
    last_seen_at: datetime
    run_days: int
    run_basis: RunBasis
    labels: tuple[str, ...]
    rules_passed: tuple[str, ...]
    rules_failed: tuple[str, ...]
    safety: float | None
    safety_level: Level | None


FIELDS: tuple[str, ...] = AdRow.__struct_fields__


class Count(Answer, frozen=True, kw_only=True):
    """How many ads have a value."""

    value: str
    ads: int


class Facets(Answer, frozen=True, kw_only=True):
    """Of the ads that the filter leaves, counts by value, most first; an ad may have several values, or none.

    Each has at most 200 values; null: it was not asked for. An ad of several brands counts for each of them
    in `brand`, for each of their roles in `role`, and once in all others. `domain` are hosts of landing pages,
    `safety` levels of ads that were judged, `passed` and `failed` rules of scores as `pack:rule`.
    """

    total: int
    brand: tuple[Count, ...] | None
    role: tuple[Count, ...] | None
    source: tuple[Count, ...] | None
    platform: tuple[Count, ...] | None
    format: tuple[Count, ...] | None
    status: tuple[Count, ...] | None
    language: tuple[Count, ...] | None
    label: tuple[Count, ...] | None
    domain: tuple[Count, ...] | None
    safety: tuple[Count, ...] | None
    passed: tuple[Count, ...] | None
    failed: tuple[Count, ...] | None


class BrandCount(Answer, frozen=True, kw_only=True):
    """A brand of the brandspace; `new` ads were first seen in the last `new_days`."""

    brand: str
    role: BrandRole
    ads: int
    new: int
    running: int
    stopped: int
    not_looked: int
    unknown: int


class WeekCount(Answer, frozen=True, kw_only=True):
    """A week by its Monday, UTC: ads first seen in it, and ads that stopped in it by their source's date."""

    week: date
    new: int
    stopped: int


class Statistics(Answer, frozen=True, kw_only=True):
    """A brandspace in numbers. Totals count an ad of several brands once; `weeks` are the last 26 with any."""

    ads: int
    new: int
    new_days: int
    running: int
    stopped: int
    not_looked: int
    unknown: int
    brands: tuple[BrandCount, ...]
    formats: tuple[Count, ...]
    labels: tuple[Count, ...]
    weeks: tuple[WeekCount, ...]


class AdBrand(Answer, frozen=True, kw_only=True):
    """A brand that the ad is of."""

    brand: str
    name: str
    status: Status


class AdAsset(Answer, frozen=True, kw_only=True):
    """A creative, or a picture that stands for one (`role` preview); addresses are good for a short time."""

    sha256: str
    position: int
    role: str
    kind: str
    content_type: str
    size_bytes: int
    width: int | None
    height: int | None
    duration_s: float | None
    url: str
    thumbnail_url: str | None


class AdAnalysis(Answer, frozen=True, kw_only=True):
    """The current result of an analyzer on the ad's copy, or on the creative `sha256`, with its evidence.

    Vectors of embeddings are left out. The cost is that of the one time that it was made, for all
    ads that share it.
    """

    analyzer: str
    version: int
    sha256: str | None
    state: str
    result: Any
    error_code: str | None
    error: str | None
    cost_usd: float
    duration_ms: float | None
    done_at: datetime | None


class AdObservation(Answer, frozen=True, kw_only=True):
    """What the source said on one day."""

    observed_on: date
    observed_at: datetime
    status: str
    reach: int | None
    spend_lower: float | None
    spend_upper: float | None
    impressions_lower: float | None
    impressions_upper: float | None
    currency: str | None


class AdBatch(Answer, frozen=True, kw_only=True):
    """A batch that brought the ad: the first one and the last one."""

    id: str
    brand: str
    created_at: datetime
    committed_at: datetime | None


class AdFlag(Answer, frozen=True, kw_only=True):
    """Something that does not fit together in the ad."""

    flag: str
    details: Any
    since: datetime


class AdDetail(Answer, frozen=True, kw_only=True):
    """All that is known of one ad.

    `near_duplicates` are ads with nearly the same creative, by id. `raw` is the source's record as
    the last batch brought it, null where it is not at hand.
    """

    id: int
    source: str
    source_ad_id: str
    private: bool
    advertiser: str
    advertiser_id: str
    titles: tuple[str, ...]
    bodies: tuple[str, ...]
    captions: tuple[str, ...]
    descriptions: tuple[str, ...]
    cta: str
    landing_url: str
    link: str
    format: str
    platforms: tuple[str, ...]
    languages: tuple[str, ...]
    countries: tuple[str, ...]
    vendor_status: str
    started_on: date | None
    stopped_on: date | None
    media_outcome: str
    first_seen_at: datetime
    last_seen_at: datetime
    brands: tuple[AdBrand, ...]
    assets: tuple[AdAsset, ...]
    analyses: tuple[AdAnalysis, ...]
    observations: tuple[AdObservation, ...]
    flags: tuple[AdFlag, ...]
    first_batch: AdBatch
    last_batch: AdBatch
    near_duplicates: tuple[int, ...]
    raw: Any
