"""Re-analyses over the API: quoted, paid once, of what the organisation sees, within budgets, ended in mid-way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adology.settings import AdologySettings
from tests.server.renewal_rig import EACH_USD, Paid, priced, reset, with_paid
from tests.server.rig import Client, World, log_in, serving
from tests.server.tasks_rig import is_, quick, running, wait_task
from tests.system import rig

pytestmark = pytest.mark.timeout(150)
ABSENT = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def _paid(monkeypatch: pytest.MonkeyPatch) -> None:
    reset()
    loaded = with_paid()
    monkeypatch.setattr("adology_server.analyzers.load_plugins", lambda **_: loaded)


@pytest.fixture
def world(settings: AdologySettings) -> World:
    made = World(settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_user("acme", "member@acme.example", "member")
    return made


async def gathered(settings: AdologySettings, folder: Path, count: int) -> None:
    """So many creatives of nike, analysed with the first prompt."""
    rig.draw_ads(folder, count)
    async with rig.living(priced(settings), loaded=with_paid()) as engine:
        await rig.add_brand(engine, folder)
        await rig.ask(engine, "first")
        assert (await rig.wait_ended(engine, "first")).state == "committed"
    assert len(Paid.calls) == count
    Paid.calls.clear()


@contextlib.asynccontextmanager
async def renewing(
    settings: AdologySettings, *, window: int = 100, workers: bool = True
) -> AsyncIterator[tuple[Client, Client, str]]:
    """Server, runner and workers with these settings: the owner, nobody, and the body of a brandspace of nike's."""
    async with contextlib.AsyncExitStack() as stack:
        nobody = await stack.enter_async_context(serving(settings))
        if workers:
            await stack.enter_async_context(rig.living(settings, loaded=with_paid()))
        await stack.enter_async_context(running(quick(settings), window=window))
        owner = await log_in(nobody, "owner@acme.example")
        spaces = (await owner.get("/v1/brandspaces"))["items"]
        if not spaces:
            spaces = [await owner.post("/v1/brandspaces", {"name": "Sport", "primary": "nike"})]
        yield owner, nobody, spaces[0]["id"]


async def begin(owner: Client, body: dict[str, Any], **query: Any) -> str:
    answer = await owner.ask("POST", "/v1/reanalyses", body, **query)
    return str(answer.expect(202)["request_id"])


def test_a_quote_is_what_is_done_and_paid(settings: AdologySettings, world: World, tmp_path: Path) -> None:
    second = priced(settings, "second")

    async def scenario() -> None:
        await gathered(settings, tmp_path / "ads", 5)
        async with renewing(second) as (owner, nobody, space):
            body = {"brandspace_id": space, "analyzers": ["paid"]}
            quoted = await owner.post("/v1/reanalyses/quote", body, 200)
            assert quoted == {
                "analyses": 5, "cost_usd": 0.005, "lines": [{
                    "analyzer": "paid", "of": "creatives", "current": 0, "reasons": {"settings": 5}, "chosen": 5,
                    "cost_usd": 0.005, "seconds": quoted["lines"][0]["seconds"],
                }],
            }  # fmt: skip
            assert Paid.calls == [], "a quote does nothing"
            assert world.rows("select count(*) from tasks") == [(0,)]
            member = await log_in(nobody, "member@acme.example")
            for path in ("/v1/reanalyses", "/v1/reanalyses/quote"):
                assert (await member.ask("POST", path, body)).kind == "not-allowed"
            dear = await owner.ask("POST", "/v1/reanalyses", {**body, "most_usd": 0.004})
            assert (dear.kind, dear.body["errors"]) == ("conflict", [
                {"field": "most_usd", "detail": "It is 5 analyses for 0.005 USD; most_usd is 0.004."}
            ])  # fmt: skip
            assert (await owner.post("/v1/reanalyses/quote", {**body, "because": ["missing"]}, 200))["analyses"] == 0
            some = await wait_task(owner, await begin(owner, {**body, "limit": 2}), is_("completed"))
            assert some["result"] == {"analyses": 2, "done": 2, "failed": 0, "cost_usd": 0.002}
            both = [await begin(owner, {**body, "most_usd": 0.005}) for _ in range(2)]
            ended = [await wait_task(owner, task, is_("completed")) for task in both]
            assert {one["progress"]["done"] for one in ended} <= {0, 3}
            assert len(Paid.calls) == len(set(Paid.calls)) == 5, "two at once pay each creative once"
            after = await owner.post("/v1/reanalyses/quote", body, 200)
            assert (after["analyses"], after["lines"][0]["current"]) == (0, 5)
            nothing = await wait_task(owner, await begin(owner, body), is_("completed"))
            assert nothing["result"] == {"analyses": 0, "done": 0, "failed": 0, "cost_usd": 0.0}
            # Who asked for it is in the books.
            assert world.rows(
                "select owner_org_id, brand, count(*) from paid_calls where began_at > (select min(created_at)"
                " from tasks) group by 1, 2"
            ) == [("acme", "nike", 5)]
            heard = world.rows("select body->>'status' from events where task = %s order by id", [some["id"]])
            assert [status for (status,) in heard][-1] == "completed"
            assert world.rows("select state from tasks where kind = 'reanalyze'") == [("completed",)] * 4

    asyncio.run(scenario())


