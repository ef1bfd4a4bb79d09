"""One brand from four sources at once: Meta, Google by SerpApi, a customer's database, files.

Then what the second gathering asks for, and that no secret is found in anything that was written.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest

from adology.aws import open_client
from adology.engine.model import Batch
from adology.log import setup_logging
from adology.queues.sqs import Sqs
from tests.system import rig
from tests.system.conftest import Stack
from tests.system.running import EngineLoop, LogBook, Running, logging_kept, running
from tests.system.vendors import TOKEN_NAME, USER_TOKEN, Meta, meta, meta_ads
from tests.unit.upstreams.meta_world import PAGE, draw_image
from upstreams.faults import Fault
from upstreams.serpapi import API_KEY, SerpApiRules, SerpApiServer
from upstreams.world import World, WorldAd, WorldBrand, write_world

ADVERTISER = "AR10000000000000000001"
ORG = "org-acme"
KEY_NAME, URL_NAME = "ADOLOGY_TEST_SERPAPI_KEY", "ADOLOGY_TEST_CRM_URL"
ARCHIVE = "/v26.0/ads_archive"
TODAY = datetime.now(UTC).date()


class Scene:
    """What ran, and where its traces are."""

    def __init__(self, world: Running, vendor: Meta, google: SerpApiServer, database: Path, book: LogBook) -> None:
        self.world = world
        self.vendor = vendor
        self.google = google
        self.database = database
        self.book = book
        self.sent: list[str] = []
        self.first: Batch
        self.second: Batch
        self.asked_first: dict[str, list[dict[str, str]]] = {}
        self.asked_second: dict[str, list[dict[str, str]]] = {}

    def asked(self) -> dict[str, list[dict[str, str]]]:
        """Queries that the vendors were asked since last time."""
        found = {
            "meta": [entry.query for entry in self.vendor.api.requests if entry.path == ARCHIVE],
            "google": [entry.query for entry in self.google.requests if entry.path.startswith("/search")],
        }
        self.vendor.api.requests.clear()
        self.google.requests.clear()
        return found


def google_ad(number: int, **over: Any) -> WorldAd:
    fields: dict[str, Any] = {
        "id": f"CR{number:020d}",
        "network": "google",
        "format": "image",
        "bodies": (f"Google body {number}",),
        "titles": (f"Google title {number}",),
        "landing_url": f"https://acme.example/google/{number}",
        "countries": ("US", "DE"),
        "started_on": TODAY - timedelta(days=20),
        "creatives": (f"google{number}",),
    }
    return WorldAd(**{**fields, **over})


def make_world(folder: Path) -> World:
    """Three ads at Meta (one without media), three at Google (one on YouTube)."""
    names = ("meta1", "meta2", "google1", "google2")
    creatives = [draw_image(folder, name) for name in names]
    ads = (
        *meta_ads(1, 1, format="image", creatives=("meta1",)),
        *meta_ads(1, 2, format="image", creatives=("meta2",)),
        *meta_ads(1, 3),
        google_ad(1),
        google_ad(2),
        google_ad(3, format="video", creatives=(), youtube_id="ytvideo0003"),
    )
    brand = WorldBrand(
        id="acme", name="Acme", meta_page_id=PAGE, google_advertiser_id=ADVERTISER, domain="acme.example", ads=ads
    )
    world = World(seed=1, made_on=TODAY, brands=(brand,), creatives=tuple(creatives))
    write_world(folder, world)
    return world


def add_row(database: Path, number: int, image: str, updated_at: datetime) -> None:
    with contextlib.closing(sqlite3.connect(database)) as link, link:
        link.execute(
            "create table if not exists ads (id text, brand text, body text, image text, updated_at timestamp)"
        )
        row = (f"row-{number}", "ACME", f"Customer body {number}", image, updated_at.strftime("%Y-%m-%d %H:%M:%S"))
        link.execute("insert into ads values (?, ?, ?, ?, ?)", row)


def sources(vendor: Meta, google: SerpApiServer) -> dict[str, dict[str, Any]]:
    return {
        "facebook": vendor.source(limit=2),
        "serpapi": {"api_key": f"env:{KEY_NAME}", "base_url": google.origin, "backoff_s": 0.0, "burst": 1000},
        "crm": {
            "plugin": "customer_db",
            "url": f"env:{URL_NAME}",
            "owner_org_id": ORG,
            "query": "select * from ads where brand = :handle",
            "columns": {"id": "id", "bodies": ["body"], "images": ["image"]},
            "cursor_column": "updated_at",
        },
    }


@contextlib.contextmanager
def logged() -> Iterator[LogBook]:
    """Everything that is logged, as the process's only sink writes it."""
    book = LogBook()
    with logging_kept():
        setup_logging(level="TRACE", style="json", stream=book)
        yield book


