"""Ads whose copy names another price than their picture, as happens when one of the two is changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from demo.troubles import Trouble
from upstreams.meta.countries import NAMES
from upstreams.world import Creative, World, WorldAd, write_world

_FIRST_DIGIT = re.compile(r"\d")


def plant(folder: Path, world: World, troubles: Iterable[Trouble]) -> list[str]:
    """Rewrite the world in `folder` so that one ad of each brand contradicts its picture; those ads' ids.

    The same world always gives the same ads.
    """
    struck = {trouble.creative for trouble in troubles}
    creatives = {creative.id: creative for creative in world.creatives if creative.id not in struck}
    planted: list[str] = []
    brands = []
    for brand in world.brands:
        found = next((ad for ad in brand.ads if _is_fit(ad, creatives)), None)
        if found is not None:
            planted.append(found.id)
            changed = _contradict(found, creatives[found.creatives[0]])
            ads = tuple(changed if ad is found else ad for ad in brand.ads)
            brand = msgspec.structs.replace(brand, ads=ads)  # noqa: PLW2901 - the brand as it is from here on
        brands.append(brand)
    write_world(folder, msgspec.structs.replace(world, brands=tuple(brands)))
    return planted


def _is_fit(ad: WorldAd, creatives: dict[str, Creative]) -> bool:
    """An ad with one still picture that the Meta Ad Library shows; prices in hryvnia are not read."""
    if ad.network != "meta" or ad.format != "image" or ad.removed or not NAMES.keys() & set(ad.countries):
        return False
    one = creatives.get(ad.creatives[0]) if len(ad.creatives) == 1 else None
    return one is not None and one.kind == "image" and one.price.startswith(("£", "$")) | one.price.endswith("€")


def _contradict(ad: WorldAd, creative: Creative) -> WorldAd:
    other = _FIRST_DIGIT.sub(lambda digit: str(int(digit[0]) % 9 + 1), creative.price, count=1)
    return msgspec.structs.replace(ad, bodies=(f"{ad.bodies[0]} {other}.", *ad.bodies[1:]))
