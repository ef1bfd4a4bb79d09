"""One page's records turned into ads with their media, a few snapshots at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Set as AbstractSet

import msgspec

from adology import Ad, Context
from adology_facebook.archive import RawPage
from adology_facebook.convert import to_ad
from adology_facebook.resolvers import SnapshotResolver
from adology_facebook.settings import FacebookSettings
from adology_facebook.snapshot import Resolution

_REMOVED = Resolution(outcome="removed", reason="the record says that the ad was removed")


class Reading(msgspec.Struct, frozen=True):
    """The ads that could be read, in the page's order, and the first error if not all could."""

    ads: tuple[Ad, ...]
    error: Exception | None = None


async def read_ads(
    ctx: Context[FacebookSettings], resolver: SnapshotResolver, raw: RawPage, *, skip: AbstractSet[str]
) -> Reading:
    """The page's ads but those in `skip`, each once.

    Errors are returned, not raised: a site that blocks us in the middle of a page must not cost
    the ads before it, or a gathering whose pages are longer than its patience would never end.
    """
    today, site = ctx.now().date(), ctx.settings.site_url
    listed = [to_ad(record, today=today, site_url=site) for record in raw.records]
    ads = list({ad.id: ad for ad in listed if ad.id not in skip}.values())
    gate = asyncio.Semaphore(ctx.settings.snapshot_concurrency)
    errors: list[Exception] = []

    async def resolve(ad: Ad) -> Resolution | None:
        if ad.media_outcome == "removed":
            return _REMOVED
        async with gate:
            if errors:
                return None
            try:
                return await resolver.resolve(ad.id)
            except Exception as error:  # noqa: BLE001 - handed to the caller together with what was read
                errors.append(error)
                return None

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(resolve(ad)) for ad in ads]
    found = [(ad, task.result()) for ad, task in zip(ads, tasks, strict=True)]
    read = tuple((ad, resolution) for ad, resolution in found if resolution is not None)
    _warn(ctx, [resolution for _, resolution in read])
    return Reading(tuple(_merge(ad, resolution) for ad, resolution in read), errors[0] if errors else None)


def _warn(ctx: Context[FacebookSettings], resolutions: list[Resolution]) -> None:
    """A jump of unresolved media means that pages changed: it must not pass silently."""
    reasons = [item.reason for item in resolutions if item.outcome == "unresolved"]
    if reasons and ctx.settings.media != "none":
        ctx.log.bind(unresolved=len(reasons), ads=len(resolutions), reasons=sorted(set(reasons))[:3]).warning(
            "media not found"
        )


def _merge(ad: Ad, found: Resolution) -> Ad:
    return msgspec.structs.replace(
        ad,
        media=found.media,
        media_outcome=found.outcome,
        cta=found.cta,
        landing_url=found.landing_url,
        format=found.format,
        bodies=ad.bodies or found.bodies,
        raw={**ad.raw, "media_reason": found.reason} if found.reason else ad.raw,
    )
