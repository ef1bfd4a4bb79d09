"""Folders of creatives and tables for the files source."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adology import Ad, Brand, Context, Page, Terminal
from adology_files import Files, FilesSettings

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


class Gathered:
    """What a gathering brought, and the words it ended with."""

    def __init__(self) -> None:
        self.pages: list[Page[None]] = []
        self.problem = ""

    @property
    def ads(self) -> list[Ad]:
        return [ad for page in self.pages for ad in page.ads]

    @property
    def names(self) -> list[str]:
        return [ad.id for ad in self.ads]


def gather(*handles: Path | str, brand: str = "acme", **settings: Any) -> Gathered:
    found = Gathered()

    async def read() -> None:
        context: Context[FilesSettings] = Context("files", FilesSettings(**settings), now=lambda: NOW)
        try:
            named = Brand(id=brand, handles={"files": tuple(map(str, handles))})
            async for page in Files().pages(context, named, None):
                found.pages.append(page)
        except Terminal as error:
            found.problem = str(error)

    asyncio.run(read())
    return found


def put(folder: Path, *names: str, data: bytes = PNG) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "spring"
    path.mkdir()
    return path
