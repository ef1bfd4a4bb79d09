"""One creative: fetched under guard, found anew once, archived, analysed, measured."""
# ruff: noqa: ARG001, ARG002, ASYNC240 - the ports' signatures; small files

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from adology import Ad, Context, Media, Terminal
from adology.engine.analyze import Analysed
from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer
from adology.engine.metadata import ItemMetadata
from adology.engine.model import Claimed
from adology.engine.process import ROOTS_FRESH_S, ItemProcessor
from adology.errors import MediaExpiredError
from adology.fetch import Fetched
from adology.money import Payer
from tests.unit.engine.memory import Catalogue, Instance, Objects, make_batch, make_page, pages_of

URL, FRESH = "https://cdn.example/old.jpg", "https://cdn.example/new.jpg"
AD = Ad(id="42", bodies=("Half price",))
METADATA = ItemMetadata(source="library", ad=AD, media=Media(url=URL), carries=True)
BATCH = make_batch(state="acquiring")


class Fetcher:
    """Answers each URL with a file or an error; notes what it was asked."""

    def __init__(self, **errors: Exception) -> None:
        self.errors = errors
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.folders: list[Path] = []

    async def fetch(self, url: str, *, folder: Path, file_roots: Sequence[str] = ()) -> Fetched:
        self.asked.append((url, tuple(file_roots)))
        self.folders.append(folder)
        error = self.errors.get("old" if "old" in url else "new")
        if error is not None:
            raise error
        path = folder / "download"
        path.write_bytes(b"x")
        return Fetched(
            path=path, sha256="beef", size_bytes=1, content_type="image/jpeg", kind="image", extension="jpg",
            final_url=url, reported_type="",
        )  # fmt: skip


class Archive:
    def __init__(self) -> None:
        self.keys: list[str] = []

    async def archive(self, key: str, path: Path, content_type: str) -> bool:
        assert path.exists(), "the file is there while it is archived"
        new = key not in self.keys
        self.keys.append(key)
        return new


class Runner:
    """Answers with the records that the test says; archives first when there are any."""

    def __init__(self, **records: Claimed) -> None:
        self.records = records
        self.subjects: list[Any] = []
        self.payers: list[Payer] = []

    async def run(
        self, subject: Any, analyzers: Any, *, scratch: Path, before_first: Any, keep: Any, payer: Payer
    ) -> Analysed:
        self.subjects.append(subject)
        self.payers.append(payer)
        if self.records:
            await before_first()
        return Analysed(keys=dict.fromkeys(self.records, "k"), records=self.records, run=len(self.records))


class Resolving(Instance):
    """A source that finds media anew."""

    def __init__(self, found: str | None) -> None:
        super().__init__(pages_of(make_page()))
        self.asked: list[tuple[str, str]] = []

        async def resolve(ctx: Context[Any], ad: Ad, media: Media) -> Media | None:
            self.asked.append((ad.id, media.url))
            return Media(url=found) if found else None

        self.source.resolve = resolve  # type: ignore[method-assign]  # of this object only


def make_analyzer(name: str, *, essential: bool = False, accepts: tuple[str, ...] = ("image",)) -> ReadyAnalyzer:
    analyzer: Any = type(name, (), {"essential": essential, "accepts": accepts, "version": 1})()
    return ReadyAnalyzer(
        name=name,
        analyzer=analyzer,
        settings=None,
        settings_fields={},
        reference="",
        fingerprint=name,
    )


class Bench:
    def __init__(
        self, scratch: Path, fetcher: Fetcher, *analyzers: ReadyAnalyzer, runner: Runner | None = None,
        source: Instance | None = None,
    ) -> None:  # fmt: skip
        self.fetcher = fetcher
        self.archive = Archive()
        self.runner = runner or Runner()
        self.catalogue = Catalogue()
        self.objects = Objects()
        runs: Any = self.runner
        self.process = ItemProcessor(
            fetcher=fetcher, archive=self.archive, objects=self.objects, analyzers=AnalyzerSet(analyzers), runner=runs,
            catalogue=self.catalogue, sources={"library": source} if source else {}, scratch=scratch,
        )  # fmt: skip


