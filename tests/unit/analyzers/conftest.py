from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from adology import Context, MediaItem
from adology.vendors import close_clients
from adology.vendors.lanes import LANES
from adology_media import MediaAnalyzer, MediaFacts, MediaSettings
from upstreams.openai import OpenAiServer

from .media_files import Look

Run = Callable[..., Look]


@pytest.fixture
def look(tmp_path: Path) -> Run:
    """Runs the media analyzer on a file; settings as keywords."""
    runs = 0

    def run(path: Path, **settings: float) -> Look:
        nonlocal runs
        runs += 1
        scratch = tmp_path / f"scratch{runs}"
        scratch.mkdir()
        context = Context("media", MediaSettings(**settings), scratch=scratch)  # type: ignore[arg-type]  # by keyword
        # The kind and type are wrong on purpose: only the bytes may count.
        item = MediaItem(
            sha256="0" * 64, path=path, kind="image", content_type="text/plain", size_bytes=path.stat().st_size
        )
        facts = MediaAnalyzer().analyze(context, item)
        assert isinstance(facts, MediaFacts)
        return Look(facts=facts, derived={made.name: made.path for made in context.derived})

    return run


@pytest.fixture
async def server() -> AsyncIterator[OpenAiServer]:
    """OpenAI's stand-in."""
    LANES.clear()
    async with OpenAiServer() as started:
        yield started
        await close_clients()
