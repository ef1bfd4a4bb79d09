"""A small world for tests of the Meta stand-in and of what talks to it; media drawn on the spot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
from PIL import Image

from upstreams.world import MEDIA_FOLDER, Creative, World, WorldAd, WorldBrand, write_world

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
PAGE = "9007199254740995"  # above 2**53: a float would change it
OTHER_PAGE = "202"


class Clock:
    """Unix time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW.timestamp()

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


def make_ad(number: int, **over: Any) -> WorldAd:
    """An ad like any other, started `number` days ago in Germany."""
    fields: dict[str, Any] = {
        "id": str(700_000_000_000_000 + number),
        "network": "meta",
        "format": "text",
        "bodies": (f'Body {number}: fresh coffee, "roasted" <today> & 50 % off',),
        "titles": (f"Title {number}",),
        "captions": ("acme.example",),
        "cta": "Shop now",
        "landing_url": f"https://acme.example/offers/{number}?a=1&b=2",
        "platforms": ("facebook", "instagram"),
        "languages": ("en",),
        "countries": ("DE",),
        "started_on": TODAY - timedelta(days=number % 300),
        "reach": 1000 + number,
    }
    return WorldAd(**{**fields, **over})


def make_ads(count: int, first: int = 1, **over: Any) -> tuple[WorldAd, ...]:
    return tuple(make_ad(number, **over) for number in range(first, first + count))


def make_world(ads: Iterable[WorldAd] = (), other: Iterable[WorldAd] = (), creatives: Iterable[Creative] = ()) -> World:
    """Two advertisers; `ads` are the first one's."""
    brands = (
        WorldBrand(
            id="acme", name="Acme & Söhne", meta_page_id=PAGE, google_advertiser_id="AR01", domain="acme.example",
            ads=tuple(ads),
        ),
        WorldBrand(
            id="rival", name="Rival", meta_page_id=OTHER_PAGE, google_advertiser_id="AR02", domain="rival.example",
            ads=tuple(other),
        ),
    )  # fmt: skip
    return World(seed=1, made_on=TODAY, brands=brands, creatives=tuple(creatives))


def draw_image(folder: Path, name: str, **over: Any) -> Creative:
    """A JPEG in the world's media folder."""
    path = folder / MEDIA_FOLDER / f"{name}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    shade = hashlib.sha256(name.encode()).digest()
    Image.new("RGB", (64, 48), tuple(shade[:3])).save(path, quality=80)
    return _creative(path, name, "image", "image/jpeg", 64, 48, **over)


def draw_video(folder: Path, name: str, **over: Any) -> Creative:
    """A third of a second of MPEG-4 in the world's media folder."""
    path = folder / MEDIA_FOLDER / f"{name}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 60 * number, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return _creative(path, name, "video", "video/mp4", 64, 48, duration_s=4 / 12, **over)


def _creative(path: Path, name: str, kind: str, content_type: str, width: int, height: int, **over: Any) -> Creative:
    fields: dict[str, Any] = {
        "id": name,
        "file": path.name,
        "kind": kind,
        "content_type": content_type,
        "width": width,
        "height": height,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "headline": f"HEADLINE {name}",
        "price": "9.99",
        "language": "en",
    }
    return Creative(**{**fields, **over})


def varied_world(folder: Path) -> World:
    """One ad of each kind, written to `folder` with its media."""
    images = [draw_image(folder, f"image{number}") for number in range(4)]
    video = draw_video(folder, "clip")
    ads = (
        make_ad(1, format="image", creatives=("image0",)),
        make_ad(2, format="video", creatives=("clip",)),
        make_ad(
            3,
            format="carousel",
            creatives=("image1", "clip", "image2"),
            bodies=("Card one", "Card two", "Card three"),
        ),
        make_ad(4),
        make_ad(5, format="image", creatives=("image3",), removed=True),
        make_ad(6, stopped_on=TODAY - timedelta(days=2), bodies=("First line\nsecond <b>line</b>",)),
    )
    world = make_world(ads, creatives=(*images, video))
    write_world(folder, world)
    return world


def with_ads(world: World, ads: Iterable[WorldAd]) -> World:
    """The world with other ads for its first advertiser."""
    first, *others = world.brands
    brand = msgspec.structs.replace(first, ads=tuple(ads))
    return msgspec.structs.replace(world, brands=(brand, *others))


def days_ago(number: int) -> date:
    return TODAY - timedelta(days=number)
