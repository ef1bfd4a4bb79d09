"""A committed batch in memory, for sinks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from adology.abc.sink import BatchCounts, CommittedAd, ItemResult
from adology.testing.items import BEGAN
from adology.types import Ad, Media


class StreamBrokenError(Exception):
    """What the kit raises in the middle of a batch's stream: the store behind it went away."""


class MemoryBatch:
    """See `adology.abc.CommitBatch`. `broken_after` rows, its streams end with an exception."""

    def __init__(self, *, ads: int = 7, batch_id: str = "batch-1", broken_after: int | None = None) -> None:
        self.id = batch_id
        self.brand = "acme"
        self.created_at = BEGAN
        self.counts = BatchCounts(ads=ads, urls=ads, media=ads, assets=ads - 1, failures=1)
        self.sources: dict[str, Any] = {"library": {"outcome": "ok", "pages": 1, "ads": ads}}
        self.cursors: dict[str, bytes] = {"library": b"\xa2c1"}
        self.broken_after = broken_after
        self._size = ads

    async def ads(self) -> AsyncIterator[CommittedAd]:
        """Ads, each with one media file."""
        for number in range(self._size):
            self._maybe_break(number)
            media = Media(url=f"https://cdn.acme.example/{number}.png", kind="image")
            ad = Ad(id=f"ad-{number}", advertiser="Acme", bodies=(f"Sale {number}",), media=(media,), raw={"n": number})
            yield CommittedAd(source="library", ad=ad, gathered_at=BEGAN)

    async def results(self) -> AsyncIterator[ItemResult]:
        """One result per media file; the last one failed."""
        for number in range(self._size):
            self._maybe_break(number)
            url = f"https://cdn.acme.example/{number}.png"
            if number == self._size - 1:
                yield ItemResult(url=url, status="failed", error_code="ADO-5102", error="the media has expired")
                continue
            yield ItemResult(
                url=url,
                s3_path=f"s3://adology/assets/{number:064x}.png",
                sha256=f"{number:064x}",
                kind="image",
                content_type="image/png",
                size_bytes=100 + number,
                width=10,
                height=10,
                source="library",
                ad_id=f"ad-{number}",
                analyses={"labels": f"key-{number}"},
            )

    async def analyses(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """A document per key."""
        return {
            key: {"key": key, "analyzer": "labels", "version": 1, "state": "done", "result": {"labels": ["shoe"]}}
            for key in keys
        }

    def _maybe_break(self, number: int) -> None:
        if self.broken_after is not None and number >= self.broken_after:
            raise StreamBrokenError(f"the stream broke after {number} rows")
