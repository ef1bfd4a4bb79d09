"""Vector indexes follow what is committed: soon, completely, and for each organisation apart."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import psycopg
import pytest

from adology.aws import open_client
from adology.errors import UnavailableError
from adology.plugins import load_plugins
from adology.runtime.followers import run_followers
from adology.settings import AdologySettings
from adology.storage import S3Store
from adology.store import Database, Subjects, changes
from adology.store.changes import Changes, PositionLostError
from adology.store.follower import Follower, hold_alone
from adology.store.locks import AdvisoryLocks
from adology_faiss import Filter, parse_id
from adology_faiss.home import Home
from adology_faiss.indexes import VectorIndexes
from adology_faiss.memory_home import MemoryHome
from adology_faiss.postgres import PgvectorIndex
from adology_faiss.postgres_home import PostgresHome
from adology_faiss.shelf import NOTES, Note, Shelf
from tests.system.committing import Committing
from tests.system.rows import SPACE, sha, unit

pytestmark = pytest.mark.anyio
OTHER = "m/2/4/f32"
PUBLIC = Filter(owner=None)
ACME = Filter(owner="acme")


@pytest.fixture
def catalogue(settings: AdologySettings) -> Iterator[Committing]:
    with psycopg.connect(settings.postgres.url, autocommit=True) as link:
        yield Committing(link)


@pytest.fixture
async def database(settings: AdologySettings) -> AsyncIterator[Database]:
    async with Database(settings.postgres) as database:
        yield database


@pytest.fixture
async def shelf(settings: AdologySettings) -> AsyncIterator[Shelf]:
    async with open_client(settings.aws, "s3") as client:
        yield Shelf(S3Store(client, settings.s3))


@pytest.fixture(params=["memory", "postgres"])
def home(request: pytest.FixtureRequest, database: Database) -> Home:
    return MemoryHome(None) if request.param == "memory" else PostgresHome(database)


async def settled(database: Database) -> None:
    """Return when everything of the past is past for the feed too: other tests' transactions count on this server."""
    async with asyncio.timeout(45), database.connection("look") as connection:
        found = await (await connection.execute("select pg_current_xact_id()::text::bigint")).fetchone()
        assert found is not None
        while (await Changes(database).now()).horizon <= found[0]:  # noqa: ASYNC110 - others end them
            await asyncio.sleep(0.05)


def following(database: Database, home: Home) -> Follower:
    return Follower(database, VectorIndexes(database, home))


async def found(
    home: Home, *vector: float, which: Filter = PUBLIC, analyzer: str = "visual", space: str = SPACE
) -> list[str]:
    """Names of the assets (or copies) that are found, nearest first."""
    index = home.get(space)
    if index is None:
        return []
    matches = await index.search(unit(*(vector or (1, 0, 0, 0))), 100, which)
    names = [parse_id(match.id) for match in matches]
    return [name.subject.rstrip("0").removeprefix("copy-") for name in names if name.analyzer == analyzer]


async def test_what_is_committed_is_found_and_what_is_not_yet_is_not(
    home: Home, database: Database, catalogue: Committing
) -> None:
    follower = following(database, home)
    catalogue.ad("first", 1, 0, 0, 0)
    await follower.catch_up()
    batch = catalogue.open()
    catalogue.add("second", (1, 1, 0, 0), batch=batch)
    assert await follower.catch_up() == 0
    assert await found(home) == ["first"]
    catalogue.commit(batch)
    assert await follower.catch_up() == 1
    assert await found(home) == ["first", "second"]
    assert await found(home, analyzer="textual") == ["first", "second"]
    assert await follower.catch_up() == 0


