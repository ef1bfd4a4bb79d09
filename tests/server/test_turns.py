"""One organisation cannot take what all live on: connections, and time in the database."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from adology.settings import AdologySettings
from adology_server.turns import CrowdedError, Turns
from tests.server.rig import Client, World, serving
from tests.server.test_matrix import insert_session, insert_user

pytestmark = pytest.mark.timeout(60)


def member(world: World, org: str) -> str:
    """The token of a new organisation's owner, who has a board."""
    world.add_org(org)
    token = insert_session(world, org, insert_user(world, org, f"owner@{org}.example", "owner"))
    world.rows("insert into boards (org_id, name) values (%s, 'Board')", [org])
    return token


@contextlib.contextmanager
def stuck(settings: AdologySettings, org: str) -> Iterator[str]:
    """Whoever changes the organisation's board waits in the database for the length of the block; the address."""
    with psycopg.connect(settings.postgres.url) as link:
        row = link.execute("select id from boards where org_id = %s for update", [org]).fetchone()
        assert row is not None
        yield f"/v1/boards/{row[0]}"


async def rename(who: Client, board: str) -> Any:
    return await who.ask("PATCH", board, {"name": "Other"})


def test_one_organisations_slow_statements_hold_up_nobody_else(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    slow, quick = member(world, "acme"), member(world, "rival")

    async def scenario() -> None:
        changes = {"statement_timeout_s": 4.0, "connection_wait_s": 1.0, "rate_organisation": 0}
        async with serving(store_settings, **changes) as nobody:  # a pool of four
            theirs, ours = nobody.as_(slow), nobody.as_(quick)
            await asyncio.gather(theirs.get("/v1/me"), ours.get("/v1/me"))
            with stuck(store_settings, "acme") as board:
                many = [asyncio.create_task(rename(theirs, board)) for _ in range(12)]
                await asyncio.sleep(0.5)
                began = time.perf_counter()
                for _ in range(5):
                    await ours.get("/v1/boards")
                assert time.perf_counter() - began < 1.0
                answers = await asyncio.gather(*many)
            refused = [one for one in answers if one.status == 429]
            assert len(refused) == 10, [one.status for one in answers]
            assert {one.kind for one in refused} == {"too-many"}
            assert {one.headers["retry-after"] for one in refused} == {"2"}
            # Two had a turn: what they asked was ended by the limit of a statement, and nothing was done.
            ended = [one for one in answers if one.status != 429]
            assert [(one.status, one.kind) for one in ended] == [(503, "unavailable")] * 2
            assert "too long" in ended[0].body["detail"]
            assert (await rename(theirs, board)).status == 200

    asyncio.run(scenario())


def test_a_turn_comes_back_whatever_became_of_it() -> None:
    async def scenario() -> None:
        turns = Turns(2, 0.05)
        with pytest.raises(ZeroDivisionError):
            async with turns.turn("a"):
                raise ZeroDivisionError
        async with turns.turn("a"), turns.turn("a"), turns.turn(None), turns.turn("b"):
            with pytest.raises(CrowdedError, match="'a' holds 2 connections"):
                async with turns.turn("a"):
                    pass
            waiting = asyncio.create_task(turns.turn("a").__aenter__())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert turns._gates == {}, "what nobody uses is forgotten"

        held = turns.turn("a"), turns.turn("a")
        for one in held:
            await one.__aenter__()
        came: list[int] = []

        async def come(number: int) -> None:
            async with Turns.turn(turns, "a"):
                came.append(number)

        many = [asyncio.create_task(come(number)) for number in range(3)]
        await asyncio.sleep(0)
        await held[0].__aexit__(None, None, None)
        await asyncio.gather(*many)
        assert came == [0, 1, 2]
        await held[1].__aexit__(None, None, None)
        assert turns._gates == {}

    asyncio.run(scenario())
