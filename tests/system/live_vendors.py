"""The vendor of the live tests: stand-ins in a thread of this process, whose answers can be held back.

The world has one brand for each test, all of the same shape: pictures of which some are byte-equal,
equal copy, a file that is no picture, a text-only ad and a removed one.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import msgspec
from aiohttp import web
from PIL import Image, ImageDraw

from upstreams.faults import FOREVER, Fault
from upstreams.media import MediaServer
from upstreams.meta import MetaRules, MetaServer
from upstreams.server import LoggedRequest
from upstreams.world import MEDIA_FOLDER, Creative, World, WorldAd, WorldBrand

T = TypeVar("T")

TODAY = datetime.now(UTC).date()
HELD = "held"
API = "/v26.0/ads_archive"
MEDIA = "/m/"
SNAPSHOTS = "/ads/archive/render_ad/"


class Case(msgspec.Struct, frozen=True):
    """One brand: its ads and the files they show. `broken` are files that are no pictures."""

    brand: WorldBrand
    hashes: dict[str, str]
    broken: frozenset[str]

    @property
    def id(self) -> str:
        """Its id in the catalogue."""
        return self.brand.id

    @property
    def files(self) -> dict[str, tuple[str, ...]]:
        """Ad id → its files in order; none of an ad that was removed."""
        return {ad.id: () if ad.removed else tuple(f"{name}.jpg" for name in ad.creatives) for ad in self.brand.ads}


class Gate:
    """Requests wait here until they are let through. For the stand-ins' loop alone."""

    def __init__(self) -> None:
        self.waiting = 0
        self._opened = asyncio.Event()

    async def wait(self) -> None:
        """Return when the gate has been opened."""
        self.waiting += 1
        await self._opened.wait()
        self.waiting -= 1

    def open(self) -> None:
        """Let everybody through."""
        self._opened.set()