async def test_brands_sources_labels_and_days_are_filtered_by(
    home: Home, database: Database, catalogue: Committing
) -> None:
    catalogue.ad("a", 1, 0, 0, 0)
    catalogue.ad("b", 1, 1, 0, 0, brand="puma", source="google")
    follower = following(database, home)
    await follower.catch_up()
    catalogue.label("b", "iab:1", "format:video")
    await Subjects(database).link("asset", sha("b"), {"labels": "labels-b"})
    assert await follower.catch_up() == 1
    for which in (
        {"brands": {"puma"}},
        {"sources": {"google"}},
        {"labels_any": {"iab:1", "iab:2"}},
        {"labels_all": {"iab:1", "format:video"}},
    ):
        named: Any = {name: frozenset(values) for name, values in which.items()}
        assert await found(home, which=Filter(owner=None, **named)) == ["b"]
    today = catalogue.link.execute("select (now() at time zone 'UTC')::date").fetchone()
    assert today is not None
    assert await found(home, which=Filter(owner=None, seen_from=today[0])) == ["a", "b"]
    assert await found(home, which=Filter(owner=None, seen_from=today[0] + timedelta(days=1))) == []


async def test_an_organisations_ads_are_found_by_it_alone_and_change_nothing_for_others(
    home: Home, database: Database, catalogue: Committing
) -> None:
    catalogue.ad("open", 1, 0, 0, 0)
    catalogue.ad("secret", 1, 1, 0, 0, owner="acme", brand="puma")
    follower = following(database, home)
    await follower.catch_up()
    # The private ad shows the public creative as well.
    catalogue.link.execute(
        "insert into ad_assets (ad_id, position, sha256) select id, 1, %s from ads where source_ad_id = 'secret'",
        [sha("open")],
    )
    batch = catalogue.open("puma")
    catalogue.link.execute("update brand_ads set last_batch = %s where brand = 'puma'", [batch])
    catalogue.commit(batch)
    await follower.catch_up()
    index = home.get(SPACE)
    assert index is not None
    assert await found(home) == ["open"]
    assert await found(home, which=Filter(owner="other")) == ["open"]
    assert set(await found(home, which=ACME)) == {"open", "secret"}
    assert await index.facets("brand", PUBLIC) == {"nike": 2}
    assert await index.facets("brand", ACME) == {"nike": 2, "puma": 3}
    assert await found(home, which=Filter(owner=None, brands=frozenset({"puma"}))) == []


async def test_a_dropped_creative_and_an_old_copy_are_found_no_more(
    home: Home, database: Database, catalogue: Committing
) -> None:
    catalogue.ad("a", 1, 0, 0, 0)
    catalogue.ad("mine", 1, 0, 0, 0, owner="acme")
    follower = following(database, home)
    await follower.catch_up()
    catalogue.link.execute("delete from ad_assets")
    await follower.catch_up()
    assert await found(home, which=ACME) == []
    assert await found(home, which=ACME, analyzer="textual") == ["a", "mine"]
    catalogue.link.execute("update ads set copy_hash = 'new-' || source_ad_id")
    await follower.catch_up()
    assert await found(home, which=ACME, analyzer="textual") == []


async def test_another_model_moves_the_entry_into_its_space(
    home: Home, database: Database, catalogue: Committing
) -> None:
    catalogue.ad("a", 1, 0, 0, 0)
    follower = following(database, home)
    await follower.catch_up()
    catalogue.link.execute(
        "insert into analyses (key, analyzer, version, fingerprint, subject_kind, subject, state, result)"
        " select 'newer', analyzer, 2, 'g', subject_kind, subject, 'done', result || %s from analyses"
        " where key = 'visual-a'",
        [psycopg.types.json.Jsonb({"space": OTHER})],
    )
    await Subjects(database).link("asset", sha("a"), {"visual": "newer"})
    await follower.catch_up()
    assert await found(home) == []
    assert await found(home, space=OTHER) == ["a"]
    assert await found(home, analyzer="textual") == ["a"]


