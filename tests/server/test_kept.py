"""Kept answers: those that would be given anew, whatever has changed, and no more memory than allowed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
import pytest

from adology.settings import AdologySettings
from adology_server.ads.kept import _ENTRY_BYTES, KeptAnswers, Question
from adology_server.tenancy import Tenants
from tests.server.ads_rig import Ads, at, follow, two_orgs
from tests.server.rig import Client, log_in, serving

pytestmark = pytest.mark.timeout(90)
BRANDS = ("nike", "puma", "adidas", "other")
QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/v1/ads", {}),
    ("/v1/ads", {"limit": 3, "fields": "id"}),
    ("/v1/ads", {"label": "theme:sport", "sort": "longest"}),
    ("/v1/ads", {"status": "not_looked"}),
    ("/v1/ads", {"q": "title"}),
    ("/v1/ads", {"collapse": "true"}),
    ("/v1/ads/facets", {}),
    ("/v1/ads/facets", {"role": "competitor", "facet": "label"}),
    ("/v1/statistics", {}),
    ("/v1/statistics", {"new_days": 30}),
)


@pytest.fixture
def ads(store_settings: AdologySettings) -> Ads:
    return two_orgs(store_settings, *BRANDS)


async def sporty(nobody: Client, org: str = "acme") -> tuple[Client, str]:
    """An owner, and a brandspace with nike and puma."""
    owner = await log_in(nobody, f"owner@{org}.example")
    made = await owner.post("/v1/brandspaces", {"name": "Sport", "primary": "nike", "competitors": ["puma"]})
    return owner, made["id"]


def delete(ads: Ads, ids: list[int]) -> None:
    """What is left of an organisation's ads in the end."""
    with psycopg.connect(ads.url) as link:
        link.execute("delete from brand_ads where ad_id = any(%s)", [ids])
        link.execute("delete from ad_analyses where ad_id = any(%s)", [ids])
        link.execute("delete from ad_assets where ad_id = any(%s)", [ids])
        link.execute("delete from ads where id = any(%s)", [ids])


def test_what_is_known_is_not_counted_anew(store_settings: AdologySettings, ads: Ads) -> None:
    ads.commit_ad("one", seen=at(1), format="image")

    async def scenario() -> None:
        await follow(store_settings)
        async with serving(store_settings) as nobody:
            owner, _ = await sporty(nobody)

            async def told() -> list[Any]:
                page, facets = await owner.get("/v1/ads", fields="format"), await owner.get("/v1/ads/facets")
                statistics = await owner.get("/v1/statistics")
                return [page["items"][0]["format"], facets["format"][0]["value"], statistics["formats"][0]["value"]]

            before = await told()
            # A change that nobody notes.
            for table in ("feed", "feed_items"):
                ads.rows(f"alter table {table} disable trigger user".encode())
            ads.rows("update feed set format = 'video'")
            ads.rows('update feed_items set item = (item::jsonb || \'{"format": "video"}\')::text')
            for table in ("feed", "feed_items"):
                ads.rows(f"alter table {table} enable trigger user".encode())
            assert await told() == before
            ads.rows("update feed set run_days = run_days + 1 where brand = 'nike'")
            assert await told() == ["video"] * 3 != before

    asyncio.run(scenario())


def test_kept_answers_are_those_that_would_be_given(store_settings: AdologySettings, ads: Ads) -> None:
    """Whatever happens in between: a server that keeps answers says what one says that keeps none."""
    dice = random.Random(20261130)
    held: list[int] = []

    def commit() -> None:
        brands = dice.sample(BRANDS, dice.choice((1, 1, 2)))
        owner = dice.choice((None, None, "acme", "rival"))
        labels = dice.sample(["theme:sport", "theme:food"], dice.randrange(3))
        name, columns = uuid4().hex[:8], {"source": "crm"} if owner else {}
        held.append(
            ads.commit_ad(name, brands=brands, owner=owner, labels=labels, seen=at(dice.randrange(40)), **columns)
        )

    def remove() -> None:
        if held:
            delete(ads, [held.pop(dice.randrange(len(held)))])

    def fail() -> None:
        batch = uuid4().hex[:8]
        ads.rows("insert into batches (id, brand, state) values (%s, %s, 'discovering')", [batch, dice.choice(BRANDS)])
        ads.rows("update batches set state = 'failed' where id = %s", [batch])

    def look() -> None:
        ads.batch(uuid4().hex[:8], dice.choice(BRANDS), facebook=dice.choice(("ok!", "ok", "partial")))

    async def scenario() -> None:
        async with serving(store_settings) as keeps, serving(store_settings, kept_answers_bytes=0) as forgets:
            people = [await sporty(keeps, org) for org in ("acme", "rival")]
            asked = 0
            for _ in range(25):
                owner, space = people[0]
                change: Callable[[], None] | None = dice.choice((commit, commit, commit, remove, fail, look, None))
                if change is not None:
                    change()
                    await follow(store_settings)
                else:
                    path = f"/v1/brandspaces/{space}/brands/{dice.choice(('puma', 'adidas', 'other'))}"
                    if dice.random() < 0.3:
                        await owner.ask("DELETE", path)
                    else:
                        await owner.ask("PUT", path, {"role": dice.choice(("competitor", "followed"))})
                for who, _ in people:
                    for path, query in dice.sample(QUESTIONS, 5):
                        kept = await who.get(path, **query)
                        fresh = await Client(forgets.http, forgets.origin, who.token).get(path, **query)
                        assert kept == fresh, (path, query)
                        asked += bool(kept.get("items") or kept.get("total") or kept.get("ads"))
            assert asked > 100, "most answers say nothing"

    asyncio.run(scenario())