class HoldingMeta(MetaServer):
    """A `MetaServer` with one more fault: an API call is answered when the gate opens."""

    vendor_kinds: ClassVar[frozenset[str]] = MetaServer.vendor_kinds | {HELD}
    gate: Gate

    async def vendor_fault(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind != HELD:
            return await super().vendor_fault(request, fault)
        await self.gate.wait()
        return await self._get_archive(request)


class HoldingMedia(MediaServer):
    """A `MediaServer` with one more fault: a file is answered when the gate opens."""

    vendor_kinds: ClassVar[frozenset[str]] = MediaServer.vendor_kinds | {HELD}
    gate: Gate

    async def vendor_fault(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind != HELD:
            return await super().vendor_fault(request, fault)
        await self.gate.wait()
        return await self._get_file(request)


class Vendors:
    """The Ad Library and its CDN on free ports, as long as the block lasts. Callable from any thread."""

    def __init__(self, folder: Path, brands: int) -> None:
        self._cases, creatives = _make_cases(folder / MEDIA_FOLDER, brands)
        self._world = World(
            seed=1,
            made_on=TODAY,
            brands=tuple(case.brand for case in self._cases),
            creatives=creatives,
        )
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vendors", daemon=True)
        self._gate = Gate()
        self._next = iter(self._cases)
        self.media: HoldingMedia
        self.meta: HoldingMeta

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def next_case(self) -> Case:
        """A brand that no test has used yet."""
        return next(self._next)

    def hold(self, path: str, *, after: int = 0) -> None:
        """From now on requests of `path` wait for `release`, but for the next `after` ones."""
        self._run(self._hold(path, after))

    def release(self) -> None:
        """Answer whatever waits, and hold nothing back any more."""
        self._run(self._release())

    def held(self) -> int:
        """Requests that wait now; those of a client that has died meanwhile as well."""
        return self._gate.waiting

    def requests(self) -> list[LoggedRequest]:
        """What the API and the snapshots were asked so far, and answered."""
        return self._run(self._list_requests())

    async def _start(self) -> None:
        self.media = HoldingMedia(self._folder / MEDIA_FOLDER)
        await self.media.start()
        rules = MetaRules(calls_per_hour=1_000_000, max_weight=1_000_000)
        self.meta = HoldingMeta(self._world, self.media.url_for, rules=rules)
        await self.meta.start()

    async def _stop(self) -> None:
        await self._release()
        await self.meta.stop()
        await self.media.stop()

    async def _hold(self, path: str, after: int) -> None:
        self._gate = self.meta.gate = self.media.gate = Gate()
        server = self.media if path == MEDIA else self.meta
        server.faults.add(Fault(kind=HELD, path=path, after=after, times=FOREVER))

    async def _release(self) -> None:
        self.meta.faults.clear()
        self.media.faults.clear()
        self._gate.open()

    async def _list_requests(self) -> list[LoggedRequest]:
        return list(self.meta.requests)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)


def _make_cases(folder: Path, count: int) -> tuple[list[Case], tuple[Creative, ...]]:
    folder.mkdir(parents=True)
    made = [_make_case(folder, number) for number in range(count)]
    return [case for case, _ in made], tuple(creative for _, creatives in made for creative in creatives)


def _make_case(folder: Path, number: int) -> tuple[Case, list[Creative]]:
    name = f"brand{number:02}"
    pictures = [_draw(folder, f"{name}-{shown:02}", number * 40 + shown) for shown in range(12)]
    copies = [_copy(folder, pictures[0], f"{name}-copy0"), _copy(folder, pictures[1], f"{name}-copy1")]
    noise = folder / f"{name}-noise.jpg"
    noise.write_bytes(f"not a picture but the words of {name}\n".encode() * 50)
    files = [*pictures, *copies, noise]
    stems = [path.stem for path in files]
    shown = [*([stem] for stem in stems[:8]), stems[8:11], [stems[12]], [stems[11], stems[13]], [stems[14]], []]
    ads = [_make_ad(number, index, names) for index, names in enumerate(shown)]
    ads[9] = msgspec.structs.replace(ads[9], bodies=ads[0].bodies, titles=ads[0].titles)
    ads.append(_make_ad(number, len(ads), [pictures[0].stem], removed=True))
    brand = WorldBrand(
        id=name,
        name=name.title(),
        meta_page_id=f"90071992547{number:05}",
        google_advertiser_id=f"AR{number:018}",
        domain=f"{name}.example",
        ads=tuple(ads),
    )
    case = Case(brand, {path.name: _hash(path) for path in files}, frozenset({noise.name}))
    return case, [_creative(path) for path in files]


def _make_ad(brand: int, index: int, creatives: list[str], *, removed: bool = False) -> WorldAd:
    return WorldAd(
        id=str(700_000_000_000_000 + brand * 1000 + index),
        network="meta",
        format=("text", "image", "carousel")[min(2, len(creatives))],
        bodies=(f"Offer {index} of brand {brand}: fresh coffee, 50 % off",),
        titles=(f"Title {index} of {brand}",),
        cta="Shop now",
        landing_url=f"https://brand{brand}.example/offers",
        platforms=("facebook",),
        languages=("en",),
        countries=("DE",),
        started_on=TODAY - timedelta(days=1 + index),
        creatives=tuple(creatives),
        removed=removed,
        reach=1000 + index,
    )


def _draw(folder: Path, name: str, number: int) -> Path:
    image = Image.new("RGB", (96, 72), (number * 37 % 256, number * 91 % 256, 120))
    ImageDraw.Draw(image).text((4, 30), name, fill="white")
    path = folder / f"{name}.jpg"
    image.save(path, quality=85)
    return path


def _copy(folder: Path, of: Path, name: str) -> Path:
    path = folder / f"{name}.jpg"
    path.write_bytes(of.read_bytes())
    return path


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _creative(path: Path) -> Creative:
    return Creative(
        id=path.stem,
        file=path.name,
        kind="image",
        content_type="image/jpeg",
        width=96,
        height=72,
        sha256=_hash(path),
        headline="",
        price="",
        language="en",
    )