async def test_a_vector_that_is_not_of_its_space_holds_nothing_up(
    home: Home, database: Database, catalogue: Committing
) -> None:
    batch = catalogue.open()
    catalogue.add("good", (1, 0, 0, 0), batch=batch)
    catalogue.add("short", (1, 0, 0), batch=batch)
    catalogue.add("long", (1, 0, 0, 0, 1), batch=batch)
    catalogue.commit(batch)
    await following(database, home).catch_up()
    assert await found(home) == ["good"]


async def test_a_store_that_fails_on_the_way_loses_no_change(
    home: Home, database: Database, catalogue: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = following(database, home)
    await follower.catch_up()
    catalogue.ad("a", 1, 0, 0, 0)

    async def away(*_: object) -> None:
        raise UnavailableError("away", code="ADO-5401")

    with monkeypatch.context() as patched:
        patched.setattr(home, "open", away)
        with pytest.raises(UnavailableError):
            await follower.catch_up()
    assert await follower.catch_up() == 1
    assert await found(home) == ["a"]


async def test_a_late_commit_is_seen_and_an_open_one_holds_nothing_up(
    settings: AdologySettings, home: Home, database: Database, catalogue: Committing
) -> None:
    follower = following(database, home)
    await follower.catch_up()
    early = catalogue.open()
    with psycopg.connect(settings.postgres.url) as other:
        catalogue.commit(early, other)  # its change has the lower number, and is not visible yet
        batch = catalogue.open("puma")
        catalogue.add("quick", (1, 0, 0, 0), brand="puma", batch=batch)
        catalogue.commit(batch)
        assert await follower.catch_up() == 1
        assert await found(home) == ["quick"]
        assert await follower.catch_up() == 0
        catalogue.add("slow", (1, 1, 0, 0), batch=early)
        other.commit()
    assert await follower.catch_up() == 1
    assert await found(home) == ["quick", "slow"]
    assert await follower.catch_up() == 0


async def test_more_changes_than_one_page_are_all_taken(database: Database, catalogue: Committing) -> None:
    position = await Changes(database).now()
    with catalogue.link.transaction():
        for name in "abcde":
            catalogue.link.execute("insert into changes (kind, subject) values ('asset', %s)", [name])
    for name in "fgh":
        catalogue.link.execute("insert into changes (kind, subject) values ('asset', %s)", [name])
    await settled(database)
    pages = [page async for page in Changes(database).sweep(position, {}, limit=3)]
    taken = [change.subject for page in pages for change in page.changes]
    assert (taken, len(pages)) == (list("abcdefgh"), 3)
    late = max(change.xid for page in pages for change in page.changes)
    assert pages[-1].position.horizon > late  # nothing runs: all of it is past
    first = pages[0]
    known = {change.id: change.xid for change in first.changes}
    rest = [page async for page in Changes(database).sweep(first.position, known, limit=3)]
    assert [change.subject for page in rest for change in page.changes] == list("defgh")


async def test_what_becomes_visible_behind_the_page_that_is_read_is_not_lost(
    settings: AdologySettings, database: Database, catalogue: Committing
) -> None:
    note = "insert into changes (kind, subject) values ('asset', %s)"
    position = await Changes(database).now()
    taken: list[str] = []
    with psycopg.connect(settings.postgres.url) as other:
        other.execute(note, ["late"])
        for name in "abcd":
            catalogue.link.execute(note, [name])
        known: dict[int, int] = {}
        async for page in Changes(database).sweep(position, known, limit=2):
            if not taken:
                other.commit()
            taken += [change.subject for change in page.changes]
            known |= {change.id: change.xid for change in page.changes}
            position = page.position
        assert taken == list("abcd")
    async for page in Changes(database).sweep(position, known):
        taken += [change.subject for change in page.changes]
    assert taken == [*"abcd", "late"]


async def test_many_changes_are_taken_in_without_knowing_all_of_them(database: Database, catalogue: Committing) -> None:
    position = await Changes(database).now()
    catalogue.link.execute(
        "insert into changes (kind, subject) select 'asset', i::text from generate_series(1, 60000) i"
    )
    started = time.monotonic()
    count = 0
    async for page in Changes(database).sweep(position, {}):
        count += len(page.changes)
    assert count == 60_000
    assert time.monotonic() - started < 10  # the pages of one commit are not read anew with each page


async def test_a_position_of_another_server_is_not_trusted(
    home: Home, database: Database, catalogue: Committing
) -> None:
    catalogue.ad("a", 1, 0, 0, 0)
    follower = following(database, home)
    await follower.catch_up()
    here = await Changes(database).now()
    follower._position = msgspec.structs.replace(here, horizon=here.horizon + 1_000_000)  # a restored database
    with pytest.raises(PositionLostError, match="it is another server's"):
        _ = [page async for page in Changes(database).sweep(follower._position, {})]
    catalogue.ad("b", 1, 1, 0, 0)
    await follower.catch_up()
    assert await found(home) == ["a", "b"]


async def test_a_position_too_old_is_not_trusted_and_all_is_built_anew(
    home: Home, database: Database, catalogue: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.ad("a", 1, 0, 0, 0)
    follower = following(database, home)
    await follower.catch_up()
    catalogue.ad("b", 1, 1, 0, 0)
    catalogue.link.execute("update changes set at = now() - interval '8 days'")
    await settled(database)
    assert await Changes(database).clear() == 2
    monkeypatch.setattr(changes, "SAFE", timedelta(seconds=-1))
    with pytest.raises(PositionLostError, match="the position is of 20"):
        _ = [page async for page in Changes(database).sweep(await Changes(database).now(), {})]
    with pytest.raises(PositionLostError):
        await follower.catch_up()  # it built, and is again too old at once
    monkeypatch.undo()
    assert await follower.catch_up() == 0
    assert await found(home) == ["a", "b"]


async def test_a_follower_that_lost_its_lock_ends(database: Database, catalogue: Committing) -> None:
    stop = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        held = await hold_alone(stack, AdvisoryLocks(database), "vectors", stop)
        running = asyncio.create_task(following(database, MemoryHome(None)).run(stop, poll_s=0.01, held=held))
        await asyncio.sleep(0.1)
        assert not running.done()
        catalogue.link.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'adology lock vectors'"
            " and datname = current_database()"
        )
        with pytest.raises(UnavailableError, match="lock vectors is lost"):
            async with asyncio.timeout(5):
                await running


async def test_embeddings_that_fit_no_index_keep_the_others_waiting_for_nothing(
    home: Home, database: Database, catalogue: Committing
) -> None:
    for name, space in (
        ("long", "m" * 5000),
        ("wide", "m/1/99999/f32"),
        ("digits", f"m/1/{'9' * 5000}/f32"),
        ("arabic", "m/1/٣/f32"),
    ):
        catalogue.ad(name, 1, 0, 0, 0, space=space)
    catalogue.ad("nobody", 1, 0, 0, 0, owner="")
    catalogue.ad("odd", 1, 0, 0, 0, owner="a@b:c")
    catalogue.ad("good", 1, 0, 0, 0)
    follower = following(database, home)
    await follower.catch_up()
    assert await found(home) == ["good"]
    assert await found(home, which=Filter(owner="a@b:c")) == ["good", "odd"]
    assert {"m" * 5000, "m/1/99999/f32", f"m/1/{'9' * 5000}/f32"}.isdisjoint(home.list_spaces())


async def test_indexes_that_are_half_built_are_nobodys_to_take_up(
    database: Database, catalogue: Committing, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.ad("a", 1, 0, 0, 0)
    home = MemoryHome(shelf, snapshots_kept=3, snapshot_every_s=0)
    follower = following(database, home)
    await follower.catch_up()
    notes = await shelf._notes()

    async def away(*_: object) -> None:
        raise UnavailableError("away", code="ADO-5401")

    monkeypatch.setattr(home, "open", away)
    with pytest.raises(UnavailableError):
        await follower.rebuild()
    await home.close()
    assert await shelf._notes() == notes
    assert home.find(SPACE) is not None  # searches go on
    assert home.get(SPACE) is None


async def test_snapshots_of_a_restored_server_go_before_those_it_had(shelf: Shelf, database: Database) -> None:
    now = await Changes(database).now()
    later = msgspec.structs.replace(now, horizon=now.horizon - 100, at=now.at + timedelta(hours=1))
    for position in (now, later):
        await shelf.put_note(Note(position=position, indexes=()))
    loaded = await shelf.load()
    assert loaded is not None
    assert loaded[0].position.horizon == later.horizon
    await shelf.clear(keep=1)
    assert await shelf._notes() == [Note(position=later, indexes=()).key]


async def test_spaces_are_counted_when_they_have_grown(
    database: Database, catalogue: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    plain = PgvectorIndex.count

    async def count(self: PgvectorIndex, which: Filter) -> int:
        counted.append(self.space)
        return await plain(self, which)

    monkeypatch.setattr(PgvectorIndex, "count", count)
    follower = following(database, PostgresHome(database))
    catalogue.ad("a", 1, 0, 0, 0)
    await settled(database)
    for _ in range(3):
        await follower.catch_up()
    assert counted == [SPACE]


def entries_of(home: MemoryHome) -> dict[str, list[Any]]:
    """All there is in memory, as plain data."""
    held: dict[str, list[Any]] = {}
    for space in home.list_spaces():
        index = home._index(space)
        now = index._now
        rows = np.flatnonzero(now.alive).tolist()
        having = {key: set(found.tolist()) for key, found in now.columns.holders(now.size)}
        held[space] = sorted(
            (now.columns.ids[row], sorted(key for key, found in having.items() if row in found)) for row in rows
        )
    return {space: rows for space, rows in held.items() if rows}


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_following_ends_where_building_anew_does(
    seed: int, database: Database, catalogue: Committing
) -> None:
    rng = random.Random(seed)
    home = MemoryHome(None)
    follower = following(database, home)
    names: list[str] = []

    def add() -> None:
        names.append(f"n{len(names)}x")
        owner = rng.choice([None, None, "acme", "else"])
        catalogue.ad(names[-1], *rng.choices(range(1, 9), k=4), brand=rng.choice(["nike", "puma"]), owner=owner)

    def share() -> None:
        catalogue.link.execute(
            "insert into ad_assets (ad_id, position, sha256) select id, 7, %s from ads where source_ad_id = %s"
            " on conflict do nothing",
            [sha(rng.choice(names)), one := rng.choice(names)],
        )
        touch(one)

    def touch(name: str | None = None) -> None:
        name = name or rng.choice(names)
        row = catalogue.link.execute(
            "select b.brand from brand_ads b join ads a on a.id = b.ad_id where a.source_ad_id = %s", [name]
        ).fetchone()
        assert row is not None
        batch = catalogue.open(row[0])
        catalogue.link.execute(
            "update brand_ads set last_batch = %s where ad_id = (select id from ads where source_ad_id = %s)",
            [batch, name],
        )
        catalogue.commit(batch)

    def drop() -> None:
        catalogue.link.execute(
            "delete from ad_assets where ad_id = (select id from ads where source_ad_id = %s)", [rng.choice(names)]
        )

    def rewrite() -> None:
        name = rng.choice(names)
        catalogue.link.execute(
            "update ads set copy_hash = %s where source_ad_id = %s", [f"copy-{rng.choice(names)}", name]
        )
        touch(name)

    steps: list[Callable[[], None]] = [add, add, share, touch, drop, rewrite]
    add()
    for _ in range(25):
        rng.choice(steps)()
        if rng.random() < 0.5:
            await follower.catch_up()
    await follower.catch_up()
    anew = MemoryHome(None)
    await following(database, anew).catch_up()
    assert entries_of(home) == entries_of(anew)
    assert entries_of(anew)


async def test_snapshots_are_taken_up_where_they_were_written(
    database: Database, catalogue: Committing, shelf: Shelf
) -> None:
    catalogue.ad("a", 1, 0, 0, 0)
    home = MemoryHome(shelf, snapshots_kept=2)
    writer = following(database, home)
    await writer.catch_up()
    catalogue.ad("b", 1, 1, 0, 0)
    await settled(database)
    await writer.catch_up()
    await home.close()
    catalogue.ad("c", 0, 1, 0, 0)
    readers = [MemoryHome(shelf), MemoryHome(shelf)]
    for reader in readers:
        assert (await following(database, reader).catch_up(), await found(reader)) == (1, ["a", "b", "c"])
    await readers[0].close()  # it keeps none: it writes none
    assert len(await shelf._notes()) == 2


async def test_a_damaged_or_missing_snapshot_gives_way_to_the_one_before_and_to_building(
    settings: AdologySettings, database: Database, catalogue: Committing, shelf: Shelf
) -> None:
    home = MemoryHome(shelf, snapshots_kept=3, snapshot_every_s=0)
    follower = following(database, home)
    for name in ("a", "b", "c", "d"):
        catalogue.ad(name, 1, 0, 0, 0)
        await follower.catch_up()
    notes = await shelf._notes()
    assert len(notes) == 3  # older ones are cleared away, with their files
    (newest,), (middle,), (oldest,) = [await shelf._named(key) for key in reversed(notes)]
    async with open_client(settings.aws, "s3") as s3:
        listed = await s3.list_objects_v2(Bucket=settings.s3.bucket, Prefix="indexes/files/")
        assert len(listed["Contents"]) == 3
        await s3.delete_object(Bucket=settings.s3.bucket, Key=newest.key)
        data = await (await s3.get_object(Bucket=settings.s3.bucket, Key=middle.key))["Body"].read()
        await s3.put_object(Bucket=settings.s3.bucket, Key=middle.key, Body=data[:-1] + bytes([data[-1] ^ 1]))
        reader = MemoryHome(shelf)
        position = await reader.load()
        assert position is not None
        assert await found(reader) == ["a", "b"]
        await s3.put_object(Bucket=settings.s3.bucket, Key=oldest.key, Body=b"")
        for key in notes[:2]:
            await s3.put_object(Bucket=settings.s3.bucket, Key=key, Body=b"{")
    built = MemoryHome(shelf)
    await following(database, built).catch_up()
    assert await found(built) == ["a", "b", "c", "d"]
    assert NOTES in notes[0]


async def test_the_process_makes_a_commit_findable_within_two_seconds_and_one_of_two_works(
    settings: AdologySettings, database: Database, catalogue: Committing
) -> None:
    plugins = load_plugins(only=("faiss", "s3", "postgres"))
    own = {"faiss": {"store": "postgres", "poll_s": 0.2}}
    stop = asyncio.Event()
    both = [
        asyncio.create_task(run_followers(msgspec.structs.replace(settings, sinks=own), stop, plugins=plugins))
        for _ in "ab"
    ]
    home = PostgresHome(database)
    try:
        async with asyncio.timeout(15):
            while await home.load() is None:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.05)
        waits = []
        for name in ("a", "b", "c"):
            catalogue.ad(name, 1, 0, 0, 0)
            began = time.monotonic()
            async with asyncio.timeout(10):
                while name not in await found(home):
                    await home.load()
                    await asyncio.sleep(0.05)
            waits.append(time.monotonic() - began)
    finally:
        stop.set()
        await asyncio.gather(*both)
    assert sorted(waits)[1] < 2  # the middle one of three: this machine is shared