@pytest.fixture(scope="module")
def scene(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Two gatherings of one brand, the second after something new appeared everywhere."""
    folder = tmp_path_factory.mktemp("vendors")
    database = folder / f"customers-{secrets.token_hex(8)}.sqlite"
    found = make_world(folder)
    with contextlib.ExitStack() as cleaner:
        patch = cleaner.enter_context(pytest.MonkeyPatch.context())
        for name, value in ((TOKEN_NAME, USER_TOKEN), (KEY_NAME, API_KEY), (URL_NAME, f"sqlite:///{database}")):
            patch.setenv(name, value)
        book = cleaner.enter_context(logged())
        loop = cleaner.enter_context(EngineLoop())
        vendor = cleaner.enter_context(meta(loop, found, folder))
        google = SerpApiServer(found, vendor.media.url_for, rules=SerpApiRules(pictureless=0))
        loop.run(google.start())
        cleaner.callback(lambda: loop.run(google.stop()))
        told: dict[str, Any] = {"sources": sources(vendor, google), "fetch": vendor.fetch}
        world = cleaner.enter_context(running(stack, on=loop, **told))
        scene = Scene(world, vendor, google, database, book)
        patch.setattr(Sqs, "_call", _recording(scene.sent))
        world.run(_play(scene, folder))
        yield scene


async def _play(scene: Scene, folder: Path) -> None:
    world, vendor = scene.world, scene.vendor
    for number in (1, 2):
        then = datetime.now(UTC) - timedelta(days=9 - number)
        add_row(scene.database, number, vendor.media.url_for("meta1.jpg"), then)
    rig.draw_ads(folder / "files", 2)
    # An answer that is no JSON, with the address in the log's error text.
    vendor.api.faults.add(Fault(kind="html", path=ARCHIVE))
    handles = {"facebook": PAGE, "serpapi": ADVERTISER, "crm": "ACME", "files": str(folder / "files")}
    await world.add_brand("acme", roots=(str(folder / "files"),), **handles)
    scene.first = await world.gather("acme", "first", insight=True)
    scene.asked_first = scene.asked()

    add_row(scene.database, 3, vendor.media.url_for("meta2.jpg"), datetime.now(UTC))
    scene.second = await world.gather("acme", "second", insight=True)
    scene.asked_second = scene.asked()
    # Refusals name the credential that was refused.
    vendor.api.faults.add(Fault(kind="token_expired", path=ARCHIVE))
    scene.google.faults.add(Fault(kind="invalid_key", path="/"))
    await world.gather("acme", "third", insight=True)


def _recording(sent: list[str]) -> Any:
    real = Sqs._call

    async def call(self: Sqs, operation: str, queue: str, **arguments: Any) -> Any:
        sent.append(f"{operation} {queue} {arguments}")
        return await real(self, operation, queue, **arguments)

    return call


def test_every_source_brings_its_ads_into_one_batch(scene: Scene) -> None:
    batch = scene.first
    assert batch.state == "committed", batch.error
    assert {name: (told["outcome"], told["ads"]) for name, told in batch.sources.items()} == {
        "facebook": ("ok", 3),
        "serpapi": ("ok", 3),
        "crm": ("ok", 2),
        "files": ("ok", 3),
    }
    assert (batch.counts["ads"], batch.counts["failures"]) == (11, 0)
    found = scene.world.rows("select source, count(*) from ads where first_batch = %s group by 1", batch.id)
    assert dict(found) == {"facebook": 3, "serpapi": 3, "crm": 2, "files": 3}


def test_the_same_bytes_from_several_sources_are_one_asset(scene: Scene) -> None:
    # Two at Meta, two at Google, two files; the customer's pictures are Meta's.
    assert scene.first.counts["assets"] == 6
    shared = """select count(distinct a.source) from ad_assets l join ads a on a.id = l.ad_id
        group by l.sha256 having count(distinct a.source) > 1"""
    assert scene.world.rows(shared) == [(2,), (2,)]
    assert scene.world.rows("select max(attempts) from analyses") == [(1,)]


def test_a_customers_rows_belong_to_its_organisation_and_nobody_elses_do(scene: Scene) -> None:
    owners = scene.world.rows("select source, owner_org_id, count(*) from ads group by 1, 2 order by 1")
    assert owners == [("crm", ORG, 3), ("facebook", None, 3), ("files", None, 3), ("serpapi", None, 3)]


def test_cursors_are_stored_with_the_commit(scene: Scene) -> None:
    stored = dict(scene.world.rows("select source, batch_id from source_cursors where brand = 'acme'"))
    assert {"facebook", "serpapi", "crm"} <= set(stored)
    assert stored["facebook"] == scene.second.id


def test_the_second_gathering_asks_only_for_what_is_new(scene: Scene) -> None:
    assert scene.second.id != scene.first.id
    lag = TODAY - timedelta(days=2)
    first, second = scene.asked_first["meta"], scene.asked_second["meta"]
    assert min(query["ad_delivery_date_min"] for query in first) < str(lag - timedelta(days=300))
    assert {date.fromisoformat(query["ad_delivery_date_min"]) for query in second} <= {lag, lag + timedelta(days=1)}
    lists = [query for query in scene.asked_second["google"] if "creative_id" not in query]
    assert lists
    assert all(query["start_date"] >= lag.strftime("%Y%m%d") for query in lists)
    # The new row, and the last one from before: others may bear its time.
    assert scene.second.sources["crm"]["ads"] == 2
    ads = scene.world.rows("select source_ad_id from ads where source = 'crm' order by 1")
    assert ads == [("row-1",), ("row-2",), ("row-3",)]


def test_the_second_gathering_runs_no_analysis_again(scene: Scene) -> None:
    # Only the new row's copy is new to the analyzers.
    assert scene.second.counts["analyses_run"] == 1


def test_no_secret_is_found_in_anything_that_was_written(scene: Scene) -> None:
    hidden = {"token": USER_TOKEN, "api key": API_KEY, "database": scene.database.name}
    places = {
        "postgres": _dump_postgres(scene.world),
        "mongo": _dump_mongo(scene.world),
        "s3": scene.world.run(_dump_s3(scene.world)),
        "sqs": "\n".join(scene.sent),
        "log": scene.book.getvalue(),
    }
    assert "Meta refuses the token" in places["postgres"], "the third gathering failed at Meta"
    for where in ("postgres", "mongo", "s3", "sqs"):
        assert "fresh coffee" in places[where], where
    assert "ads_archive" in places["log"]
    leaks = [f"{what} in {where}" for where, text in places.items() for what, value in hidden.items() if value in text]
    assert leaks == []


def _dump_postgres(world: Running) -> str:
    tables = world.rows("select table_name from information_schema.tables where table_schema = 'public'")
    everything = [world.rows(f'select * from "{name}"') for (name,) in tables]  # noqa: S608 - our own tables
    cells = [cell for rows in everything for row in rows for cell in row]
    return "\n".join(cell.decode("latin-1") if isinstance(cell, bytes) else str(cell) for cell in cells)


def _dump_mongo(world: Running) -> str:
    with pymongo.MongoClient[dict[str, Any]](world.settings.mongo.url) as client:
        database = client[world.settings.mongo.database]
        return "\n".join(str(found) for name in database.list_collection_names() for found in database[name].find())


async def _dump_s3(world: Running) -> str:
    texts = []
    async with open_client(world.settings.aws, "s3") as s3:
        bucket = world.settings.s3.bucket
        async for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", []):
                answer = await s3.get_object(Bucket=bucket, Key=entry["Key"])
                texts.append(entry["Key"] + (await answer["Body"].read()).decode("latin-1"))
    return "\n".join(texts)
