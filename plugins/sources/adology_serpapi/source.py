"""The source itself: walks the slices, buys details where they are needed, turns rows into ads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any, ClassVar

import msgspec

from adology import Ad, Advertiser, Brand, ConfigError, Context, Media, Page, Source, Terminal
from adology_serpapi.convert import Details, needs_details, to_ad
from adology_serpapi.finding import find_advertisers
from adology_serpapi.media import is_youtube, variant_media
from adology_serpapi.progress import Progress, Slice, find_progress, plan, read_handles
from adology_serpapi.search import BadRequestError, RawPage, Search
from adology_serpapi.settings import SerpApiSettings

DETAILS_PER_PAGE = 20
"""Details bought between two stored pages: what a killed worker may have to buy again."""


class SerpApi(Source[SerpApiSettings, date]):
    """Ads of Google advertisers. Handles are advertiser ids (AR…) or domains.

    The cursor is the day of the last gathering; a later one asks for ads shown since that day.
    The library hides advertisers with age-restricted ads, so an empty answer does not mean that a
    brand runs none.
    """

    name = "serpapi"
    version = 1
    lag: ClassVar[timedelta] = timedelta(days=2)
    shows_running: ClassVar[bool] = True

    async def check(self, ctx: Context[SerpApiSettings]) -> None:
        """Ask for the account, which is free. Raises ConfigError when the key cannot search."""
        _check_settings(ctx)
        await Search(ctx).check()

    async def pages(self, ctx: Context[SerpApiSettings], brand: Brand, since: date | None) -> AsyncIterator[Page[date]]:
        """The brand's ads, slice by slice; the cursor comes with the last page of a whole gathering.

        A list page comes in parts: first the ads that need no details, then the others as their
        details arrive.

        Raises:
            Terminal: at the end, when a part could not be gathered; names each part.
        """
        _check_settings(ctx)
        walk = _Walk(ctx, find_progress(ctx.resume) or self._plan(ctx, brand, since))
        yielded = ctx.resume is not None
        while not walk.progress.is_done:
            error: Exception | None = None
            if walk.progress.pending:
                ads, error = await walk.buy_details()
            else:
                ads = await walk.read_list()
            if ads is not None:
                yielded = True
                yield walk.page(ads)
            if error is not None:
                raise error
        if not yielded and not walk.progress.failed:
            yield walk.page(())
        if walk.progress.failed:
            raise Terminal(f"{ctx.plugin}: incomplete: {'; '.join(walk.progress.failed)}", code="ADO-2204")

    async def resolve(self, ctx: Context[SerpApiSettings], ad: Ad, media: Media) -> Media | None:
        """The file at the same place of the ad's details, asked for anew: one search."""
        if is_youtube(media) or not ad.advertiser_id:
            return None
        # The cache would give back the very address that has expired.
        details = await Search(ctx).get_details(ad.advertiser_id, ad.id, fresh=True)
        place = (media.kind, media.role, media.position)
        found = (m for m in variant_media(list(details.variants)) if (m.kind, m.role, m.position) == place)
        fresh = next(found, None)
        return fresh if fresh is not None and fresh.url != media.url else None

    async def find_handles(
        self, ctx: Context[SerpApiSettings], name: str, domain: str
    ) -> tuple[Advertiser, ...] | None:
        """Advertiser ids, by a search for the domain, else for the name: one or two paid searches."""
        return await find_advertisers(ctx, name, domain)

    def _plan(self, ctx: Context[SerpApiSettings], brand: Brand, since: date | None) -> Progress:
        settings = ctx.settings
        handles = read_handles(brand.handles_for(ctx.plugin))
        problem = (
            f"handles {', '.join(map(repr, handles.wrong))} are neither advertiser ids (AR and digits) nor domains"
        )
        if handles.wrong and not handles.advertisers and not handles.domains:
            raise Terminal(f"{ctx.plugin}: brand {brand.id}: {problem}", code="ADO-2206")
        today = ctx.now().date()
        lookback = today - timedelta(days=settings.lookback_days) if settings.lookback_days else None
        return plan(
            handles,
            group=settings.advertisers_per_search,
            regions=settings.regions,
            platforms=settings.platforms,
            first=min(since - self.lag, today) if since else lookback,
            last=today,
            failed=(problem,) if handles.wrong else (),
        )


