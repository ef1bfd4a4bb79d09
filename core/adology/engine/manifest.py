"""The manifest: what a gathering discovered, written to S3 before anything is queued.

Per source one object for each page, never overwritten, and one that says the source is done::

    batches/<id>/manifest/<source>/000000.jsonl     header line, then one ad a line
    batches/<id>/manifest/<source>/done.json        outcome, reason, cursor
    batches/<id>/manifest.json                      the seal: parts and counts

A gathering that crashed goes on from its last part; a lost registry or lost messages are repaired
from the parts without asking a vendor again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from adology.abc.sink import CommittedAd
from adology.engine.model import hash_url
from adology.engine.ports import ObjectsPort
from adology.errors import EngineError
from adology.queues.messages import MAX_URL
from adology.types import Ad, Media, Page, Struct

Outcome = Literal["ok", "empty", "partial", "failed"]
FETCHABLE = ("http://", "https://", "file://")
AD_URN = "urn:adology:ad:"
"""Stands for an ad's copy where no media URL can."""
TOO_LONG_URN = "urn:adology:too-long:"
"""Stands for a media URL that no message carries; its length follows, and its hash."""
MANIFESTS = "batches/"
"""Where the keys of all manifests begin."""
JSON_LINES = "application/x-ndjson"


class PartHeader(Struct, frozen=True, kw_only=True):
    """First line of a part. `resume` continues after this page; `cursor` is msgpack, base64."""

    source: str
    page: int
    gathered_at: datetime
    ads: int
    resume: str | None = None
    cursor: bytes | None = None


class SourceDone(Struct, frozen=True, kw_only=True):
    """How a source's gathering ended. A failed or partial one says why, and keeps its old cursor.

    `whole`: it showed every ad that runs, so that one that is absent does not.
    """

    outcome: Outcome
    reason: str = ""
    code: str = ""
    pages: int = 0
    ads: int = 0
    cursor: bytes | None = None
    whole: bool = False


class Seal(Struct, frozen=True, kw_only=True):
    """The complete manifest: parts in order, counts, how each source ended."""

    batch: str
    brand: str
    sealed_at: datetime
    expected_count: int
    ads: int
    parts: tuple[str, ...]
    sources: dict[str, SourceDone]


class SourceState(Struct, frozen=True, kw_only=True):
    """What the manifest already has of a source."""

    pages: int = 0
    ad_ids: frozenset[str] = frozenset()
    resume: str | None = None
    cursor: bytes | None = None
    done: SourceDone | None = None


class Item(Struct, frozen=True, kw_only=True):
    """One unit of acquisition: a URL to fetch, or an ad without one of its own.

    `carries` says that this item's worker analyses the ad's copy: exactly one item does.
    """

    url: str
    source: str
    ad: Ad
    media: Media | None
    carries: bool
    part: str
    line: int


_header = msgspec.json.Decoder(PartHeader)
_ad = msgspec.json.Decoder(Ad)
_done = msgspec.json.Decoder(SourceDone)
_seal = msgspec.json.Decoder(Seal)


def ad_url(source: str, ad_id: str) -> str:
    """The URL that stands for an ad's copy where no media URL can."""
    return f"{AD_URN}{quote(source, safe='')}:{quote(ad_id, safe='')}"


def is_fetchable(media: Media) -> bool:
    """Whether the media's address can be fetched as a file."""
    return media.url[:8].lower().startswith(FETCHABLE)


