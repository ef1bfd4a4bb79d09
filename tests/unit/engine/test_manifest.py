"""The manifest gives back what was written, each URL once and in one order."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from adology import Ad, Media, Page
from adology.engine.manifest import Item, Manifest, Seal, SourceDone, ad_url, item_url
from adology.errors import EngineError
from adology.queues.messages import MAX_URL
from tests.unit.engine.memory import NOW, Objects


def make_ad(name: str, *urls: str, **over: Any) -> Ad:
    return Ad(id=name, media=tuple(Media(url=url, position=n) for n, url in enumerate(urls)), **over)


async def items(manifest: Manifest) -> list[Item]:
    return [item async for item in manifest.items(await manifest.list_parts())]


def add(manifest: Manifest, number: int, *ads: Ad, source: str = "library", **over: Any) -> Any:
    return manifest.add_page(source, number, Page(ads=ads, **over), gathered_at=NOW)


def make_seal(**over: Any) -> Seal:
    fields = {
        "batch": "b1",
        "brand": "nike",
        "sealed_at": NOW,
        "expected_count": 1,
        "ads": 1,
        "parts": (),
        "sources": {},
    }
    return Seal(**{**fields, **over})


def test_ads_come_back_as_they_were_written() -> None:
    full = make_ad(
        "1",
        "https://cdn.example/a.jpg",
        bodies=("Zeile\nzwei", "שלום 🛒"),
        started_on=date(2026, 1, 2),
        seen_at=datetime(2026, 1, 3, 4, 5, tzinfo=UTC),
        raw={"nested": {"list": [1, None, "x"]}},
        owner_org_id="org",
    )

    async def scenario() -> None:
        manifest = Manifest(Objects(), "b1")
        assert await add(manifest, 0, full, resume="token", cursor=7)
        found = [entry async for entry in manifest.ads(await manifest.list_parts())]
        ((committed, part, line),) = found
        assert (committed.ad, committed.source, committed.gathered_at) == (full, "library", NOW)
        assert await manifest.load_ad(part, line) == full

    asyncio.run(scenario())


def test_a_part_is_never_overwritten() -> None:
    async def scenario() -> None:
        manifest = Manifest(Objects(), "b1")
        assert await add(manifest, 0, make_ad("mine"))
        assert not await add(manifest, 0, make_ad("another gatherer's"))
        assert [found.ad.id async for found, _, _ in manifest.ads(await manifest.list_parts())] == ["mine"]

    asyncio.run(scenario())


def test_a_source_goes_on_after_its_last_part_with_its_last_cursor() -> None:
    async def scenario() -> None:
        manifest = Manifest(Objects(), "b1")
        await add(manifest, 0, make_ad("1"), make_ad("2"), resume="first", cursor=5)
        await add(manifest, 1, make_ad("3"), resume="second")
        await add(manifest, 0, make_ad("9"), source="other", resume="theirs")
        state = await manifest.load_source("library")
        assert (state.pages, state.resume, state.done) == (2, "second", None)
        assert state.ad_ids == {"1", "2", "3"}
        assert state.cursor == b"\x05"

        await manifest.finish_source("library", SourceDone(outcome="ok", cursor=b"\x06"))
        await manifest.finish_source("library", SourceDone(outcome="failed", reason="a late second word"))
        done = (await manifest.load_source("library")).done
        assert done is not None
        assert (done.outcome, done.cursor) == ("ok", b"\x06")

    asyncio.run(scenario())


def test_each_url_is_one_item_in_the_same_order_each_time() -> None:
    async def scenario() -> None:
        manifest = Manifest(Objects(), "b1")
        shared = "https://cdn.example/shared.jpg"
        await add(manifest, 0, make_ad("1", "https://cdn.example/1.jpg", shared, shared), make_ad("2", shared))
        await add(manifest, 1, make_ad("3", "https://cdn.example/3.mp4", shared), make_ad("4"))
        first, second = await items(manifest), await items(manifest)
        assert first == second
        assert [item.url for item in first] == [
            "https://cdn.example/1.jpg",
            shared,
            "urn:adology:ad:library:2",
            "https://cdn.example/3.mp4",
            "urn:adology:ad:library:4",
        ]

    asyncio.run(scenario())


def test_exactly_one_item_carries_the_copy_of_each_ad() -> None:
    async def scenario() -> None:
        manifest = Manifest(Objects(), "b1")
        urls = [f"https://cdn.example/{n}.jpg" for n in range(4)]
        await add(manifest, 0, make_ad("1", *urls[:3]), make_ad("2", urls[0]), make_ad("3", urls[1], urls[3]))
        carried = [item.ad.id for item in await items(manifest) if item.carries]
        assert carried == ["1", "2", "3"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "url", ["", "youtube:abc", "data:image/png;base64,AAAA", "ftp://x/y.jpg", "javascript:alert(1)"]
)
def test_media_that_is_no_file_of_the_web_is_no_item(url: str) -> None:
    async def scenario() -> None:
        manifest = Manifest(Objects(), "b1")
        await add(manifest, 0, make_ad("1", url))
        assert [item.url for item in await items(manifest)] == ["urn:adology:ad:library:1"]

    asyncio.run(scenario())


@pytest.mark.parametrize("url", ["HTTPS://cdn.example/a.jpg", "Http://cdn.example/a.jpg", "file:///ads/a.jpg"])
def test_the_case_of_a_scheme_does_not_matter(url: str) -> None:
    async def scenario() -> None:
        manifest = Manifest(Objects(), "b1")
        await add(manifest, 0, make_ad("1", url))
        assert [item.url for item in await items(manifest)] == [url]

    asyncio.run(scenario())


def test_a_url_that_no_message_carries_goes_by_its_length_and_hash() -> None:
    longest = "https://cdn.example/" + "a" * (MAX_URL - 20)
    assert item_url(Media(url=longest)) == longest
    one, other = item_url(Media(url=longest + "b")), item_url(Media(url=longest + "c"))
    assert one != other
    assert one.startswith(f"urn:adology:too-long:{MAX_URL + 1}:")

    async def scenario() -> None:
        manifest = Manifest(Objects(), "b1")
        await add(manifest, 0, make_ad("1", longest + "b"))
        (item,) = await items(manifest)
        assert item.url == one
        assert item.media is not None
        assert item.media.url == one, "the long one stays in the manifest"
        assert item.carries

    asyncio.run(scenario())


def test_an_ads_urn_keeps_source_and_id_apart() -> None:
    assert ad_url("a:b", "c/d é") == "urn:adology:ad:a%3Ab:c%2Fd%20%C3%A9"
    assert ad_url("a", "b:c") != ad_url("a:b", "c")


def test_the_seal_that_stands_first_wins() -> None:
    async def scenario() -> None:
        manifest = Manifest(Objects(), "b1")
        first = await manifest.write_seal(make_seal(expected_count=3))
        second = await manifest.write_seal(make_seal(expected_count=9))
        assert (first.expected_count, second.expected_count) == (3, 3)
        assert (await manifest.read_seal()).expected_count == 3
        assert await manifest.list_parts() == []

    asyncio.run(scenario())


def test_a_manifest_without_its_seal_says_so() -> None:
    with pytest.raises(EngineError, match=r"batch b1 has no sealed manifest at batches/b1/manifest\.json") as caught:
        asyncio.run(Manifest(Objects(), "b1").read_seal())
    assert caught.value.code == "ADO-5404"


def test_a_part_that_has_vanished_is_named() -> None:
    with pytest.raises(EngineError, match=r"manifest part batches/b1/manifest/x/000000\.jsonl has vanished") as caught:
        asyncio.run(Manifest(Objects(), "b1").load_ad("batches/b1/manifest/x/000000.jsonl", 1))
    assert caught.value.code == "ADO-5405"
