"""The source itself: walks the slices, resolves media, turns records into ads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import ClassVar

import msgspec

from adology import Ad, Brand, Context, Media, Page, Source, Terminal
from adology_facebook.archive import Archive, BadRequestError, RawPage, TooDeepError, refused
from adology_facebook.convert import to_ad
from adology_facebook.progress import Progress, find_progress, plan
from adology_facebook.resolvers import SnapshotResolver, make_resolver
from adology_facebook.settings import FacebookSettings
from adology_facebook.snapshot import Resolution


class Facebook(Source[FacebookSettings, date]):
    """Ads of Meta pages. Handles are numeric page ids; the cursor is the day of the last gathering.

    A later gathering asks for ads that delivered since that day: new ones, and the ones that
    still run. Where the library shows only political ads (outside the EU and the UK), an empty
    answer does not mean that the brand runs none.
    """

    name = "facebook"
    version = 1
    lag: ClassVar[timedelta] = timedelta(days=2)

    async def check(self, ctx: Context[FacebookSettings]) -> None:
        """Ask for one ad. Raises ConfigError with Meta's reason when the token does not work."""
        await Archive(ctx).check()

    async def pages(
        self, ctx: Context[FacebookSettings], brand: Brand, since: date | None
    ) -> AsyncIterator[Page[date]]:
        """The brand's ads, slice by slice; the cursor comes with the last page of a whole gathering.

        Raises:
            Terminal: at the end, when a part could not be gathered; names each part.
        """
        progress = find_progress(ctx.resume) or self._plan(ctx, brand, since)
        archive = Archive(ctx)
        resumed = ctx.resume is not None
        async with make_resolver(ctx) as resolver:
            while not progress.is_done:
                if ctx.settings.max_pages and progress.calls >= ctx.settings.max_pages:
                    progress = _stop(progress, ctx.settings.max_pages)
                    break
                raw, progress = await self._step(ctx, archive, progress)
                if raw is None:
                    continue
                ads = await self._convert(ctx, resolver, raw)
                done = progress.is_done and not progress.failed
                resumed = True
                yield Page(ads=ads, cursor=progress.began if done else None, resume=progress.encode())
        if not resumed and not progress.failed:
            yield Page(ads=(), cursor=progress.began, resume=progress.encode())
        if progress.failed:
            raise Terminal(f"{ctx.plugin}: incomplete: {'; '.join(progress.failed)}", code="ADO-2104")

    async def resolve(self, ctx: Context[FacebookSettings], ad: Ad, media: Media) -> Media | None:
        """The file at the same place of the ad's snapshot, read anew."""
        async with make_resolver(ctx) as resolver:
            fresh = (await resolver.resolve(ad.id)).media
        alike = [item for item in fresh if (item.kind, item.role) == (media.kind, media.role)]
        return next((item for item in alike if item.position == media.position), None)

    def _plan(self, ctx: Context[FacebookSettings], brand: Brand, since: date | None) -> Progress:
        handles = brand.handles_for(ctx.plugin)
        pages = tuple(dict.fromkeys(handle for handle in handles if handle.isascii() and handle.isdigit()))
        wrong = tuple(handle for handle in handles if handle not in pages)
        problem = f"handles {', '.join(map(repr, wrong))} are not Meta page ids (digits only)"
        if wrong and not pages:
            raise Terminal(f"{ctx.plugin}: brand {brand.id}: {problem}", code="ADO-2103")
        today = ctx.now().date()
        first = today - timedelta(days=ctx.settings.lookback_days) if since is None else since - self.lag
        return plan(pages, ctx.settings.countries, first, today, (problem,) if wrong else ())

    async def _step(
        self, ctx: Context[FacebookSettings], archive: Archive, progress: Progress
    ) -> tuple[RawPage | None, Progress]:
        """One call and what it means for the progress; no page when the slice was cut or given up."""
        query = progress.slice
        try:
            raw = await archive.get_page(query, progress.after)
        except TooDeepError as error:
            ctx.log.bind(slice=str(query)).info("slice is too much for the vendor")
            return None, progress.split_slice() or progress.fail_slice(f"{query}: {error}")
        except BadRequestError as error:
            if progress.after is not None and not progress.restarted:
                # Cursors expire, and Meta says no more than "bad parameter".
                ctx.log.bind(slice=str(query)).info("cursor refused, slice starts over")
                return None, progress.restart_slice()
            failure = refused(ctx.plugin, query, error)
            if len(progress.todo) == 1 and not progress.calls and not progress.failed:
                raise failure from None
            return None, progress.fail_slice(failure.message)
        progress = msgspec.structs.replace(progress, calls=progress.calls + 1)
        if raw.after is None:
            return raw, progress.finish_slice()
        turned = progress.turn_page(raw.after, len(raw.records))
        if turned.rows < ctx.settings.max_slice_rows:
            return raw, turned
        return raw, turned.split_slice() or turned

    async def _convert(
        self, ctx: Context[FacebookSettings], resolver: SnapshotResolver, raw: RawPage
    ) -> tuple[Ad, ...]:
        """The page's ads with their media, in order; snapshots are read a few at a time."""
        today = ctx.now().date()
        gate = asyncio.Semaphore(ctx.settings.snapshot_concurrency)

        async def resolve(ad_id: str) -> Resolution:
            async with gate:
                return await resolver.resolve(ad_id)

        ads = [to_ad(record, today=today, site_url=ctx.settings.site_url) for record in raw.records]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(resolve(ad.id)) for ad in ads]
        except* Exception as errors:  # noqa: BLE001 - unwrapped: the engine acts on the error's class
            raise _first_error(errors) from None
        resolutions = [task.result() for task in tasks]
        unresolved = sum(r.outcome == "unresolved" for r in resolutions)
        if unresolved and ctx.settings.media != "none":
            reasons = sorted({r.reason for r in resolutions if r.reason})[:3]
            ctx.log.bind(unresolved=unresolved, ads=len(ads), reasons=reasons).warning("media not found")
        return tuple(_merge(ad, resolution) for ad, resolution in zip(ads, resolutions, strict=True))


def _stop(progress: Progress, max_pages: int) -> Progress:
    reason = f"stopped after {max_pages} pages (setting max_pages) with {len(progress.todo)} queries unfinished"
    return msgspec.structs.replace(progress, todo=(), failed=(*progress.failed, reason))


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


def _first_error(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
