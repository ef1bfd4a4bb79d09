"""The tables and answers of the peer in FastAPI and SQLAlchemy, as its users would write them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map: ClassVar = {
        list[str]: ARRAY(Text), dict[str, Any]: JSONB, int: BigInteger, datetime: DateTime(timezone=True),
    }  # fmt: skip


class SpaceBrand(Base):
    """A brand in a brandspace."""

    __tablename__ = "brandspace_brands"
    brandspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    brand: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]


class Coverage(Base):
    """When a source was looked at."""

    __tablename__ = "feed_coverage"
    brand: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    tried_at: Mapped[datetime]
    outcome: Mapped[str]
    read_at: Mapped[datetime | None]
    whole_at: Mapped[datetime | None]


class Feed(Base):
    """A row of a list."""

    __tablename__ = "feed"
    brand: Mapped[str] = mapped_column(primary_key=True)
    ad_id: Mapped[int] = mapped_column(primary_key=True)
    owner_org_id: Mapped[str | None]
    source: Mapped[str]
    source_ad_id: Mapped[str]
    format: Mapped[str]
    platforms: Mapped[list[str]]
    languages: Mapped[list[str]]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    looked_at: Mapped[datetime]
    started_on: Mapped[date | None]
    stopped_on: Mapped[date | None]
    vendor_status: Mapped[str]
    run_days: Mapped[int]
    run_basis: Mapped[str]
    landing_domain: Mapped[str]
    labels: Mapped[list[str]]
    rules_passed: Mapped[list[str]]
    rules_failed: Mapped[list[str]]
    safety: Mapped[float | None]
    safety_level: Mapped[int | None]


class FeedItem(Base):
    """What is shown of it."""

    __tablename__ = "feed_items"
    brand: Mapped[str] = mapped_column(primary_key=True)
    ad_id: Mapped[int] = mapped_column(primary_key=True)
    thumbnail: Mapped[str | None]


class Ad(Base):
    """An ad, with all that belongs to it."""

    __tablename__ = "ads"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    source_ad_id: Mapped[str]
    advertiser: Mapped[str]
    titles: Mapped[list[str]]
    bodies: Mapped[list[str]]
    captions: Mapped[list[str]]
    descriptions: Mapped[list[str]]
    cta: Mapped[str]
    landing_url: Mapped[str]
    countries: Mapped[list[str]]
    format: Mapped[str]
    platforms: Mapped[list[str]]
    languages: Mapped[list[str]]
    status: Mapped[str]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    links: Mapped[list[AdAsset]] = relationship()
    analyses: Mapped[list[AdAnalysis]] = relationship()
    observations: Mapped[list[Observation]] = relationship()
    brands: Mapped[list[BrandAd]] = relationship()


class BrandAd(Base):
    """An ad of a brand."""

    __tablename__ = "brand_ads"
    brand: Mapped[str] = mapped_column(primary_key=True)
    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.id"), primary_key=True)


class Asset(Base):
    """A creative."""

    __tablename__ = "assets"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    content_type: Mapped[str]
    size_bytes: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    s3_path: Mapped[str]
    thumbnail: Mapped[str | None]


class AdAsset(Base):
    """A creative of an ad."""

    __tablename__ = "ad_assets"
    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("assets.sha256"), primary_key=True)
    asset: Mapped[Asset] = relationship()
    analyses: Mapped[list[AssetAnalysis]] = relationship(
        primaryjoin="foreign(AssetAnalysis.sha256) == AdAsset.sha256", viewonly=True
    )


class Analysis(Base):
    """What an analyzer said."""

    __tablename__ = "analyses"
    key: Mapped[str] = mapped_column(primary_key=True)
    analyzer: Mapped[str]
    version: Mapped[int]
    state: Mapped[str]
    result: Mapped[dict[str, Any] | None]
    cost_usd: Mapped[float]
    done_at: Mapped[datetime | None]


class AdAnalysis(Base):
    """An analysis of an ad's copy."""

    __tablename__ = "ad_analyses"
    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.id"), primary_key=True)
    analyzer: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(ForeignKey("analyses.key"))
    analysis: Mapped[Analysis] = relationship()


class AssetAnalysis(Base):
    """An analysis of a creative."""

    __tablename__ = "asset_analyses"
    sha256: Mapped[str] = mapped_column(ForeignKey("assets.sha256"), primary_key=True)
    analyzer: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(ForeignKey("analyses.key"))
    analysis: Mapped[Analysis] = relationship()


class Observation(Base):
    """A day of an ad."""

    __tablename__ = "observations"
    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.id"), primary_key=True)
    observed_on: Mapped[date] = mapped_column(primary_key=True)
    status: Mapped[str]
    reach: Mapped[int | None]


class Shown(BaseModel):
    """Answers are made of rows."""

    model_config = ConfigDict(from_attributes=True)


class AdRow(Shown):
    """A row of the list."""

    ad_id: int
    brand: str
    role: str
    status: str
    thumbnail_url: str | None
    source: str
    source_ad_id: str
    private: bool
    advertiser: str
    title: str
    body: str
    cta: str
    countries: list[str]
    format: str
    platforms: list[str]
    languages: list[str]
    landing_domain: str
    vendor_status: str
    started_on: date | None
    stopped_on: date | None
    first_seen_at: datetime
    last_seen_at: datetime
    run_days: int
    run_basis: str
    labels: list[str]
    rules_passed: list[str]
    rules_failed: list[str]
    safety: float | None
    safety_level: int | None


class Page(Shown):
    """A page of the list."""

    items: list[AdRow]
    next: str | None


class Count(Shown):
    """A value and how many ads have it."""

    value: str
    ads: int


class Facets(Shown):
    """Counts."""

    total: int
    facets: dict[str, list[Count]]


class BrandCount(Shown):
    """A brand in numbers."""

    brand: str
    role: str
    ads: int
    new: int
    states: dict[str, int]


class Statistics(Shown):
    """A brandspace in numbers."""

    ads: int
    brands: list[BrandCount]
    formats: list[Count]
    labels: list[Count]
    weeks: list[Count]


class AssetOut(Shown):
    """A creative."""

    sha256: str
    kind: str
    content_type: str
    size_bytes: int
    width: int | None
    height: int | None
    url: str
    thumbnail_url: str | None


class AnalysisOut(Shown):
    """What an analyzer said."""

    analyzer: str
    version: int
    state: str
    result: dict[str, Any] | None
    cost_usd: float
    done_at: datetime | None


class ObservationOut(Shown):
    """A day."""

    observed_on: date
    status: str
    reach: int | None


class AdOut(Shown):
    """One ad."""

    id: int
    source: str
    source_ad_id: str
    advertiser: str
    titles: list[str]
    bodies: list[str]
    captions: list[str]
    descriptions: list[str]
    cta: str
    landing_url: str
    countries: list[str]
    format: str
    platforms: list[str]
    languages: list[str]
    status: str
    first_seen_at: datetime
    last_seen_at: datetime
    brands: list[str]
    assets: list[AssetOut]
    analyses: list[AnalysisOut]
    observations: list[ObservationOut]


class Alike(Shown):
    """A creative that looks like one of the ad's."""

    subject: str
    similarity: float
    ads: list[int]


class AlikeList(Shown):
    """The nearest first."""

    items: list[Alike]
