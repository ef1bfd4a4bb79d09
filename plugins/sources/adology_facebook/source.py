"""The source itself: walks the slices, resolves media, turns records into ads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import ClassVar

import msgspec

from adology import Ad, Advertiser, Brand, Context, Media, Page, Source, Terminal
from adology_facebook.archive import Archive, BadRequestError, RawPage, TooDeepError, refused
from adology_facebook.finding import find_pages
from adology_facebook.progress import Progress, find_progress, is_page_id, plan
from adology_facebook.reading import read_ads
from adology_facebook.resolvers import make_resolver
from adology_facebook.settings import FacebookSettings


class Facebook(Source[FacebookSettings, date]):
    """Ads of Meta pages. Handles are numeric page ids; the cursor is the day of the last gathering.

    A later gathering asks for ads that delivered since that day: new ones, and the ones that
    still run. Where the library shows only political ads (outside the EU and the UK), an empty
    answer does not mean that the brand runs none.
    """

    name = "facebook"
    version = 1
    lag: ClassVar[timedelta] = timedelta(days=2)
    shows_running: ClassVar[bool] = True

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
        archive = Archive(ctx, limit=progress.limit, heavy=not progress.light)
        resumed = ctx.resume is not None
        given = set(progress.given)  # slices overlap: an ad's snapshot is read once
        async with make_resolver(ctx) as resolver:
            while not progress.is_done:
                if ctx.settings.max_pages and progress.calls >= ctx.settings.max_pages:
                    progress = _stop(progress, ctx.settings.max_pages)
                    break
                before = progress
                raw, progress = await self._step(ctx, archive, progress)
                if raw is None:
                    continue
                found = await read_ads(ctx, resolver, raw, skip=given)
                resumed = True
                ad_ids = tuple(ad.id for ad in found.ads)
                given.update(ad_ids)
                if found.error is not None:
                    if ad_ids:
                        yield Page(ads=found.ads, resume=before.give_part(ad_ids).encode())
                    raise found.error
                done = progress.is_done and not progress.failed
                yield Page(ads=found.ads, cursor=progress.began if done else None, resume=progress.encode())
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

    async def find_handles(
        self, ctx: Context[FacebookSettings], name: str, domain: str
    ) -> tuple[Advertiser, ...] | None:
        """Page ids of ads that speak of the name, else of the domain: one or two calls, free of charge."""
        return await find_pages(ctx, name, domain)

    def _plan(self, ctx: Context[FacebookSettings], brand: Brand, since: date | None) -> Progress:
        handles = brand.handles_for(ctx.plugin)
        pages = tuple(dict.fromkeys(handle for handle in handles if is_page_id(handle)))
        wrong = tuple(handle for handle in handles if handle not in pages)
        problem = f"handles {', '.join(map(repr, wrong))} are not Meta page ids (digits only)"
        if wrong and not pages:
            raise Terminal(f"{ctx.plugin}: brand {brand.id}: {problem}", code="ADO-2105")
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
            # Cursors expire, and Meta says no more than "bad parameter".
            again = progress.restart_slice() if progress.after is not None else None
            if again is not None:
                ctx.log.bind(slice=str(query)).info("cursor refused, slice starts over")
                return None, again
            failure = refused(ctx.plugin, query, error)
            if len(progress.todo) == 1 and not progress.calls and not progress.failed:
                raise failure from None
            return None, progress.fail_slice(failure.message)
        limit = archive.limit if archive.limit < ctx.settings.limit else None
        progress = msgspec.structs.replace(progress, calls=progress.calls + 1, limit=limit, light=not archive.heavy)
        if raw.after is None:
            return raw, progress.finish_slice()
        turned = progress.turn_page(raw.after, len(raw.records))
        if turned.rows < ctx.settings.max_slice_rows:
            return raw, turned
        return raw, turned.split_slice() or turned


def _stop(progress: Progress, max_pages: int) -> Progress:
    reason = f"stopped after {max_pages} pages (setting max_pages) with {len(progress.todo)} queries unfinished"
    return msgspec.structs.replace(progress, todo=(), failed=(*progress.failed, reason))
