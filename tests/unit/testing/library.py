"""A vendor on loopback, and a source that keeps every promise; mutants break one each."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar

import aiohttp
from aiohttp import web

from adology import Ad, Advertiser, Brand, Context, Page, Secret, Settings, Source, Struct
from adology.advertisers import Sighting, rank
from adology.testing import SourceConformance

TOKEN = "made-up-token-4711"
PER_PAGE = 2


@contextlib.asynccontextmanager
async def vendor() -> AsyncIterator[dict[str, Any]]:
    """Six ads of advertiser 1, newest first unless ``order=oldest``; none of advertiser 2."""
    ads = {f"ad-{n}": date(2026, 1, 1) + timedelta(days=3 * n) for n in range(6)}

    async def list_ads(request: web.Request) -> web.Response:
        since = date.fromisoformat(request.query.get("since", "2000-01-01"))
        known = ads if request.query["advertiser"] == "1" else {}
        found = sorted(((day, name) for name, day in known.items() if day >= since), reverse=True)
        if request.query.get("order") == "oldest":
            found.reverse()
        start = int(request.query.get("page", "0"))
        page = [{"id": name, "day": day.isoformat()} for day, name in found[start : start + PER_PAGE]]
        following = str(start + PER_PAGE) if start + PER_PAGE < len(found) else None
        return web.json_response({"ads": page, "next": following})

    async def publish(_: web.Request) -> web.Response:
        ads["late"] = max(ads.values()) - timedelta(days=1)
        return web.json_response({"id": "late"})

    async def list_advertisers(request: web.Request) -> web.Response:
        known = [{"id": "1", "name": "Acme"}, {"id": "2", "name": "Acme Tools"}]
        return web.json_response([one for one in known if request.query["name"] in one["name"]])

    app = web.Application()
    app.add_routes([web.get("/advertisers", list_advertisers)])
    app.add_routes([web.get("/ads", list_ads), web.post("/publish", publish)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield {"base_url": f"http://127.0.0.1:{runner.addresses[0][1]}"}
    finally:
        await runner.cleanup()


class LibrarySettings(Settings, frozen=True, kw_only=True):
    token: Annotated[str, Secret()]
    base_url: str = "http://127.0.0.1:1"


class Row(Struct, frozen=True, kw_only=True):
    id: str
    day: date


class Answer(Struct, frozen=True, kw_only=True):
    ads: list[Row]
    next: str | None = None


class Found(Struct, frozen=True, kw_only=True):
    id: str
    name: str


class Library(Source[LibrarySettings, date]):
    name = "library"
    version = 1
    lag = timedelta(days=2)
    order = "newest"

    async def pages(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None) -> AsyncIterator[Page[date]]:
        newest = since
        following: str | None = ctx.resume or ""
        while following is not None:
            answer = await self.ask(ctx, brand, since, following)
            newest = max([row.day for row in answer.ads] + ([newest] if newest else []), default=newest)
            following = answer.next
            yield self.page(answer, newest)

    async def ask(self, ctx: Context[LibrarySettings], brand: Brand, since: date | None, page: str) -> Answer:
        token = ctx.secret("token")
        return await ctx.get(
            f"{ctx.settings.base_url}/ads",
            Answer,
            headers={"Authorization": f"Bearer {token}"},
            credential=token,
            advertiser=brand.handles_for("library")[0],
            since=since - self.lag if since else None,
            page=page or None,
            order=self.order,
        )

    async def find_handles(
        self, ctx: Context[LibrarySettings], name: str, domain: str
    ) -> tuple[Advertiser, ...] | None:
        token = ctx.secret("token")
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{ctx.settings.base_url}/advertisers"
        found = await ctx.get(url, list[Found], headers=headers, credential=token, name=name)
        seen = [Sighting(handle=one.id, name=one.name) for one in found]
        return rank(seen, name=name, domain=domain, link=lambda handle: f"https://library.example/{handle}")

    def page(self, answer: Answer, newest: date | None) -> Page[date]:
        ads = tuple(Ad(id=row.id, bodies=(f"Sale {row.id}",), started_on=row.day) for row in answer.ads)
        return Page(ads=ads, cursor=newest)


class LibraryKit(SourceConformance):
    plugin = Library
    settings: ClassVar = {"token": "env:LIBRARY_TOKEN"}
    secrets: ClassVar = {"LIBRARY_TOKEN": TOKEN}
    brand = Brand(id="acme", handles={"library": ("1",)})
    look_for = ("Acme", "acme.example")
    empty_brand = Brand(id="nobody", handles={"library": ("2",)})

    def vendor(self) -> contextlib.AbstractAsyncContextManager[dict[str, Any]]:
        return vendor()

    async def publish_late(self, settings: Any) -> str:
        async with aiohttp.ClientSession() as session, session.post(f"{settings['base_url']}/publish") as answer:
            return str((await answer.json())["id"])
