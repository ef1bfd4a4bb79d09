"""A small world, the stand-in over it, and the source asking it: everything over real sockets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from adology import Ad, Brand, Context, Media, Page
from adology.http import HttpClient, Pacers
from adology_serpapi import SerpApi, SerpApiSettings
from upstreams.faults import Fault
from upstreams.serpapi import API_KEY, SerpApiRules, SerpApiServer
from upstreams.server import LoggedRequest
from upstreams.world import Creative, World, WorldAd, WorldBrand

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = NOW.date()
ACME, OTHER = "AR10000000000000000001", "AR10000000000000000002"
SEARCH = "/search"
Handles = tuple[str, ...]


class Clock:
    """Unix time that a test moves."""

    def __init__(self) -> None:
        self.at = NOW.timestamp()

    def __call__(self) -> float:
        return self.at

    def pass_time(self, **parts: float) -> None:
        self.at += timedelta(**parts).total_seconds()


def make_creative(name: str, kind: str = "image", **over: Any) -> Creative:
    ending, content_type = ("png", "image/png") if kind == "image" else ("mp4", "video/mp4")
    given: dict[str, Any] = {
        "id": name,
        "file": f"{name}.{ending}",
        "kind": kind,
        "content_type": content_type,
        "width": 300,
        "height": 250,
        "sha256": name.ljust(64, "0"),
        "headline": "Fresh",
        "price": "9.99",
        "language": "en",
    }
    return Creative(**{**given, **over})


def make_ad(number: int, fmt: str = "image", **over: Any) -> WorldAd:
    creative = () if fmt == "video" and over.get("youtube_id") else (f"{'v' if fmt == 'video' else 'i'}{number}",)
    given: dict[str, Any] = {
        "id": f"CR{number:020d}",
        "network": "google",
        "format": fmt,
        "bodies": (f"Body {number}",),
        "titles": (f"Title {number}",),
        "cta": "Learn more",
        "landing_url": f"https://acme.example/{number}",
        "countries": ("US", "DE"),
        "started_on": TODAY - timedelta(days=30),
        "creatives": creative,
    }
    return WorldAd(**{**given, **over})


def make_brand(
    ads: Sequence[WorldAd], *, advertiser: str = ACME, name: str = "Acme", domain: str = "acme.example"
) -> WorldBrand:
    return WorldBrand(
        id=name.lower(),
        name=name,
        meta_page_id="1",
        google_advertiser_id=advertiser,
        domain=domain,
        ads=tuple(ads),
    )


def make_world(*brands: WorldBrand) -> World:
    names = {name for brand in brands for ad in brand.ads for name in ad.creatives}
    creatives = tuple(make_creative(name, "video" if name.startswith("v") else "image") for name in sorted(names))
    return World(seed=1, made_on=TODAY, brands=brands, creatives=creatives)


def mixed_ads(count: int = 12) -> list[WorldAd]:
    """Of every four: an image, a YouTube video, a text ad, a video file."""
    kinds = ("image", "video", "text", "video")
    return [make_ad(n, kinds[n % 4], **({"youtube_id": f"ytvideo{n:04d}"} if n % 4 == 1 else {})) for n in range(count)]


class Rig:
    """The stand-in, one HTTP client, and a clock for both sides."""

    def __init__(self, *brands: WorldBrand, rules: SerpApiRules | None = None, url_for: Any = None) -> None:
        self.clock = Clock()
        # Every image has its picture unless a test says otherwise.
        rules = rules or SerpApiRules(pictureless=0)
        self.server = SerpApiServer(
            make_world(*brands),
            url_for or (lambda file: f"https://cdn.example/{file}"),
            rules=rules,
            clock=self.clock,
        )
        self.http = HttpClient(timeout_s=5.0)
        self.pacers = Pacers(time.monotonic)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.server)
        await self._stack.enter_async_context(self.http)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def restart(self) -> None:
        """A new process of ours: it knows of no pause."""
        self.pacers = Pacers(time.monotonic)

    def context(self, *, resume: str | None = None, **settings: Any) -> Context[SerpApiSettings]:
        quick = {"backoff_s": 0.0, "burst": 1000}
        given: dict[str, Any] = {"api_key": API_KEY, "base_url": self.server.origin, **quick, **settings}
        return Context(
            "serpapi",
            SerpApiSettings(**given),
            http=self.http,
            pacers=self.pacers,
            now=lambda: datetime.fromtimestamp(self.clock(), UTC),
            resume=resume,
        )

    async def gather(
        self,
        handles: Handles = (ACME,),
        *,
        since: date | None = None,
        resume: str | None = None,
        stop_after: int | None = None,
        into: list[Page[date]] | None = None,
        **settings: Any,
    ) -> list[Page[date]]:
        """The pages of one gathering; `into` keeps them when it raises, `stop_after` kills it."""
        pages: list[Page[date]] = [] if into is None else into
        brand = Brand(id="acme", handles={"serpapi": handles})
        walk = SerpApi().pages(self.context(resume=resume, **settings), brand, since)
        async for page in walk:
            pages.append(page)
            if len(pages) == stop_after:
                break
        await walk.aclose()  # type: ignore[attr-defined]  # an async generator
        return pages

    async def resolve(self, ad: Ad, media: Media) -> Media | None:
        return await SerpApi().resolve(self.context(), ad, media)

    def fail(self, kind: str, **over: Any) -> None:
        self.server.faults.add(Fault(kind=kind, **{"path": SEARCH, **over}))

    def searches(self, engine: str = "") -> list[LoggedRequest]:
        """The search requests, of one engine ("list" or "details") or of both."""
        found = [entry for entry in self.server.requests if entry.path == "/search.json"]
        return [entry for entry in found if not engine or ("creative_id" in entry.query) == (engine == "details")]


def ads_of(pages: Sequence[Page[date]]) -> dict[str, Ad]:
    """Each ad once, the first one counting, as the engine has it."""
    found: dict[str, Ad] = {}
    for page in pages:
        for ad in page.ads:
            found.setdefault(ad.id, ad)
    return found