def test_a_creative_is_archived_by_its_content_and_the_scratch_folder_is_left_empty(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Fetcher())
    result = asyncio.run(bench.process.media(BATCH, URL, METADATA))
    assert bench.archive.keys == ["assets/be/beef.jpg"]
    assert (result.s3_path, result.sha256, result.duplicate) == ("s3://bucket/assets/be/beef.jpg", "beef", False)
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_were_archived_before_are_a_duplicate(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Fetcher())
    bench.archive.keys.append("assets/be/beef.jpg")
    assert asyncio.run(bench.process.media(BATCH, URL, METADATA)).duplicate


def test_an_ad_without_media_has_nothing_to_fetch(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Fetcher())
    assert asyncio.run(bench.process.media(BATCH, "urn:adology:ad:library:42", METADATA)).status == "ok"
    assert bench.fetcher.asked == []


def test_a_url_too_long_for_messages_is_a_failure_that_tells_its_length(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Fetcher())
    with pytest.raises(Terminal, match="the media's URL has 9000 characters; allowed: 8192") as caught:
        asyncio.run(bench.process.media(BATCH, "urn:adology:too-long:9000:c0ffee", METADATA))
    assert caught.value.code == "ADO-5516"


@pytest.mark.parametrize("url", ["hello", "ftp://x/y", "urn:other:thing", "javascript:alert(1)"])
def test_any_other_address_is_the_fetchers_to_refuse(tmp_path: Path, url: str) -> None:
    bench = Bench(tmp_path, Fetcher())
    asyncio.run(bench.process.media(BATCH, url, METADATA))
    assert bench.fetcher.asked == [(url, ())]


def test_files_may_be_read_from_the_brands_folders_which_are_asked_for_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Fetcher())

    async def scenario() -> None:
        for name in ("file:///ads/a.jpg", "FILE:///ads/b.jpg", URL):
            await bench.process.media(BATCH, name, METADATA)

    asyncio.run(scenario())
    assert [roots for _, roots in bench.fetcher.asked] == [("/ads",), ("/ads",), ()]
    assert bench.catalogue.asked == 1


def test_folders_that_are_permitted_later_count_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, Fetcher())
    bench.catalogue.row = None
    clock = [100.0]
    monkeypatch.setattr("adology.engine.process.time.monotonic", lambda: clock[0])

    async def scenario() -> None:
        await bench.process.media(BATCH, "file:///ads/a.jpg", METADATA)
        bench.catalogue.row = Catalogue().row
        clock[0] += ROOTS_FRESH_S + 1
        await bench.process.media(BATCH, "file:///ads/a.jpg", METADATA)

    asyncio.run(scenario())
    assert [roots for _, roots in bench.fetcher.asked] == [(), ("/ads",)]


def test_an_expired_address_is_found_anew_through_the_source_once(tmp_path: Path) -> None:
    source = Resolving(FRESH)
    bench = Bench(tmp_path, Fetcher(old=MediaExpiredError("403")), source=source)
    result = asyncio.run(bench.process.media(BATCH, URL, METADATA))
    assert (result.url, result.status) == (URL, "ok"), "the result stands under the address that was discovered"
    assert source.asked == [("42", URL)]
    assert [url for url, _ in bench.fetcher.asked] == [URL, FRESH]


def test_an_address_that_is_refused_anew_is_not_looked_for_again(tmp_path: Path) -> None:
    source = Resolving(FRESH)
    expired = MediaExpiredError("https://cdn.example answered 403")
    bench = Bench(tmp_path, Fetcher(old=expired, new=expired), source=source)
    with pytest.raises(MediaExpiredError, match=r"answered 403 \(a fresh address was refused like the first\)"):
        asyncio.run(bench.process.media(BATCH, URL, METADATA))
    assert len(source.asked) == 1
    assert len(bench.fetcher.asked) == 2


