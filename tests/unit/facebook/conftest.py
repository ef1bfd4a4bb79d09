"""The real source against the real stand-ins, over real sockets."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing
from datetime import date
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from adology import Ad, Brand, Context, Page
from adology.http import HttpClient
from adology.http.pacing import Pacers
from adology.log import logger, setup_logging
from adology_facebook import Facebook, FacebookSettings
from tests.unit.upstreams.meta_world import NOW, OTHER_PAGE, PAGE, Clock
from upstreams.media import MediaServer
from upstreams.meta import USER_TOKEN, MetaRules, MetaServer
from upstreams.server import LoggedRequest
from upstreams.world import MEDIA_FOLDER, World

BRAND = Brand(id="acme", handles={"facebook": (PAGE,)})


class Rig:
    """One source between a Meta and a media stand-in. `ads` and `pages` are what it has handed over."""

    def __init__(self, folder: Path, http: HttpClient) -> None:
        self.folder = folder
        self.http = http
        self.clock = Clock()
        self.pacers = Pacers(time.monotonic)
        self.source = Facebook()
        self.settings: dict[str, Any] = {}
        self.token = USER_TOKEN
        self.pages: list[Page[date]] = []
        self.stack = AsyncExitStack()

    async def serve(self, world: World, **rules: Any) -> None:
        """Start the vendor. Without any limits unless `rules` set them."""
        self.media = MediaServer(self.folder / MEDIA_FOLDER, ttl_s=600, clock=self.clock)
        free = {"calls_per_hour": 1_000_000, "max_weight": 1_000_000}
        given = MetaRules(**{**free, **rules})
        await self.stack.enter_async_context(self.media)
        self.meta = MetaServer(world, self.media.url_for, rules=given, clock=self.clock)
        await self.stack.enter_async_context(self.meta)

    def context(self, *, resume: str | None = None, **settings: Any) -> Context[FacebookSettings]:
        """A context as the engine makes them; `settings` on top of those of the rig."""
        fast = {
            "token": "env:FB_TOKEN", "base_url": self.meta.origin, "site_url": self.meta.origin, "countries": ["DE"],
            "calls_per_hour": 10_000_000, "burst": 1000, "backoff_s": 0.0, "snapshot_interval_s": 0.0,
        }  # fmt: skip
        return Context(
            "facebook",
            msgspec.convert({**fast, **self.settings, **settings}, FacebookSettings),
            http=self.http,
            pacers=self.pacers,
            now=lambda: NOW,
            resume=resume,
            env={"FB_TOKEN": self.token},
        )

    async def gather(
        self, *, brand: Brand = BRAND, since: date | None = None, pages: int | None = None, **over: Any
    ) -> list[Page[date]]:
        """The pages of one gathering, at most `pages`; they are in `self.pages` even after an error."""
        found: list[Page[date]] = []
        async with aclosing(cast("Any", self.source.pages(self.context(**over), brand, since))) as walk:
            async for page in walk:
                found.append(page)
                self.pages.append(page)
                if len(found) == pages:
                    break
        return found

    @property
    def ads(self) -> list[Ad]:
        return [ad for page in self.pages for ad in page.ads]

    @property
    def calls(self) -> list[LoggedRequest]:
        """The API calls that were answered."""
        return [entry for entry in self.meta.requests if entry.path.endswith("/ads_archive")]

    @property
    def snapshots(self) -> list[str]:
        """The ids whose snapshots were read."""
        return [entry.query["id"] for entry in self.meta.requests if entry.path.startswith("/ads/archive/render_ad")]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with HttpClient(timeout_s=5.0) as http:
        rig = Rig(tmp_path, http)
        async with rig.stack:
            yield rig


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, from DEBUG on, as the production sink writes it."""
    stream = io.StringIO()
    setup_logging(level="DEBUG", style="json", stream=stream)
    yield stream
    logger.remove()


@pytest.fixture
def both_pages() -> Brand:
    return Brand(id="acme", handles={"facebook": (PAGE, OTHER_PAGE)})