class _Walk:
    """One gathering on its way: each step makes searches and moves the progress."""

    def __init__(self, ctx: Context[SerpApiSettings], progress: Progress) -> None:
        self._ctx = ctx
        self._search = Search(ctx)
        self._today = ctx.now().date()
        # A token from before a crash may have expired meanwhile; one of this run has not.
        self._inherited = progress.token
        self.progress = progress

    def page(self, ads: tuple[Ad, ...]) -> Page[date]:
        """The ads with the token that goes on after them."""
        done = self.progress.is_done and not self.progress.failed
        return Page(ads=ads, cursor=self.progress.began if done else None, resume=self.progress.encode())

    async def read_list(self) -> tuple[Ad, ...] | None:
        """One list search: the ads that need no details; None when it brought no page."""
        progress, settings = self.progress, self._ctx.settings
        for used, limit, setting in (
            (progress.pages, settings.max_pages, "max_pages"),
            (progress.searches, settings.max_searches, "max_searches"),
        ):
            if limit and used >= limit:
                left = f"with {len(progress.todo)} queries unfinished"
                self.progress = progress.stop(f"stopped after {used} searches (setting {setting}) {left}")
                return None
        query = progress.slice
        try:
            raw = await self._search.get_page(query, progress.token)
        except BadRequestError as error:
            self._refuse(query, error)
            return None
        doubtful = progress.token is not None and progress.token == self._inherited
        if not raw.rows and doubtful and not progress.restarted:
            # SerpApi may well say "no results" to a token that has expired.
            self._ctx.log.bind(slice=str(query)).info("page token gave nothing, slice starts over")
            self.progress = progress.note_search().restart_slice()
            return None
        return self._take(query, raw)

    async def buy_details(self) -> tuple[tuple[Ad, ...] | None, Exception | None]:
        """Details of the next few pending rows: their ads (None: none finished), and what stopped us.

        Ads whose details arrived before the error are kept: they are paid for.
        """
        progress, limit = self.progress, self._ctx.settings.max_searches
        left = max(0, limit - progress.searches) if limit else DETAILS_PER_PAGE
        if not left:
            return self._leave_pending(f"max_searches = {limit} is reached"), None
        rows = progress.pending[: min(left, DETAILS_PER_PAGE)]
        found, error = await self._fetch_details(rows, progress.pending_slice)
        bought = [(row, details) for row, details in zip(rows, found, strict=True) if details is not None]
        if not bought:
            return None, error
        ads = tuple(self._ad(row, details, progress.pending_slice) for row, details in bought)
        self.progress = progress.settle(frozenset(ad.id for ad in ads), len(bought))
        unresolved = [d.reason for _, d in bought if d.reason]
        if unresolved:
            reasons = sorted(set(unresolved))[:3]
            self._ctx.log.bind(unresolved=len(unresolved), ads=len(ads), reasons=reasons).warning("details not found")
        return ads, error

    def _take(self, query: Slice, raw: RawPage) -> tuple[Ad, ...]:
        """Take a list page: its progress, and the ads that are complete with it."""
        rows = self._own_rows(query, raw.rows)
        mode = self._ctx.settings.details
        unpaid = [row for row in rows if row["ad_creative_id"] not in self.progress.detailed]
        pending = tuple(row for row in unpaid if mode == "always" or (mode == "needed" and needs_details(row)))
        waiting = {row["ad_creative_id"] for row in pending}
        # Nothing guarantees that tokens move on: the same one again would page for ever.
        token = raw.token if raw.token != self.progress.token else None
        self.progress = self.progress.take_page(token, pending)
        skipped = Details(reason="details are switched off (setting details)") if mode == "never" else None
        return tuple(
            self._ad(row, skipped if needs_details(row) else None, query)
            for row in unpaid
            if row["ad_creative_id"] not in waiting
        )

    def _own_rows(self, query: Slice, rows: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
        """Each ad's row once, without the strays that a free-text search for a domain brings."""
        unique = {row["ad_creative_id"]: row for row in rows}
        if not query.domain:
            return list(unique.values())
        own = [row for row in unique.values() if _leads_to(row, query.domain)]
        if len(own) < len(unique):
            self._ctx.log.bind(slice=str(query), strays=len(unique) - len(own)).info("ads of other domains left out")
        return own

    def _refuse(self, query: Slice, error: BadRequestError) -> None:
        progress = self.progress
        if progress.token is not None and not progress.restarted:
            # Page tokens expire, and what the vendor then says is not documented.
            self._ctx.log.bind(slice=str(query)).info("page token refused, slice starts over")
            self.progress = progress.restart_slice()
            return
        failure = f"SerpApi refuses the query for {query}: {error}"
        if len(progress.todo) == 1 and not query.singles() and not progress.pages and not progress.failed:
            raise Terminal(f"{self._ctx.plugin}: {failure}", code="ADO-2207") from None
        self.progress = progress.split_slice() or progress.fail_slice(failure)

    def _leave_pending(self, reason: str) -> tuple[Ad, ...]:
        """The pending ads as the list shows them: seen and dated, their creatives unknown."""
        progress = self.progress
        left = Details(reason=f"no details: {reason}")
        ads = tuple(self._ad(row, left, progress.pending_slice) for row in progress.pending)
        stopped = progress.stop(f"{len(ads)} ads without details and {len(progress.todo)} queries unfinished: {reason}")
        self.progress = msgspec.structs.replace(stopped, pending=(), pending_slice=None)
        return ads

    async def _fetch_details(
        self, rows: tuple[dict[str, Any], ...], query: Slice | None
    ) -> tuple[list[Details | None], Exception | None]:
        """Details of the rows, in order; None where an error came first. No search starts after an error."""
        gate = asyncio.Semaphore(self._ctx.settings.details_concurrency)
        errors: list[Exception] = []

        async def fetch(row: dict[str, Any]) -> Details | None:
            async with gate:
                if errors:
                    return None
                try:
                    return await self._search.get_details(
                        str(row.get("advertiser_id") or ""),
                        row["ad_creative_id"],
                        region=query.region if query else None,
                    )
                except Exception as error:  # noqa: BLE001 - handed to the caller, which raises it
                    errors.append(error)
                    return None

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(fetch(row)) for row in rows]
        return [task.result() for task in tasks], errors[0] if errors else None

    def _ad(self, row: dict[str, Any], details: Details | None, query: Slice | None) -> Ad:
        return to_ad(
            row,
            today=self._today,
            details=details,
            region=query.region if query else None,
            platform=query.platform if query else None,
            thumbnail_url=self._ctx.settings.youtube_thumbnail_url,
        )


def _leads_to(row: dict[str, Any], domain: str) -> bool:
    target = str(row.get("target_domain") or "").lower().removeprefix("www.")
    return not target or target == domain or target.endswith(f".{domain}")


def _check_settings(ctx: Context[SerpApiSettings]) -> None:
    if ctx.settings.political_ads and not ctx.settings.regions:
        raise ConfigError(
            f"sources.{ctx.plugin}.political_ads",
            "is true without any region, which SerpApi refuses.",
            "Set regions, for example [2840].",
            code="ADO-1005",
        )