def item_url(media: Media) -> str:
    """The URL that the media's item goes by: its own, unless messages cannot carry that."""
    if len(media.url) <= MAX_URL:
        return media.url
    digest = sha256(media.url.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{TOO_LONG_URN}{len(media.url)}:{digest}"


class Manifest:
    """Reads and writes one batch's manifest."""

    def __init__(self, objects: ObjectsPort, batch_id: str) -> None:
        self._objects = objects
        self.batch_id = batch_id
        self._root = f"{MANIFESTS}{batch_id}/manifest"

    @property
    def seal_key(self) -> str:
        """Key of the sealing object."""
        return f"{self._root}.json"

    async def load_source(self, source: str) -> SourceState:
        """What is there of a source: pages, ad ids, where to go on."""
        pages, ids, resume, cursor = 0, set[str](), None, None
        async for key in self._objects.list_keys(f"{self._root}/{source}/"):
            if key.endswith("done.json"):
                continue
            header, ads = await self._read_part(key)
            pages = header.page + 1
            resume, cursor = header.resume, header.cursor or cursor
            ids.update(ad.id for ad in ads)
        done = await self._objects.get_bytes(f"{self._root}/{source}/done.json")
        return SourceState(
            pages=pages,
            ad_ids=frozenset(ids),
            resume=resume,
            cursor=cursor,
            done=_done.decode(done) if done is not None else None,
        )

    async def add_page(self, source: str, number: int, page: Page[Any], *, gathered_at: datetime) -> bool:
        """Write a page as part `number`. False when another gatherer wrote that part already."""
        cursor = None if page.cursor is None else msgspec.msgpack.encode(page.cursor)
        header = PartHeader(
            source=source, page=number, gathered_at=gathered_at, ads=len(page.ads), resume=page.resume, cursor=cursor
        )
        lines = msgspec.json.Encoder().encode_lines([header, *page.ads])
        return await self._objects.put_bytes(
            f"{self._root}/{source}/{number:06d}.jsonl", lines, content_type=JSON_LINES
        )

    async def finish_source(self, source: str, done: SourceDone) -> None:
        """Say how the source ended. The first word stands."""
        await self._objects.put_bytes(
            f"{self._root}/{source}/done.json", msgspec.json.encode(done), content_type="application/json"
        )

    async def write_seal(self, seal: Seal) -> Seal:
        """Seal the manifest. The seal that stands is returned: an earlier one wins."""
        if await self._objects.put_bytes(self.seal_key, msgspec.json.encode(seal), content_type="application/json"):
            return seal
        return await self.read_seal()

    async def read_seal(self) -> Seal:
        """The seal.

        Raises:
            EngineError: the manifest was never sealed.
        """
        found = await self._objects.get_bytes(self.seal_key)
        if found is None:
            raise EngineError(f"batch {self.batch_id} has no sealed manifest at {self.seal_key}", code="ADO-5404")
        return _seal.decode(found)

    async def list_parts(self) -> list[str]:
        """Keys of all parts, in order."""
        return [key async for key in self._objects.list_keys(f"{self._root}/") if key.endswith(".jsonl")]

    async def ads(self, parts: list[str] | tuple[str, ...]) -> AsyncIterator[tuple[CommittedAd, str, int]]:
        """Every ad of the parts with its part and line number."""
        for key in parts:
            header, ads = await self._read_part(key)
            for line, ad in enumerate(ads, start=1):
                yield CommittedAd(source=header.source, ad=ad, gathered_at=header.gathered_at), key, line

    async def items(self, parts: list[str] | tuple[str, ...]) -> AsyncIterator[Item]:
        """Every distinct URL once, in the same order each time."""
        seen: set[bytes] = set()
        async for found, part, line in self.ads(parts):
            carried = False
            for media in found.ad.media:
                url = item_url(media)
                digest = hash_url(url)
                if not is_fetchable(media) or digest in seen:
                    continue
                seen.add(digest)
                yield Item(
                    url=url,
                    source=found.source,
                    ad=found.ad,
                    media=media if url == media.url else msgspec.structs.replace(media, url=url),
                    carries=not carried,
                    part=part,
                    line=line,
                )
                carried = True
            if not carried:
                # A text-only ad, or one whose every file another ad brought already.
                yield Item(
                    url=ad_url(found.source, found.ad.id),
                    source=found.source,
                    ad=found.ad,
                    media=None,
                    carries=True,
                    part=part,
                    line=line,
                )

    async def load_ad(self, key: str, line: int) -> Ad:
        """One ad by part and line."""
        _, ads = await self._read_part(key)
        return ads[line - 1]

    async def _read_part(self, key: str) -> tuple[PartHeader, list[Ad]]:
        data = await self._objects.get_bytes(key)
        if data is None:
            raise EngineError(f"manifest part {key} has vanished", code="ADO-5405")
        first, _, rest = data.partition(b"\n")
        return _header.decode(first), _ad.decode_lines(rest)
