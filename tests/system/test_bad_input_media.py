"""Addresses that lead nowhere, vendors that refuse, texts of a stranger: each ends as it should."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adology.engine.model import Batch
from tests.system import rig
from tests.system.conftest import Stack
from tests.system.running import EngineLoop, Running, running
from tests.system.vendors import TOKEN_NAME, USER_TOKEN, Meta, image_world, meta
from upstreams.faults import FOREVER, Fault

ARCHIVE = "/v26.0/ads_archive"
ADS = 6


@pytest.fixture(scope="module")
def loop() -> Iterator[EngineLoop]:
    with EngineLoop() as found:
        yield found


@pytest.fixture(scope="module")
def started(loop: EngineLoop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meta]:
    folder = tmp_path_factory.mktemp("world")
    with meta(loop, image_world(folder, ADS), folder) as found:
        yield found


@pytest.fixture(scope="module")
def world(stack: Stack, loop: EngineLoop, started: Meta) -> Iterator[Running]:
    """One engine that knows one vendor under several names: each test has an instance of its own."""
    names = ("facebook", "throttled", "expiring", "renewed", "refused")
    sources = {name: {"plugin": "facebook", **started.source(limit=2)} for name in names}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN_NAME, USER_TOKEN)
        with running(stack, on=loop, sources=sources, fetch=started.fetch) as found:
            yield found


@pytest.fixture
def vendor(started: Meta) -> Iterator[Meta]:
    """The vendor without faults and with an empty log."""
    started.api.reset()
    started.media.reset()
    yield started
    started.api.reset()
    started.media.reset()


def write_lines(folder: Path, brand: str, lines: list[dict[str, Any]]) -> Path:
    """A table of ads."""
    folder.mkdir(exist_ok=True)
    table = folder / f"{brand}.jsonl"
    table.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return table


async def gather_lines(world: Running, folder: Path, brand: str, lines: list[dict[str, Any]]) -> Batch:
    """Gather a table of ads."""
    table = write_lines(folder, brand, lines)
    await world.add_brand(brand, roots=(str(folder),), files=str(table))
    return await world.gather(brand)


def test_a_private_address_is_a_failure_and_nobody_is_contacted(world: Running, tmp_path: Path) -> None:
    async def scenario() -> None:
        urls = ["http://10.0.0.7/a.jpg", "http://169.254.169.254/latest/meta-data/iam", "http://localhost:22/b.png"]
        batch = await gather_lines(world, tmp_path, "private", [{"id": "1", "body": "x", "images": urls}])

        failures = world.failures(batch)
        assert batch.state == "committed"
        assert set(failures) == set(urls)
        assert {code for code, _ in failures.values()} == {"ADO-5101"}
        assert "10.0.0.7 is" in failures[urls[0]][1]
        assert world.rows("select count(*) from brand_ads where brand = 'private'") == [(1,)]

    world.run(scenario())


def test_a_url_too_long_for_messages_is_a_failure_of_its_own_and_the_ad_is_committed(
    world: Running, tmp_path: Path
) -> None:
    async def scenario() -> None:
        picture = rig.draw_ads(tmp_path / "pictures", 1)[0]
        long = "https://cdn.example/" + "a" * 9000 + ".jpg"
        lines = [{"id": "1", "body": "long", "images": [long, picture.as_uri()]}]
        batch = await gather_lines(world, tmp_path, "long", lines)

        ((url, (code, reason)),) = world.failures(batch).items()
        assert url.startswith("urn:adology:too-long:9024:")
        assert (code, reason) == ("ADO-5516", "the media's URL has 9024 characters; allowed: 8192")
        assert batch.counts["assets"] == 1

    world.run(scenario())


def test_hostile_texts_are_committed_as_far_as_the_stores_can_hold_them(world: Running, tmp_path: Path) -> None:
    async def scenario() -> None:
        texts = {
            "nul": "be\u0000fore #na\u0000me https://x.example/a\u0000b $9\u0000.99",
            "rtl": "\u202egro.elpmaxe\u202c خصم كبير على كل شيء",
            "long": "Now 50 % off! " * 75_000,
            "i" * 1000: "a long id",
            "astral": "🛒" * 500 + "\uffff\ufffe\u0001",
        }
        lines = [{"id": name, "body": text, "title": text[:200], "cta": text[:50]} for name, text in texts.items()]
        batch = await gather_lines(world, tmp_path, "hostile", lines)

        assert (batch.state, batch.counts["ads"], batch.counts["failures"]) == ("committed", 5, 0)
        found = """select a.source_ad_id, a.bodies[1], count(l.key), bool_and(n.state = 'done') from ads a
            join brand_ads b on b.ad_id = a.id left join ad_analyses l on l.ad_id = a.id
            left join analyses n on n.key = l.key where b.brand = 'hostile' group by 1, 2"""
        ads = {
            name.removeprefix("hostile/"): (body, analysed, done) for name, body, analysed, done in world.rows(found)
        }
        assert all(analysed and done for _, analysed, done in ads.values()), ads
        assert ads["nul"][0] == "before #name https://x.example/ab $9.99"
        assert ads["rtl"][0] == texts["rtl"]
        assert len(ads["long"][0]) == 100_000
        assert len(ads) == 5

    world.run(scenario())


def test_an_ad_too_large_for_a_message_is_read_from_the_manifest(world: Running, tmp_path: Path) -> None:
    async def scenario() -> None:
        lines = [{"id": f"big-{n}", "body": f"Only {n} EUR! " + "x" * 300_000} for n in (5, 7)]
        batch = await gather_lines(world, tmp_path, "big", [{"id": "small", "body": "Only 3 EUR!"}, *lines])

        assert (batch.state, batch.counts["failures"]) == ("committed", 0)
        analysed = """select count(distinct l.key) from ad_analyses l join brand_ads b on b.ad_id = l.ad_id
            join analyses n on n.key = l.key where b.brand = 'big' and n.state = 'done'"""
        assert world.rows(analysed) == [(3,)]

    world.run(scenario())


def test_a_vendor_that_says_slow_down_is_asked_again_later_and_the_batch_completes(
    world: Running, vendor: Meta
) -> None:
    async def scenario() -> None:
        vendor.api.faults.add(Fault(kind="rate_limit_613", path=ARCHIVE, after=1))
        await world.add_brand("throttled", throttled=vendor.page)
        batch = await world.gather("throttled")

        assert (batch.state, batch.counts["ads"]) == ("committed", ADS)
        # The page from before the pause is not asked for again, and no repair took the pause for a crash.
        firsts = [r for r in vendor.api.requests if r.path == ARCHIVE and "after" not in r.query]
        assert len(firsts) == 1
        assert batch.repairs == 0
        assert batch.sources["throttled"]["outcome"] == "ok"

    world.run(scenario())


def test_a_credential_that_expires_halfway_keeps_what_came_and_says_so(world: Running, vendor: Meta) -> None:
    async def scenario() -> None:
        vendor.api.faults.add(Fault(kind="token_expired", path=ARCHIVE, after=1))
        await world.add_brand("expiring", expiring=vendor.page)
        batch = await world.gather("expiring")

        told = batch.sources["expiring"]
        assert (batch.state, told["outcome"], told["code"]) == ("committed", "partial", "ADO-2101")
        assert "setting sources.expiring.token: Meta refuses the token (190/463)" in told["reason"]
        assert batch.counts["ads"] == 2
        assert USER_TOKEN not in str(batch)
        # The cursor stays where it was: a new token fetches what is missing.
        assert world.rows("select count(*) from source_cursors where brand = 'expiring'") == [(0,)]

        again = await world.gather("expiring", "with a new token")
        assert again.sources["expiring"]["outcome"] == "ok"
        assert world.rows("select count(*) from brand_ads where brand = 'expiring'") == [(ADS,)]
        assert world.rows("select count(*) from source_cursors where brand = 'expiring'") == [(1,)]

    world.run(scenario())


def test_a_media_address_that_expired_is_found_anew_once_through_the_source(world: Running, vendor: Meta) -> None:
    async def scenario() -> None:
        vendor.media.faults.add(Fault(kind="expired"))
        await world.add_brand("renewed", renewed=vendor.page)
        batch = await world.gather("renewed")

        assert (batch.state, batch.counts["failures"], batch.counts["assets"]) == ("committed", 0, ADS)
        assert sorted(vendor.fetched()) == [200] * ADS + [403]

    world.run(scenario())


def test_a_media_address_that_is_refused_anew_is_a_failure(world: Running, vendor: Meta) -> None:
    async def scenario() -> None:
        vendor.media.faults.add(Fault(kind="expired", path="/m/picture1", times=FOREVER))
        await world.add_brand("refused", refused=vendor.page)
        batch = await world.gather("refused")

        ((url, (code, reason)),) = world.failures(batch).items()
        assert "/m/picture1.jpg" in url
        assert code == "ADO-5102"
        assert reason.endswith("(a fresh address was refused like the first)")
        assert vendor.fetched().count(403) == 2
        assert batch.counts["ads"] == ADS

    world.run(scenario())
