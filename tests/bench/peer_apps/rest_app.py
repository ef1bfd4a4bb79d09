"""The same addresses in FastAPI and SQLAlchemy, as their documentation has it: async sessions, ORM rows, models.

It is let off much that the server does: it asks nobody who they are, has no limits, logs and audits
nothing, and takes the organisation from a header. It reads the same tables under the same policies.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException, Query
from sqlalchemy import ColumnElement, and_, case, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import aliased, selectinload

from adology.settings import load_settings
from adology_server.files import SignedUrls, key_of
from tests.bench.api.vectors import Vectors
from tests.bench.peer_apps.rest_models import (
    Ad,
    AdAnalysis,
    AdAsset,
    AdOut,
    AdRow,
    Alike,
    AlikeList,
    AnalysisOut,
    AssetAnalysis,
    AssetOut,
    BrandAd,
    BrandCount,
    Count,
    Coverage,
    Facets,
    Feed,
    FeedItem,
    ObservationOut,
    Page,
    SpaceBrand,
    Statistics,
)  # fmt: skip

SETTINGS = load_settings(config=Path(os.environ["BENCH_CONFIG"]))
URLS = SignedUrls(SETTINGS)
ENGINE = create_async_engine(
    SETTINGS.postgres.url.replace("postgresql://", "postgresql+asyncpg://"),
    pool_size=SETTINGS.server.pool_size,
    max_overflow=0,
    connect_args={"server_settings": {"role": "adology_app", "random_page_cost": "1.1"}},
)
SESSIONS = async_sessionmaker(ENGINE, expire_on_commit=False)
STALE = timedelta(seconds=SETTINGS.server.stale_look_s)


@asynccontextmanager
async def _opened(app: FastAPI) -> AsyncIterator[None]:
    app.state.vectors = Vectors.load(SETTINGS.postgres.url)
    yield
    await ENGINE.dispose()


app = FastAPI(lifespan=_opened)


async def _session(organisation: Annotated[str, Header()]) -> AsyncIterator[AsyncSession]:
    async with SESSIONS() as session, session.begin():
        await session.execute(text("select set_config('adology.org_id', :org, true)"), {"org": organisation})
        yield session


Session = Annotated[AsyncSession, Depends(_session)]


def _status() -> ColumnElement[str]:
    """What is known of an ad now."""
    today = datetime.now(UTC).date()
    return case(
        (or_(Feed.vendor_status == "stopped", Feed.stopped_on < today), "stopped"),
        (Feed.looked_at < Coverage.whole_at, "stopped"),
        (Coverage.tried_at.is_(None), "unknown"),
        (
            or_(
                and_(Feed.looked_at < Coverage.tried_at, Coverage.outcome.not_in(["ok", "empty"])),
                func.greatest(Feed.looked_at, Coverage.read_at) < datetime.now(UTC) - STALE,
            ),
            "not_looked",
        ),
        (and_(Feed.vendor_status == "active", Feed.looked_at >= Coverage.read_at), "running"),
        else_="unknown",
    )


def _of_space(statement: Any, space: UUID) -> Any:
    return (
        statement.select_from(Feed)
        .join(SpaceBrand, SpaceBrand.brand == Feed.brand)
        .outerjoin(Coverage, and_(Coverage.brand == Feed.brand, Coverage.source == Feed.source))
        .where(SpaceBrand.brandspace_id == space)
    )


@app.get("/v1/ads")
async def list_ads(
    session: Session,
    brandspace: UUID,
    label: Annotated[list[str] | None, Query()] = None,
    platform: Annotated[list[str] | None, Query()] = None,
    status: Annotated[list[str] | None, Query()] = None,
    sort: str = "newest",
    limit: int = 50,
) -> Page:
    """A page of the list."""
    told = _status()
    shown = and_(FeedItem.brand == Feed.brand, FeedItem.ad_id == Feed.ad_id)
    columns = select(Feed, SpaceBrand.role, told, Ad, FeedItem.thumbnail)
    statement = _of_space(columns, brandspace).join(Ad, Ad.id == Feed.ad_id).join(FeedItem, shown)
    if label:
        statement = statement.where(Feed.labels.overlap(label))
    if platform:
        statement = statement.where(Feed.platforms.overlap(platform))
    if status:
        statement = statement.where(told.in_(status))
    key = Feed.last_seen_at if sort == "last_seen" else Feed.first_seen_at
    statement = statement.order_by(key.desc(), Feed.ad_id.desc()).limit(limit + 1)
    rows = (await session.execute(statement)).all()
    items = [_row(*row) for row in rows[:limit]]
    return Page(items=items, next=f"{rows[limit - 1][0].ad_id}" if len(rows) > limit else None)


def _row(feed: Feed, role: str, state: str, ad: Ad, thumbnail: str | None) -> AdRow:
    same = {name: getattr(feed, name) for name in AdRow.model_fields if hasattr(feed, name)}
    return AdRow(
        **same,
        role=role,
        status=state,
        thumbnail_url=URLS.url(thumbnail) if thumbnail else None,
        private=feed.owner_org_id is not None,
        advertiser=ad.advertiser,
        title=(ad.titles or [""])[0][:300],
        body=(ad.bodies or [""])[0][:300],
        cta=ad.cta,
        countries=ad.countries,
    )


@app.get("/v1/ads/facets")
async def count_ads(session: Session, brandspace: UUID, label: Annotated[list[str] | None, Query()] = None) -> Facets:
    """How the ads divide up."""
    what = {
        "brand": Feed.brand, "source": Feed.source, "format": Feed.format, "status": _status(),
        "platform": func.unnest(Feed.platforms), "language": func.unnest(Feed.languages),
        "label": func.unnest(Feed.labels),
    }  # fmt: skip
    facets: dict[str, list[Count]] = {}
    for name, value in what.items():
        facets[name] = await _count(session, value, brandspace, label)
    return Facets(total=sum(one.ads for one in facets["brand"]), facets=facets)


async def _count(session: AsyncSession, value: Any, space: UUID, label: list[str] | None = None) -> list[Count]:
    inner = _of_space(select(value.label("value")), space)
    if label:
        inner = inner.where(Feed.labels.overlap(label))
    found = inner.subquery()
    counted = select(found.c.value, func.count().label("ads")).group_by(found.c.value).order_by(func.count().desc())
    return [Count(value=value or "", ads=ads) for value, ads in (await session.execute(counted.limit(200))).all()]


@app.get("/v1/statistics")
async def statistics(session: Session, brandspace: UUID, new_days: int = 7) -> Statistics:
    """The brandspace in numbers."""
    new = Feed.first_seen_at >= datetime.now(UTC) - timedelta(days=new_days)
    rows = select(Feed.brand, SpaceBrand.role, _status().label("status"), new.label("new"))
    found = _of_space(rows, brandspace).subquery()
    group = (found.c.brand, found.c.role, found.c.status)
    counted = select(*group, func.count(), func.count().filter(found.c.new)).group_by(*group)
    brands: dict[str, BrandCount] = {}
    for brand, role, state, ads, fresh in (await session.execute(counted)).all():
        one = brands.setdefault(brand, BrandCount(brand=brand, role=role, ads=0, new=0, states={}))
        one.ads, one.new, one.states[state] = one.ads + ads, one.new + fresh, ads
    weeks = func.to_char(func.date_trunc("week", Feed.first_seen_at), "YYYY-MM-DD")
    return Statistics(
        ads=sum(one.ads for one in brands.values()),
        brands=list(brands.values()),
        formats=await _count(session, Feed.format, brandspace),
        labels=await _count(session, func.unnest(Feed.labels), brandspace),
        weeks=await _count(session, weeks, brandspace),
    )


@app.get("/v1/ads/{ad_id}")
async def get_ad(session: Session, ad_id: int) -> AdOut:
    """One ad."""
    whole = (
        selectinload(Ad.links).joinedload(AdAsset.asset),
        selectinload(Ad.links).selectinload(AdAsset.analyses).joinedload(AssetAnalysis.analysis),
        selectinload(Ad.analyses).joinedload(AdAnalysis.analysis),
        selectinload(Ad.observations),
        selectinload(Ad.brands),
    )
    ad = (await session.execute(select(Ad).options(*whole).where(Ad.id == ad_id))).unique().scalar_one_or_none()
    if ad is None:
        raise HTTPException(404)
    same = {
        name: getattr(ad, name)
        for name in AdOut.model_fields
        if name not in ("brands", "assets", "analyses", "observations")
    }
    found = [*(one.analysis for one in ad.analyses), *(one.analysis for link in ad.links for one in link.analyses)]
    return AdOut(
        **same,
        brands=[one.brand for one in ad.brands],
        assets=[_asset(link) for link in ad.links],
        analyses=[_analysis(one) for one in found],
        observations=[ObservationOut.model_validate(one) for one in ad.observations],
    )


def _asset(link: AdAsset) -> AssetOut:
    asset = link.asset
    same = {name: getattr(asset, name) for name in AssetOut.model_fields if hasattr(asset, name)}
    thumbnail = URLS.url(key_of(asset.thumbnail)) if asset.thumbnail else None
    return AssetOut(**same, url=URLS.url(key_of(asset.s3_path)), thumbnail_url=thumbnail)


def _analysis(one: Any) -> AnalysisOut:
    shown = AnalysisOut.model_validate(one)
    if shown.result:
        shown.result.pop("vector", None)
    return shown


@app.get("/v1/ads/{ad_id}/similar")
async def similar_ads(session: Session, ad_id: int, brandspace: UUID, limit: int = 10) -> AlikeList:
    """Creatives that look like the ad's."""
    vectors: Vectors = app.state.vectors
    brands = (await session.scalars(select(SpaceBrand.brand).where(SpaceBrand.brandspace_id == brandspace))).all()
    own = (await session.scalars(select(AdAsset.sha256).join(Ad, Ad.id == AdAsset.ad_id).where(Ad.id == ad_id))).all()
    if not own:
        raise HTTPException(404)
    near = vectors.search(own[0], brands, limit + 1)
    other = aliased(AdAsset)
    statement = (
        select(other.sha256, Ad).join(Ad, Ad.id == other.ad_id).join(BrandAd, BrandAd.ad_id == Ad.id)
        .where(other.sha256.in_([sha for sha, _ in near]), BrandAd.brand.in_(brands)).order_by(Ad.last_seen_at.desc())
    )  # fmt: skip
    ads: dict[str, list[int]] = {}
    for sha, ad in (await session.execute(statement)).all():
        ads.setdefault(sha, []).append(ad.id)
    items = [
        Alike(subject=sha, similarity=score, ads=ads[sha][:5]) for sha, score in near if sha in ads and sha not in own
    ]
    return AlikeList(items=items[:limit])
