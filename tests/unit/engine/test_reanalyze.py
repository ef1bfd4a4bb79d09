"""Only what was asked for is made anew, with what it uses; what is current costs neither a call nor a download."""
# ruff: noqa: ASYNC240 - a stand-in's small files

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adology import Ad, Terminal
from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer
from adology.engine.reanalyze import Reanalyzer
from adology.queues.messages import AnalyzeMessage, encode
from adology.queues.verdict import Dead, Done, Verdict
from adology.store.subjects import StoredAsset
from tests.unit.engine.analyses import Bench, Word, calls, make, says
from tests.unit.engine.memory import make_delivery

ASSET = StoredAsset(
    sha256="beef", kind="image", content_type="image/png", size_bytes=4, s3_path="s3://b/assets/beef.png"
)


class World:
    """Catalogue, archive and analysis cache around one handler."""

    def __init__(self, folder: Path, *analyzers: ReadyAnalyzer) -> None:
        self.bench = Bench()
        self.assets = {ASSET.sha256: ASSET}
        self.there = True
        self.downloads: list[str] = []
        self.links: list[tuple[str, str, list[str]]] = []
        me: Any = self
        self.handler = Reanalyzer(
            subjects=me, objects=me, archive=me, analyzers=AnalyzerSet(analyzers), runner=self.bench.runner(),
            scratch=folder,
        )  # fmt: skip

    async def handle(self, *names: str, kind: Any = "asset", subject: str = "beef") -> Verdict:
        message = AnalyzeMessage(brand="nike", kind=kind, subject=subject, analyzers=names)
        return await self.handler.handle(make_delivery(encode(message)))

    async def find_asset(self, sha256: str) -> StoredAsset | None:
        return self.assets.get(sha256)

    async def find_copy(self, copy_hash: str) -> Ad | None:
        return Ad(id="1") if copy_hash == "c0de" else None

    async def link(self, kind: str, subject: str, keys: Mapping[str, str]) -> None:
        self.links.append((kind, subject, sorted(keys)))

    def key_of(self, uri: str) -> str:
        return uri.removeprefix("s3://b/")

    async def get_file(self, key: str, path: Path) -> bool:
        self.downloads.append(key)
        path.write_bytes(b"data")
        return self.there


def of_pictures(name: str, **over: Any) -> ReadyAnalyzer:
    return make(name, says(name), accepts=("image",), **over)


def test_the_named_analyzer_runs_after_what_it_uses_and_no_other_is_paid(tmp_path: Path) -> None:
    async def story() -> None:
        used, wanted, dear = of_pictures("used"), of_pictures("wanted", uses=("used",)), of_pictures("dear")
        world = World(tmp_path, used, wanted, dear)
        assert await world.handle("wanted") == Done()
        assert (calls(used), calls(wanted), calls(dear)) == (1, 1, 0)
        assert world.links == [("asset", "beef", ["used", "wanted"])]
        assert world.downloads == ["assets/beef.png"]
        assert list(tmp_path.iterdir()) == []

    asyncio.run(story())


def test_without_names_every_analyzer_of_the_kind_runs(tmp_path: Path) -> None:
    async def story() -> None:
        one, film, copy = of_pictures("one"), make("film", says(""), accepts=("video",)), make("copy", says(""))
        world = World(tmp_path, one, film, copy)
        await world.handle()
        await world.handle(kind="ad", subject="c0de")
        assert (calls(one), calls(film), calls(copy)) == (1, 0, 1)
        assert world.links == [("asset", "beef", ["one"]), ("ad", "c0de", ["copy"])]

    asyncio.run(story())


def test_what_is_current_is_linked_again_without_a_call_or_a_download(tmp_path: Path) -> None:
    async def story() -> None:
        one = of_pictures("one")
        world = World(tmp_path, one)
        for _ in range(2):
            assert await world.handle() == Done()
        assert (calls(one), len(world.downloads), len(world.links)) == (1, 1, 2)

    asyncio.run(story())


@pytest.mark.parametrize(("kind", "what"), [("asset", "asset"), ("ad", "ad copy")])
def test_what_no_commit_brought_is_a_dead_letter(tmp_path: Path, kind: str, what: str) -> None:
    async def story() -> None:
        verdict = await World(tmp_path).handle(kind=kind, subject="00")
        assert verdict == Dead(reason=f"no committed {what} has the hash 00", code="ADO-5530")

    asyncio.run(story())


def test_a_creative_that_vanished_from_the_archive_is_named_and_its_claims_are_given_back(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path, make("one", lambda _, __: Word(), accepts=("image",)))
        world.there = False
        with pytest.raises(Terminal, match=r"s3://b/assets/beef\.png is not in the archive any more"):
            await world.handle()
        assert (world.bench.analyses.leases, list(tmp_path.iterdir())) == ({}, [])

    asyncio.run(story())
