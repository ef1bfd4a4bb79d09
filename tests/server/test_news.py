"""New ads of a brand: told once per batch, to those whose brandspaces hold the brand; private ones to their owner."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from adology.settings import AdologySettings
from adology.store import Database
from adology_server.tasks.news import News
from adology_server.tasks.tidying import tidy_live
from tests.server.live_rig import add_task, change_task, socket
from tests.server.rig import World, log_in, serving
from tests.system.rig import wait_until

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    for org in ("acme", "rival", "third"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_brands("nike", "puma")
    return made


def commit(world: World, batch: str, brand: str, *owners: str | None) -> None:
    """A batch that brings an ad of each of these owners, as the commit does it: in one transaction."""
    world.rows("insert into batches (id, brand, state) values (%s, %s, 'acquiring')", [batch, brand])
    for number, owner in enumerate(owners):
        ((ad,),) = world.rows(
            "insert into ads (source, source_ad_id, owner_org_id, media_outcome, copy_hash, first_seen_at,"
            " last_seen_at, first_batch, last_batch)"
            " values ('s', %s, %s, 'text_only', '', now(), now(), %s, %s) returning id",
            [f"{batch}-{number}", owner, batch, batch],
        )
        world.rows("insert into brand_ads values (%s, %s, %s, %s)", [brand, ad, batch, batch])
    world.rows("update batches set state = 'committed', committed_at = now() where id = %s", [batch])


def test_news_reach_those_who_may_see_them(store_settings: AdologySettings, world: World) -> None:
    def told(message: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(message[key] for key in ("event", "brand", "batch", "ads", "private"))

    async def scenario() -> None:
        async with serving(store_settings) as nobody, Database(store_settings.postgres) as database:
            acme, rival, third = [await log_in(nobody, f"owner@{org}.example") for org in ("acme", "rival", "third")]
            for person, brand in ((acme, "nike"), (rival, "nike"), (third, "puma")):
                await person.post("/v1/brandspaces", {"name": "Sport", "followed": [brand]})
            news = News(database)
            assert await news.look() == 0
            async with socket(acme) as ours, socket(rival) as theirs, socket(third) as others:
                commit(world, "b1", "nike", None, None, "acme")
                commit(world, "b2", "nike")
                assert await news.look() == 2
                assert sorted([told(await ours.hear_event()) for _ in range(2)]) == [
                    ("brand.new_ads", "nike", "b1", 1, True), ("brand.new_ads", "nike", "b1", 2, False),
                ]  # fmt: skip
                public = await theirs.hear_event()
                assert told(public) == ("brand.new_ads", "nike", "b1", 2, False)
                for link in (ours, theirs, others):
                    await link.is_still()
            # What was missed is what would have been heard.
            async with socket(third, public["seq"] - 1) as others, socket(rival, 0) as theirs:
                await others.is_still()
                assert await theirs.hear_event() == public
                await theirs.is_still()

    asyncio.run(scenario())


def test_each_batch_is_told_once_however_many_look(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with contextlib.AsyncExitStack() as stack:
            databases = [await stack.enter_async_context(Database(store_settings.postgres)) for _ in range(3)]
            readers = [News(database) for database in databases]
            await readers[0].look()
            for number in range(6):
                commit(world, f"b{number}", "nike", None, "acme")
                await asyncio.gather(*(reader.look() for reader in readers))
            # One that begins where an older one stopped, or long before.
            await News(databases[0]).look()
            world.rows("update followers set horizon = 0 where name = 'server-events'")
            await News(databases[0]).look()
        told = world.rows("select batch, org_id, count(*) from events group by 1, 2 order by 1, 2")
        assert told == [(f"b{number}", org, 1) for number in range(6) for org in ("acme", None)]

    asyncio.run(scenario())


def test_old_events_and_used_tickets_are_forgotten(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        task = add_task(world)
        last = change_task(world, task, 1)
        world.rows("update events set at = now() - interval '2 hours'")
        async with serving(store_settings) as nobody, Database(store_settings.postgres) as database:
            owner = await log_in(nobody, "owner@acme.example")
            await owner.post("/v1/ws-tickets")
            world.rows("update ws_tickets set expires_at = now()")
            await wait_until(lambda: world.rows("select 1 from ws_tickets where expires_at < now()"), "time goes on")
            assert await tidy_live(database, 3600.0) == 2
            # The newest stays: by it a client is told that there is nothing before.
            assert world.rows("select id from events") == [(last,)]
            async with socket(owner, last - 1) as link:
                assert (await link.hear_event())["seq"] == last
            async with socket(owner, 0) as link:
                assert (await link.hear())["type"] == "gap"

    asyncio.run(scenario())
