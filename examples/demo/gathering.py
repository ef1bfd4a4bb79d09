"""The work itself: brands into the catalogue, one gathering of each, and what the insights say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from adology.cli.model import Outcome
from adology.cli.progress import follow
from adology.cli.requests import open_database, request_gathering
from adology.cli.watch import Request
from adology.settings import AdologySettings
from adology.store import Catalogue, Insights
from adology.types import Brand
from adology_pulse.model import Pulse
from upstreams.meta.countries import NAMES
from upstreams.world import World, WorldBrand


class Gathered(msgspec.Struct, kw_only=True):
    """How the brands' gatherings ended, and their newest pulses by brand."""

    outcomes: Sequence[Outcome]
    pulses: dict[str, Pulse]


async def add_brands(settings: AdologySettings, world: World) -> list[Brand]:
    """Put the world's brands into the catalogue, each with its handle at every source."""
    brands = [_brand(each) for each in world.brands]
    async with open_database(settings) as database:
        for brand in brands:
            await Catalogue(database).put_brand(brand)
    return brands


async def gather(settings: AdologySettings, brands: Sequence[Brand]) -> Gathered:
    """Request one gathering per brand, show their progress until all have ended."""
    async with open_database(settings) as database:
        sent = await request_gathering(settings, [brand.id for brand in brands])
        requests = [Request(brand=each.brand, request_id=each.request_id) for each in sent]
        outcomes = await follow(database, requests)
        pulses = {outcome.brand: await _find_pulse(Insights(database), outcome) for outcome in outcomes}
    return Gathered(outcomes=outcomes, pulses={brand: pulse for brand, pulse in pulses.items() if pulse is not None})


def count_hidden(world: World) -> int:
    """Ads that the Meta Ad Library does not show: commercial ones are shown where the EU's rules hold."""
    at_meta = [ad for brand in world.brands for ad in brand.ads if ad.network == "meta"]
    return sum(not NAMES.keys() & set(ad.countries) for ad in at_meta)


def _brand(drawn: WorldBrand) -> Brand:
    handles: dict[str, Any] = {
        "facebook": (drawn.meta_page_id,),
        "serpapi": (drawn.google_advertiser_id,),
        "customer_db": (drawn.id,),
    }
    return Brand(id=drawn.id, name=drawn.name, handles=handles)


async def _find_pulse(insights: Insights, outcome: Outcome) -> Pulse | None:
    """The pulse that this batch's insight phase left."""
    for insight in await insights.list(outcome.brand):
        if insight.analyzer == "pulse" and insight.batch == outcome.batch:
            return msgspec.convert(insight.result, Pulse)
    return None