def test_what_is_failed_is_tried_once_more(settings: AdologySettings, world: World, tmp_path: Path) -> None:
    async def scenario() -> None:
        await gathered(settings, tmp_path / "ads", 3)
        Paid.broken = {row[0] for row in world.rows("select sha256 from assets order by sha256 limit 2")}
        async with renewing(priced(settings, "second")) as (owner, _, space):
            body = {"brandspace_id": space, "analyzers": ["paid"]}
            done = await wait_task(owner, await begin(owner, body), is_("completed"))
            assert done["result"] == {"analyses": 3, "done": 1, "failed": 2, "cost_usd": EACH_USD}
            Paid.broken.pop()
            again = {**body, "because": ["failed"]}
            assert (await owner.post("/v1/reanalyses/quote", again, 200))["lines"][0]["reasons"] == {"failed": 2}
            done = await wait_task(owner, await begin(owner, again), is_("completed"))
            assert done["result"] == {"analyses": 2, "done": 1, "failed": 1, "cost_usd": EACH_USD}

    asyncio.run(scenario())


def test_only_what_the_organisation_sees_is_counted_and_analysed(
    settings: AdologySettings, world: World, tmp_path: Path
) -> None:
    async def scenario() -> None:
        await gathered(settings, tmp_path / "ads", 4)
        ads = world.rows("select a.id, m.sha256 from ads a join ad_assets m on m.ad_id = a.id order by a.id")
        secret, theirs = ads[0]
        shown = [sha for _, sha in ads if sha != theirs]
        # One creative is of the rival's own ads alone.
        hidden = [ad for ad, sha in ads if sha == theirs]
        world.rows("update ads set owner_org_id = 'rival' where id = any(%s)", [hidden])
        async with renewing(priced(settings, "second")) as (owner, nobody, space):
            rival = await log_in(nobody, "owner@rival.example")
            body = {"brandspace_id": space, "analyzers": ["paid"]}
            told = []
            for which in (space, ABSENT):
                answer = await rival.ask("POST", "/v1/reanalyses/quote", {**body, "brandspace_id": which})
                told.append((answer.status, answer.body["detail"].replace(which, "…")))
            assert told[0] == told[1] == (404, "There is no brandspace '…' here.")
            told = []
            for ad in (secret, 987_654_321):
                answer = await owner.ask("POST", "/v1/reanalyses", {**body, "ads": [ad]})
                told.append((answer.status, answer.body["detail"].replace(str(ad), "…")))
            assert told[0] == told[1] == (404, "There is no ad '…' here.")
            assert (await owner.post("/v1/reanalyses/quote", body, 200))["analyses"] == 3
            (one,) = {ad for ad, sha in ads if sha == shown[0]}
            narrow = await owner.post("/v1/reanalyses/quote", {**body, "ads": [one]}, 200)
            assert narrow["analyses"] == 1
            done = await wait_task(owner, await begin(owner, body), is_("completed"))
            assert done["result"]["analyses"] == 3
            assert sorted(Paid.calls) == sorted(set(shown))
            for wrong, field, text in (
                ({"analyzers": ["payed"]}, "analyzers", "Did you mean paid?"),
                ({"brands": ["adidas"]}, "brands", "'adidas' is not in the brandspace; it has nike."),
                ({"because": ["bored"]}, "because[0]", "bored"),
                ({"analyzers": []}, "analyzers", "length"),
            ):
                answer = await owner.ask("POST", "/v1/reanalyses", {**body, **wrong})
                (fault,) = answer.body["errors"]
                assert (answer.kind, fault["field"]) == ("invalid", field), answer.body
                assert text in fault["detail"]
            assert (await rival.get("/v1/tasks"))["items"] == []

    asyncio.run(scenario())


