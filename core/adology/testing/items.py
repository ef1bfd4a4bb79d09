"""Inputs for analyzers: ordinary ones, and those that real data brings sooner or later."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from adology.abc.analyzer import AdItem, BrandAd, MediaItem
from adology.types import Ad, Media, Struct

BEGAN = datetime(2026, 1, 5, 12, tzinfo=UTC)
HUGE_CHARS = 200_000
NON_LATIN = "夏のセール 50%オフ — Летняя распродажа — تخفيضات الصيف 🏖️👩‍👩‍👧 e\u0301"


class Sample(Struct, frozen=True, kw_only=True):
    """An input with a name for messages; `hostile` ones may be refused with Skip or Terminal."""

    name: str
    item: Any
    hostile: bool = False


def media_item(path: Path, kind: Literal["image", "video"], content_type: str, results: Mapping[str, Any]) -> MediaItem:
    """The item of a file."""
    data = path.read_bytes()
    return MediaItem(
        sha256=hashlib.sha256(data).hexdigest(),
        path=path,
        kind=kind,
        content_type=content_type,
        size_bytes=len(data),
        results=dict(results),
    )


def image_samples(folder: Path, results: Mapping[str, Any]) -> list[Sample]:
    """A picture, a small one, one with an alpha channel; a cut-off file, an empty one, a text."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - only analyzers of images need it

    picture = Image.new("RGB", (320, 240), (240, 240, 230))
    drawing = ImageDraw.Draw(picture)
    drawing.rectangle((20, 20, 180, 120), fill=(200, 30, 60))
    drawing.text((30, 150), "SUMMER SALE 50% OFF", fill=(10, 10, 10))
    made = {"picture.png": picture, "one-pixel.png": Image.new("RGB", (1, 1), (1, 2, 3))}
    made["transparent.png"] = Image.new("RGBA", (64, 48), (10, 200, 30, 90))
    for name, image in made.items():
        image.save(folder / name)
    whole = (folder / "picture.png").read_bytes()
    (folder / "cut-off.png").write_bytes(whole[: len(whole) // 2])
    return [
        *(Sample(name=name, item=media_item(folder / name, "image", "image/png", results)) for name in made),
        _hostile_file(folder, "cut-off.png", "image", "image/png", results),
        *_hostile_files(folder, "image", "image/png", results),
    ]


def video_samples(folder: Path, results: Mapping[str, Any]) -> list[Sample]:
    """A second of moving picture; a cut-off file, an empty one, a text."""
    import av  # noqa: PLC0415 - only analyzers of videos need it
    import numpy  # noqa: PLC0415, ICN001 - as above

    path = folder / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(10):
            pixels = numpy.full((120, 160, 3), 40 + 20 * number, dtype=numpy.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    data = path.read_bytes()
    (folder / "cut-off.mp4").write_bytes(data[: len(data) // 3])
    return [
        Sample(name="clip.mp4", item=media_item(path, "video", "video/mp4", results)),
        _hostile_file(folder, "cut-off.mp4", "video", "video/mp4", results),
        *_hostile_files(folder, "video", "video/mp4", results),
    ]


def _hostile_files(
    folder: Path, kind: Literal["image", "video"], content_type: str, results: Mapping[str, Any]
) -> list[Sample]:
    (folder / f"empty-{kind}").write_bytes(b"")
    (folder / f"text-{kind}").write_text("<html>404</html>")
    return [_hostile_file(folder, f"{name}-{kind}", kind, content_type, results) for name in ("empty", "text")]


def _hostile_file(
    folder: Path, name: str, kind: Literal["image", "video"], content_type: str, results: Mapping[str, Any]
) -> Sample:
    return Sample(name=name, item=media_item(folder / name, kind, content_type, results), hostile=True)


def ad_samples(results: Mapping[str, Any]) -> list[Sample]:
    """An ordinary ad; one without copy, a huge one, non-Latin copy, odd characters, media without files."""
    ads = {
        "ordinary": Ad(
            id="1",
            advertiser="Acme",
            bodies=("Summer sale: 50% off all shoes until Sunday.",),
            titles=("Shop now",),
            cta="SHOP_NOW",
            landing_url="https://acme.example/sale",
            media=(Media(url="https://cdn.acme.example/1.jpg", kind="image"),),
        ),
        "without copy": Ad(id="2"),
        "huge copy": Ad(id="3", bodies=("sale " * (HUGE_CHARS // 5),)),
        "non-Latin copy": Ad(id="4", bodies=(NON_LATIN,), titles=(NON_LATIN,)),
        "odd characters": Ad(
            id="5", bodies=("a\u0000b\u202ec\ud83d\ufffd".encode("utf-8", "replace").decode(), "\n\n\t")
        ),
        "media without files": Ad(
            id="6", bodies=("See it",), media=(Media(url=""), Media(url="https://gone.example/x"))
        ),
    }
    return [Sample(name=name, item=AdItem(ad=ad, results=dict(results))) for name, ad in ads.items()]


class MemoryBrand:
    """A brand's committed state in memory; see `adology.abc.BrandItem`."""

    def __init__(self, ads: int) -> None:
        self.brand = "acme"
        self.batch = "batch-2"
        self.previous_batch: str | None = "batch-1" if ads else None
        self.committed_at = BEGAN + timedelta(days=7)
        self.previous_committed_at: datetime | None = BEGAN if ads else None
        self.sources: dict[str, str] = {"library": "ok"}
        self._ads = ads

    async def ads(self) -> AsyncIterator[BrandAd]:
        """Ads of two batches: some went on, some are new, some have stopped."""
        for number in range(self._ads):
            new = number % 3 == 0
            yield BrandAd(
                id=str(number),
                source="library",
                format=("image", "video")[number % 2],
                status="active" if number % 5 else "stopped",
                first_seen_at=BEGAN + timedelta(days=7 if new else 0),
                last_seen_at=BEGAN + timedelta(days=7 if number % 5 else 0),
                started_on=date(2026, 1, 1) if number % 4 else None,
                first_batch="batch-2" if new else "batch-1",
                last_batch="batch-2" if number % 5 else "batch-1",
                assets=(f"{number % 7:064x}",) if number % 6 else (),
            )


def brand_samples() -> list[Sample]:
    """A brand with ads, one with none, one with many."""
    return [Sample(name=f"brand with {n} ads", item=MemoryBrand(n)) for n in (12, 0, 2000)]