@pytest.mark.parametrize("found", [None, URL, "file:///etc/passwd", "youtube:abc"])
def test_what_the_source_finds_must_be_another_address_of_the_web(tmp_path: Path, found: str | None) -> None:
    bench = Bench(tmp_path, Fetcher(old=MediaExpiredError("403")), source=Resolving(found))
    with pytest.raises(MediaExpiredError):
        asyncio.run(bench.process.media(BATCH, URL, METADATA))
    assert len(bench.fetcher.asked) == 1


@pytest.mark.parametrize(
    "metadata", [ItemMetadata(source="library", media=Media(url=URL)), ItemMetadata(source="library", ad=AD), METADATA]
)
def test_without_ad_media_or_source_nothing_is_looked_for(tmp_path: Path, metadata: ItemMetadata) -> None:
    source = None if metadata is METADATA else Resolving(FRESH)
    bench = Bench(tmp_path, Fetcher(old=MediaExpiredError("403")), source=source)
    with pytest.raises(MediaExpiredError):
        asyncio.run(bench.process.media(BATCH, URL, metadata))
    assert len(bench.fetcher.asked) == 1


def test_a_creative_that_an_essential_analyzer_cannot_read_is_a_failure(tmp_path: Path) -> None:
    runner = Runner(media=Claimed(state="failed", error_code="ADO-3101", error="not an image"))
    bench = Bench(tmp_path, Fetcher(), make_analyzer("media", essential=True), runner=runner)
    result = asyncio.run(bench.process.media(BATCH, URL, METADATA))
    assert (result.status, result.error_code, result.error) == ("failed", "ADO-3101", "not an image")
    assert result.s3_path, "the bytes are archived all the same"


def test_a_failure_of_any_other_analyzer_is_only_its_own(tmp_path: Path) -> None:
    runner = Runner(labels=Claimed(state="failed", error_code="ADO-3002", error="a bug"))
    bench = Bench(tmp_path, Fetcher(), make_analyzer("labels"), runner=runner)
    assert asyncio.run(bench.process.media(BATCH, URL, METADATA)).status == "ok"


def test_measures_and_thumbnail_come_from_whoever_has_them_first(tmp_path: Path) -> None:
    runner = Runner(
        media=Claimed(state="done", result={"width": 640, "height": None}, derived=("derived/thumbnail.webp",)),
        other=Claimed(
            state="done", result={"width": 1, "height": 480, "duration_s": 2.5}, derived=("derived/frame.webp",)
        ),
    )
    bench = Bench(tmp_path, Fetcher(), make_analyzer("media"), make_analyzer("other"), runner=runner)
    result = asyncio.run(bench.process.media(BATCH, URL, METADATA))
    assert (result.width, result.height, result.duration_s) == (640, 480, 2.5)
    assert result.thumbnail == "s3://bucket/derived/thumbnail.webp"


def test_the_copy_is_analysed_by_the_item_that_carries_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Fetcher(), make_analyzer("copy", accepts=("ad",)))
    assert asyncio.run(bench.process.copy(make_batch(), METADATA)) is not None
    (subject,) = bench.runner.subjects
    assert (subject.kind, subject.hash) == ("ad", AD.copy_hash())
    assert {payer.brand for payer in bench.runner.payers} == {"nike"}
    assert asyncio.run(bench.process.copy(make_batch(), ItemMetadata(source="library", ad=AD))) is None


def test_without_copy_analyzers_the_ad_is_not_even_read(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Fetcher())
    assert (
        asyncio.run(bench.process.copy(make_batch(), ItemMetadata(part="batches/b1/x", line=1, carries=True))) is None
    )
    assert bench.objects.reads == []
