"""The conformance kit, as an outsider's plugin would run it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adology import Brand
from adology.testing import SourceConformance
from adology_serpapi import SerpApi
from tests.unit.serpapi.rig import ACME, OTHER, make_ad, make_brand, make_world
from upstreams.serpapi import API_KEY, SerpApiServer
from upstreams.serpapi.library import Library
from upstreams.world import WorldAd

TODAY = datetime.now(UTC).date()


def make_ads() -> list[WorldAd]:
    """Half of them still run; of both halves every third is a video."""
    started = TODAY - timedelta(days=60)
    ends = (None, TODAY - timedelta(days=20))
    return [make_ad(n, "image" if n % 3 else "video", started_on=started, stopped_on=ends[n % 2]) for n in range(14)]


@pytest.mark.anyio
class TestSerpApi(SourceConformance):
    plugin = SerpApi
    settings = {"api_key": "env:SERPAPI_KEY", "num": 4, "backoff_s": 0.0}  # noqa: RUF012 - as the kit shows it
    secrets = {"SERPAPI_KEY": API_KEY}  # noqa: RUF012 - as the kit shows it
    brand = Brand(id="acme", handles={"serpapi": (ACME,)})
    look_for = ("Acme", "acme.example")
    empty_brand = Brand(id="empty", handles={"serpapi": (OTHER,)})

    @asynccontextmanager
    async def vendor(self) -> AsyncIterator[Mapping[str, Any]]:
        self.server = SerpApiServer(make_world(make_brand(make_ads())), lambda file: f"https://cdn.example/{file}")
        async with self.server:
            yield {"base_url": self.server.origin}

    async def publish_late(self, settings: Mapping[str, Any]) -> str:
        assert settings["base_url"] == self.server.origin
        yesterday = TODAY - timedelta(days=1)
        late = make_ad(99, started_on=yesterday, stopped_on=yesterday)
        self.server.library = Library(make_world(make_brand([*make_ads(), late])))
        return late.id
