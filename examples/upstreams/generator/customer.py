"""A customer's own database: the brands' ads on the network "customer", as SQLite."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from upstreams.world import Creative, World, WorldAd, WorldBrand

CUSTOMER_FILE = "customer.sqlite"

_TABLE = """create table ads (
    id text primary key,
    brand text not null,
    body text,
    headline text,
    caption text,
    description text,
    cta text,
    image_url text,
    video_url text,
    landing_url text,
    platforms text,
    language text,
    country text,
    status text,
    reach integer,
    starts_on text,
    ends_on text,
    updated_at text not null
)"""


def write_customer_db(world: World, path: Path, url_for: Callable[[str], str]) -> int:
    """Write the customer's ads, in one step; how many there are.

    Args:
        world: whose ads.
        path: the SQLite file, replaced.
        url_for: makes the address of a creative's file (relative to the media folder). An ad with
            several pictures has a JSON array of addresses.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.unlink(missing_ok=True)
    rows = list(_rows(world, url_for))
    with closing(sqlite3.connect(half)) as link, link:
        link.execute(_TABLE)
        link.execute("create index ads_by_change on ads (brand, updated_at)")
        for row in rows:
            names = ", ".join(f":{name}" for name in row)
            link.execute(f"insert into ads values ({names})", row)  # noqa: S608 - our own column names
    half.replace(path)
    return len(rows)


def _rows(world: World, url_for: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    creatives = {creative.id: creative for creative in world.creatives}
    for brand in world.brands:
        for number, ad in enumerate(brand.ads):
            if ad.network == "customer":
                used = [creatives[name] for name in ad.creatives]
                yield _row(brand, ad, used, url_for, _updated_at(ad, number, world.made_on))


def _row(
    brand: WorldBrand, ad: WorldAd, creatives: list[Creative], url_for: Callable[[str], str], updated_at: str
) -> dict[str, Any]:
    return {
        "id": ad.id,
        "brand": brand.id,
        "body": _first(ad.bodies),
        "headline": _first(ad.titles),
        "caption": _first(ad.captions),
        "description": _first(ad.descriptions),
        "cta": ad.cta,
        "image_url": _urls([url_for(c.file) for c in creatives if c.kind == "image"]),
        "video_url": _urls([url_for(c.file) for c in creatives if c.kind == "video"]),
        "landing_url": ad.landing_url,
        "platforms": ",".join(ad.platforms),
        "language": _first(ad.languages),
        "country": _first(ad.countries),
        "status": "active" if ad.stopped_on is None else "stopped",
        "reach": ad.reach,
        "starts_on": ad.started_on.isoformat(),
        "ends_on": ad.stopped_on.isoformat() if ad.stopped_on else None,
        "updated_at": updated_at,
    }


def _updated_at(ad: WorldAd, number: int, made_on: date) -> str:
    """A moment on the ad's last day of change, never after the world was made."""
    day = min(ad.stopped_on or ad.started_on, made_on)
    moment = datetime.combine(day, time(6)) + timedelta(minutes=7 * number % 600)
    return moment.isoformat(" ")


def _first(values: tuple[str, ...]) -> str | None:
    return values[0] if values else None


def _urls(urls: list[str]) -> str | None:
    if len(urls) > 1:
        return json.dumps(urls)
    return urls[0] if urls else None
