"""Stand-in vendors on an engine's loop, and the settings that point the sources at them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adology.settings.model import FetchSettings
from tests.system.running import EngineLoop
from tests.unit.upstreams.meta_world import PAGE, draw_image, make_ad, make_world
from upstreams.media import MediaServer
from upstreams.meta import USER_TOKEN, MetaRules, MetaServer
from upstreams.world import MEDIA_FOLDER, World, WorldAd, write_world

TOKEN_NAME = "ADOLOGY_TEST_META_TOKEN"


class Ticking:
    """Unix time that moves on by a second with each look: no two signed addresses are alike."""

    def __init__(self) -> None:
        self._moved = 0

    def __call__(self) -> float:
        self._moved += 1
        return time.time() + self._moved


def meta_ads(count: int, first: int = 1, **over: Any) -> tuple[WorldAd, ...]:
    """Ads that have run for a few days by now."""
    today = datetime.now(UTC).date()
    return tuple(
        make_ad(number, **{"started_on": today - timedelta(days=3 + number), **over})
        for number in range(first, first + count)
    )


def image_world(folder: Path, count: int) -> World:
    """Ads with one picture each, written to `folder`."""
    pictures = [draw_image(folder, f"picture{number}") for number in range(1, count + 1)]
    ads = tuple(
        ad for number in range(1, count + 1)
        for ad in meta_ads(1, number, format="image", creatives=(f"picture{number}",))
    )  # fmt: skip
    world = make_world(ads, creatives=pictures)
    write_world(folder, world)
    return world


class Meta:
    """The Ad Library and its CDN."""

    def __init__(self, world: World, folder: Path) -> None:
        self.page = PAGE
        self.media = MediaServer(folder / MEDIA_FOLDER, clock=Ticking())
        self.api = MetaServer(world, self.media.url_for, rules=MetaRules(loose=False))

    @property
    def fetch(self) -> FetchSettings:
        """Settings that let the fetcher reach the CDN."""
        return FetchSettings(stand_ins=(f"127.0.0.1:{self.media.port}",), timeout_s=10.0, idle_s=5.0)

    def source(self, **over: Any) -> dict[str, Any]:
        """Settings of the facebook source."""
        given = {
            "token": f"env:{TOKEN_NAME}",
            "base_url": self.api.origin,
            "site_url": self.api.origin,
            "snapshot_interval_s": 0.0,
            "backoff_s": 0.0,
            "throttle_pause_s": 2.0,
        }
        return {**given, **over}

    def fetched(self) -> list[int]:
        """Statuses of the CDN's answers so far."""
        return [entry.status for entry in self.media.requests]


@contextlib.contextmanager
def meta(loop: EngineLoop, world: World, folder: Path) -> Iterator[Meta]:
    """Both servers, started."""
    vendor = Meta(world, folder)
    loop.run(vendor.media.start())
    loop.run(vendor.api.start())
    try:
        yield vendor
    finally:
        loop.run(vendor.api.stop())
        loop.run(vendor.media.stop())


__all__ = ["TOKEN_NAME", "USER_TOKEN", "Meta", "Ticking", "image_world", "meta", "meta_ads"]