def test_a_budget_holds_and_the_deadline_ends_the_wait(settings: AdologySettings, world: World, tmp_path: Path) -> None:
    second = priced(settings, "second", organisation_day_usd=0.0025)

    async def scenario() -> None:
        await gathered(settings, tmp_path / "ads", 5)
        async with renewing(second) as (owner, _, space):
            task = await begin(owner, {"brandspace_id": space, "analyzers": ["paid"]})
            waiting = await wait_task(owner, task, lambda one: one["progress"].get("put_off") == 3)
            assert waiting["status"] == "processing"
            assert waiting["progress"] == {
                "analyses": 5, "done": 2, "failed": 0, "put_off": 3, "why": ["ADO-3006"], "cost_usd": 0.002,
            }  # fmt: skip
            assert len(Paid.calls) == 2
            used = world.rows("select used_usd::float from budget_use where scope = 'organisation:acme'")
            assert used == [(0.002,)]
            world.rows("update tasks set deadline = now() where id = %s", [task])
            failed = await wait_task(owner, task, is_("failed"))
            assert failed["error"] == "it was not done by its deadline"
            await rig.wait_until(lambda: world.rows("select count(*) from task_analyses") == [(0,)], "it is forgotten")

    asyncio.run(scenario())


def test_cancelled_in_mid_way_no_more_than_what_is_in_work_is_paid(
    settings: AdologySettings, world: World, tmp_path: Path
) -> None:
    async def scenario() -> None:
        await gathered(settings, tmp_path / "ads", 12)
        Paid.hold = True
        async with renewing(priced(settings, "second"), window=3) as (owner, _, space):
            body = {"brandspace_id": space, "analyzers": ["paid"]}
            task = await begin(owner, body)
            sent = "select count(*) from task_analyses where sent_at is not null"
            await rig.wait_until(lambda: world.rows(sent) == [(3,)], "the first are asked for")
            await asyncio.sleep(2.5)
            assert world.rows(sent) == [(3,)], "no more are asked for while those are in work"
            await owner.post(f"/v1/tasks/{task}/cancel", status=200)
            Paid.hold = False
            await rig.wait_until(lambda: len(Paid.calls) == 3, "what was in work is made")
            await asyncio.sleep(2.5)
            assert len(Paid.calls) == 3
            ended = await owner.get(f"/v1/tasks/{task}")
            assert (ended["status"], ended["result"]) == ("cancelled", None)
            # What was paid is kept: the next one goes on from there.
            done = await wait_task(owner, await begin(owner, body), is_("completed"))
            assert done["result"]["analyses"] == 9
            assert len(Paid.calls) == len(set(Paid.calls)) == 12

    asyncio.run(scenario())


def test_a_runner_without_the_analyzer_fails_the_task_at_once(
    settings: AdologySettings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_brands("nike")

    async def scenario() -> None:
        async with serving(priced(settings)) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            space = (await owner.post("/v1/brandspaces", {"name": "Sport", "primary": "nike"}))["id"]
            task = await begin(owner, {"brandspace_id": space, "analyzers": ["paid"]})
            monkeypatch.setattr("adology_server.analyzers.load_plugins", lambda **_: rig.plugins())
            async with running(quick(settings)):
                failed = await wait_task(owner, task, is_("failed"))
            assert failed["error"] == "a fault of ours (ADO-5906); our log has it"

    asyncio.run(scenario())


def test_it_ends_where_it_costs_more_than_was_allowed(settings: AdologySettings, world: World, tmp_path: Path) -> None:
    async def scenario() -> None:
        await gathered(settings, tmp_path / "ads", 12)
        async with renewing(priced(settings, "second"), window=1) as (owner, _, space):
            # The quote is too low: the price has risen.
            world.rows("update analyses set cost_usd = 0.0001 where analyzer = 'paid'")
            body = {"brandspace_id": space, "analyzers": ["paid"], "most_usd": 0.0025}
            failed = await wait_task(owner, await begin(owner, body), is_("failed"))
            assert failed["error"] == "it has cost 0.003 USD by now, and most_usd is 0.0025"
            await asyncio.sleep(2)
            assert len(Paid.calls) == 3

    asyncio.run(scenario())