def test_each_transaction_that_changes_a_brand_gives_it_one_version(store_settings: AdologySettings, ads: Ads) -> None:
    ids = [ads.commit_ad(f"ad{number}", brands=["nike", "puma"]) for number in range(3)]
    asyncio.run(follow(store_settings))

    def versions() -> dict[str, str]:
        return dict(ads.rows("select brand, version::text from feed_versions"))

    seen = [versions()]
    assert {*seen[0]} == {"nike", "puma"}
    for statement in (
        "update feed set run_days = 9 where brand = 'nike'",
        "update feed_items set thumbnail = 'x' where brand = 'nike'",
        "insert into feed_coverage (brand, source, tried_at, outcome) values ('nike', 'x', now(), 'ok')",
        "update feed_coverage set outcome = 'failed' where source = 'x'",
        "delete from feed_coverage where source = 'x'",
    ):
        ads.rows(statement)
        now = versions()
        assert now["nike"] not in {one["nike"] for one in seen}, statement
        assert now["puma"] == seen[-1]["puma"], statement
        seen.append(now)
    ads.rows("update feed set run_days = 10 where brand = 'none of these'")
    assert versions() == seen[-1]
    delete(ads, ids)
    now = versions()
    assert (now["nike"], ads.rows("select * from feed")) == (now["puma"], [])
    assert now["nike"] not in {one["nike"] for one in seen}


class Database:
    """Answers as `Tenants` does: of each brandspace the version that it is given."""

    def __init__(self) -> None:
        self.version: str | None = "1"
        self.asked = 0

    async def several(self, _: str, *asked: Any) -> list[list[dict[str, Any]]]:
        self.asked += len(asked) - 1
        answers: list[list[dict[str, Any]]] = [[{"version": self.version}], [{"told": self.asked}]]
        return answers[: len(asked)]

    async def rows(self, *_: Any) -> list[dict[str, Any]]:
        self.asked += 1
        return [{"told": self.asked}]


def ask(kept: KeptAnswers, database: Database, what: str, *, size: int = 1000) -> int:
    """The number of the statement that the answer is of."""
    question = Question("acme", UUID(int=1), what)
    made = kept.find(cast("Tenants", database), question, "", None, lambda rows: (int(rows[0]["told"]), size))
    return asyncio.run(made)


def test_memory_is_bounded_and_the_oldest_answer_goes_first() -> None:
    each = 1000 + _ENTRY_BYTES
    kept, database = KeptAnswers(10 * each, 60.0), Database()
    assert [ask(kept, database, f"q{n}") for n in range(10)] == list(range(1, 11))
    assert (ask(kept, database, "q0"), kept.size) == (1, 10 * each)
    assert ask(kept, database, "q10") == 11
    assert kept.size == 10 * each
    assert ask(kept, database, "q0") == 1, "was asked for after q1"
    assert ask(kept, database, "q1") == 12
    # What is too large pushes nothing out.
    assert ask(kept, database, "large", size=5 * each) == 13
    assert (ask(kept, database, "large", size=5 * each), ask(kept, database, "q0")) == (14, 1)
    # An answer that is made again takes the place of the one before.
    database.version = "2"
    assert ask(kept, database, "q0", size=500) == 15
    assert kept.size == 10 * each - 500
    assert KeptAnswers(0, 60.0).size == 0


def test_nothing_is_kept_for_longer_than_it_may_nor_where_there_are_no_brands() -> None:
    kept, database = KeptAnswers(100_000, 0.0), Database()
    assert (ask(kept, database, "q"), ask(kept, database, "q")) == (1, 2)
    kept, database.version = KeptAnswers(100_000, 60.0), None
    assert (ask(kept, database, "q"), ask(kept, database, "q"), kept.size) == (3, 4, 0)
    off = KeptAnswers(0, 60.0)
    database.version = "1"
    assert (ask(off, database, "q"), ask(off, database, "q"), off.size) == (5, 6, 0)
