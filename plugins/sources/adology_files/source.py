"""The source itself: places one after the other, read in a thread, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import ClassVar

from adology import Ad, Brand, ConfigError, Context, Page, Source, Terminal
from adology_files.convert import PlaceReader
from adology_files.places import Place, RefusedError, open_place
from adology_files.problems import Problems, show
from adology_files.settings import FilesSettings

WeightedAds = Generator[tuple[Ad, int], None, None]
"""Ads with their weight in characters."""
MAX_PAGE_CHARS = 8_000_000
"""A page of long rows ends early: its rows, its ads and its part of the manifest live at once."""


class Files(Source[FilesSettings, None]):
    """Ads on disk. Handles are absolute paths of folders, ``.jsonl`` and ``.csv`` files.

    Each gathering reads everything: what was seen before is cheap to find again and keeps its
    id. There is no cursor and nothing to resume. Rows that cannot be read do not stop the others;
    they are named at the end, up to twenty, and make the gathering partial.
    """

    name = "files"
    version = 1
    ordered: ClassVar[bool] = False

    async def check(self, ctx: Context[FilesSettings]) -> None:
        """Raise ConfigError for a root that is no absolute path of a folder."""
        for root in ctx.settings.roots:
            try:
                place = await asyncio.to_thread(open_place, root, FilesSettings(roots=(root,)), frozenset())
            except RefusedError as error:
                raise ConfigError(f"sources.{ctx.plugin}.roots", f"{root} {error}", code="ADO-2401") from None
            if not place.is_folder:
                raise ConfigError(f"sources.{ctx.plugin}.roots", f"{root} is no folder", code="ADO-2401")

    async def pages(self, ctx: Context[FilesSettings], brand: Brand, since: None) -> AsyncIterator[Page[None]]:
        """The brand's files and rows.

        Raises:
            Terminal: at the end, naming each file and line that could not be read.
        """
        del since
        problems = Problems()
        ads = _iterate(ctx, brand, problems)
        try:
            while page := await _take_in_thread(ads, ctx.settings.page_size):
                yield Page(ads=page)
        finally:
            ads.close()
        if problems.count:
            raise Terminal(f"{ctx.plugin}: {problems.count} could not be read: {problems}", code="ADO-2402")


async def _take_in_thread(ads: WeightedAds, count: int) -> tuple[Ad, ...]:
    """One page, read in a thread. A cancelled caller waits for it: a running generator cannot be closed."""
    task = asyncio.create_task(asyncio.to_thread(_take, ads, count))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _take(ads: WeightedAds, count: int) -> tuple[Ad, ...]:
    """The next ads, fewer when they are heavy; empty at the end."""
    taken: list[Ad] = []
    weight = 0
    for ad, size in ads:
        taken.append(ad)
        weight += size
        if len(taken) >= count or weight >= MAX_PAGE_CHARS:
            break
    return tuple(taken)


def _iterate(ctx: Context[FilesSettings], brand: Brand, problems: Problems) -> WeightedAds:
    for place in _open_places(ctx, brand, problems):
        reader = PlaceReader(place, brand.id, problems, today=ctx.now().date(), max_line=ctx.settings.max_line_bytes)
        yield from reader.ads()
        ctx.log.bind(place=show(str(place.path)), skipped=reader.skipped).info("place read")


def _open_places(ctx: Context[FilesSettings], brand: Brand, problems: Problems) -> list[Place]:
    places: dict[str, Place] = {}
    for handle in dict.fromkeys(brand.handles_for(ctx.plugin)):
        try:
            place = open_place(handle, ctx.settings, frozenset(places))
        except RefusedError as error:
            problems.add(handle, str(error))
            continue
        places[place.name] = place
    return list(places.values())
