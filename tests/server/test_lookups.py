"""Handles looked for in the sources: candidates or a reason, never a choice; paid calls in the ledger."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import msgspec
import pytest

from adology.settings import AdologySettings
from adology.settings.prices import Price
from tests.server.rig import Client, World, serving
from tests.server.test_matrix import insert_session, insert_user
from tests.unit.serpapi import rig as google
from tests.unit.upstreams import meta_world as meta
from upstreams.faults import Fault
from upstreams.meta import USER_TOKEN, MetaServer
from upstreams.serpapi import API_KEY, SerpApiServer

pytestmark = pytest.mark.timeout(90)
PATH = "/v1/brands/acme/handles/resolve"


class Vendors:
    """The stand-ins, and the settings that lead to them."""

    def __init__(self) -> None:
        brands = (
            google.make_brand([google.make_ad(1), google.make_ad(2)]),
            google.make_brand([google.make_ad(3)], advertiser=google.OTHER, name="Acme Tools", domain="tools.example"),
        )
        self.google = SerpApiServer(google.make_world(*brands), lambda file: f"https://cdn.example/{file}")
        ads = meta.make_ads(3, bodies=("Acme: fresh coffee",))
        self.meta = MetaServer(meta.make_world(ads), lambda file: f"https://cdn.example/{file}")

    def asked_google(self) -> int:
        """How often it was asked; without those that it let wait, which it notes when their wait is over."""
        return sum(one.fault != "delay" for one in self.google.requests)

    def settings(self, settings: AdologySettings, **changes: Any) -> AdologySettings:
        sources = {
            "serpapi": {"api_key": API_KEY, "base_url": self.google.origin, "backoff_s": 0.0},
            "facebook": {"token": USER_TOKEN, "base_url": self.meta.origin, "site_url": self.meta.origin},
            **{
                name: {"plugin": "customer_db", "url": "sqlite://", "owner_org_id": org, "query": "select 1"}
                for name, org in (("crm", "acme"), ("theirs", "rival"))
            },
            **changes.pop("sources", {}),
        }
        return msgspec.structs.replace(settings, sources=sources, **changes)


@contextlib.asynccontextmanager
async def vendors() -> AsyncIterator[Vendors]:
    made = Vendors()
    async with made.google, made.meta:
        yield made


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    for org in ("acme", "rival"):
        made.add_org(org)
    made.add_brands("acme")
    return made


def member(world: World, org: str = "acme") -> str:
    return insert_session(world, org, insert_user(world, org, f"member@{org}.example", "member"))


async def look(who: Client, **body: Any) -> dict[str, Any]:
    told = (await who.ask("POST", PATH, body)).expect(200)
    return {one["source"]: one for one in told["sources"]}


def test_each_source_answers_for_itself_and_nothing_is_chosen(store_settings: AdologySettings, world: World) -> None:
    token = member(world)
    world.rows("update brands set handles = %s where id = 'acme'", [f'{{"facebook": ["{meta.PAGE}"]}}'])

    async def scenario() -> None:
        async with vendors() as sides, serving(sides.settings(store_settings)) as nobody:
            who = nobody.as_(token)
            told = await look(who, domain="www.Acme.example")
            assert sorted(told) == ["crm", "facebook", "serpapi"], "another organisation's database is nowhere"
            (found,) = told["serpapi"]["candidates"]
            assert (found["handle"], found["name"], found["confidence"], found["held"]) == (
                google.ACME, "Acme", 1.0, False,
            )  # fmt: skip
            assert found["link"].endswith(google.ACME)
            assert (told["serpapi"]["outcome"], told["serpapi"]["paid_calls"]) == ("found", 1)
            assert told["serpapi"]["cost_usd"] is None, "no price is known"
            (page,) = told["facebook"]["candidates"]
            assert (page["handle"], page["held"], page["verified"]) == (meta.PAGE, True, None)
            assert (told["facebook"]["paid_calls"], told["facebook"]["cost_usd"]) == (0, 0)
            assert (told["crm"]["outcome"], told["crm"]["candidates"]) == ("unsupported", [])
            # By the name alone there are two, the likelier one first; only where it is asked for.
            told = await look(who, sources=["serpapi"])
            assert [one["handle"] for one in told["serpapi"]["candidates"]] == [google.ACME, google.OTHER]
            assert list(told) == ["serpapi"]

    asyncio.run(scenario())
    assert world.rows("select handles from brands where id = 'acme'") == [({"facebook": [meta.PAGE]},)]
    paid = world.rows("select service, model, brand, owner_org_id, state, units from paid_calls order by id")
    assert paid == [
        ("serpapi", "google_ads_transparency_center", "acme", "acme", "billed", {"searches": 1})
    ] * 2  # fmt: skip


def test_what_goes_wrong_in_a_source_is_its_answer(store_settings: AdologySettings, world: World) -> None:
    token = member(world)

    async def scenario() -> None:
        async with vendors() as sides:
            settings = sides.settings(store_settings, sources={"facebook": {"token": "env:SURELY_NOT_SET_4711"}})
            async with serving(settings, lookups_per_minute=0, lookup_s=1.0) as nobody:
                who = nobody.as_(token)
                told = await look(who, domain="nothing.example", sources=["facebook"])
                assert (told["facebook"]["outcome"], told["facebook"]["retry_after_s"]) == ("not_configured", None)
                assert "SURELY" not in str(told), "nothing of our inside"
                sides.google.faults.add(Fault(kind="delay", seconds=5.0))
                told = await look(who, sources=["serpapi"])
                assert (told["serpapi"]["outcome"], told["serpapi"]["retry_after_s"]) == ("later", 60)
                assert "within 1 s" in told["serpapi"]["detail"]
                sides.google.faults.clear()
                sides.google.faults.add(Fault(kind="throughput_429", path="/search"))
                told = await look(who, sources=["serpapi"])
                assert (told["serpapi"]["outcome"], told["serpapi"]["retry_after_s"]) == ("later", 301)
                # The key rests for all workers, and for this server.
                before = sides.asked_google()
                told = await look(who, sources=["serpapi"])
                assert told["serpapi"]["outcome"] == "later"
                assert sides.asked_google() == before
        (row,) = world.rows("select count(*), max(credential) from credential_pauses")
        assert row == (1, "serpapi")

    asyncio.run(scenario())


def test_a_budget_holds_look_ups_back(store_settings: AdologySettings, world: World) -> None:
    token, rival = member(world), member(world, "rival")
    price = Price(service="serpapi", model="*", since=date(2020, 1, 1), usd_per_million={"searches": 20_000})
    money = msgspec.structs.replace(
        store_settings.money,
        prices=(price,),
        budgets=msgspec.structs.replace(store_settings.money.budgets, organisation_day_usd=0.03),
    )

    async def scenario() -> None:
        async with vendors() as sides, serving(sides.settings(store_settings, money=money)) as nobody:
            who = nobody.as_(token)
            first = await look(who, sources=["serpapi"])
            assert first["serpapi"]["cost_usd"] == 0.02
            second = await look(who, sources=["serpapi"], domain="other.example")
            assert (second["serpapi"]["outcome"], second["serpapi"]["detail"]) == (
                "later", "The day's budget for paid calls is used up.",
            )  # fmt: skip
            assert (await look(nobody.as_(rival), sources=["serpapi"]))["serpapi"]["outcome"] == "found"

    asyncio.run(scenario())


def test_who_may_look_up_what_and_how_often(store_settings: AdologySettings, world: World) -> None:
    token, rival = member(world), member(world, "rival")

    async def scenario() -> None:
        async with vendors() as sides, serving(sides.settings(store_settings), lookups_per_minute=2) as nobody:
            who = nobody.as_(token)
            absent = await who.ask("POST", "/v1/brands/absent/handles/resolve", {})
            assert absent.kind == "not-found"
            foreign = await who.ask("POST", PATH, {"sources": ["theirs"]})
            unknown = await who.ask("POST", PATH, {"sources": ["their"]})
            assert foreign.body["detail"].replace("theirs", "…") == unknown.body["detail"].replace("their", "…")
            for domain in ("no domain", "https://acme.example", "acme"):
                assert (await who.ask("POST", PATH, {"domain": domain})).kind == "invalid", domain
            for _ in range(2):
                await look(who, sources=["facebook"])
            many = await who.ask("POST", PATH, {"sources": ["facebook"]})
            assert many.kind == "too-many"
            assert 1 <= int(many.headers["retry-after"]) <= 30
            await look(nobody.as_(rival), sources=["facebook"])

    asyncio.run(scenario())
    # What may cost money is in the log with who it was; what was refused before cost nothing.
    for org, times in (("acme", 2), ("rival", 1)):
        records = world.rows(
            "select outcome, target, actor like 'user:%%' from audit where org_id = %s and action = 'resolveHandles'",
            [org],
        )
        assert records == [("done", PATH, True)] * times
