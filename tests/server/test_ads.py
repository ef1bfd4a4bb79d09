"""Lists of ads: every filter, pages, near-duplicates, and what another organisation never sees."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from adology.settings import AdologySettings
from adology_server.ads.model import AdRow
from adology_server.paging import Page
from tests.server.ads_rig import Ads, at, follow, two_orgs
from tests.server.rig import Client, log_in, serving

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def ads(store_settings: AdologySettings) -> Ads:
    return two_orgs(store_settings, "nike", "puma", "adidas", "other")


async def sporty(nobody: Client, org: str = "acme") -> Client:
    """An owner whose current brandspace has nike, puma and adidas."""
    owner = await log_in(nobody, f"owner@{org}.example")
    body = {"name": "Sport", "primary": "nike", "competitors": ["puma"], "followed": ["adidas"]}
    await owner.post("/v1/brandspaces", body)
    return owner


async def names(who: Client, **query: Any) -> list[str]:
    """The ids at the source of the first page's ads, in order."""
    return [ad["source_ad_id"] for ad in (await who.get("/v1/ads", **query))["items"]]


def test_a_page_has_the_documented_form(store_settings: AdologySettings, ads: Ads) -> None:
    ads.commit_ad(
        "a",
        bodies=['Say "hi" \\ \n ü €'],
        seen=at(1),
        labels=["theme:sport"],
        started_on=at(0),
        landing_url="https://www.x.example/y",
    )
    ads.commit_ad("b", creative=None, seen=at(2))

    async def scenario() -> None:
        await follow(store_settings)
        async with serving(store_settings) as nobody:
            owner = await sporty(nobody)
            answer = await owner.ask("GET", "/v1/ads")
            assert answer.headers["content-type"].startswith("application/json")
            page = msgspec.convert(answer.expect(200), Page[AdRow])
            assert {*answer.body["items"][0]} == {*AdRow.__struct_fields__}
            text, plain = page.items[1], page.items[0]
            assert (text.source_ad_id, text.body, text.role, text.labels) == (
                "a", 'Say "hi" \\ \n ü €', "primary", ("theme:sport",),
            )  # fmt: skip
            assert (text.landing_domain, text.run_days, text.run_basis) == ("x.example", 2, "started")
            assert text.thumbnail_url is not None
            assert "X-Amz-Signature" in text.thumbnail_url
            assert (plain.thumbnail_url, plain.assets, page.next) == (None, 0, None)
            assert text.first_seen_at == at(1)
            few = (await owner.get("/v1/ads", fields="id"))["items"]
            assert few == [{"id": plain.id}, {"id": text.id}]
            wrong = await owner.ask("GET", "/v1/ads", fields="nope")
            assert (wrong.kind, wrong.body["errors"][0]["field"]) == ("invalid", "fields")

    asyncio.run(scenario())


def test_every_filter_leaves_what_it_says(store_settings: AdologySettings, ads: Ads) -> None:
    ads.commit_ad(
        "n1", seen=at(1), platforms=["instagram", "facebook"], format="image", labels=["theme:sport", "tone:bold"]
    )
    ads.commit_ad(
        "n2", seen=at(2), last_seen_at=at(9), languages=["de"], landing_url="https://shop.example/", format="video"
    )
    p1 = ads.commit_ad(
        "p1", brands=["puma"], seen=at(3), source="serpapi", labels=["theme:sport"], titles=["Running shoes"]
    )
    ads.commit_ad("a1", brands=["adidas", "puma"], batch="b-adidas", seen=at(4))
    ads.commit_ad("x1", brands=["other"], seen=at(5))
    ads.analyse(p1, "scores_copy", {"reports": [{"pack": "k", "rules": [
        {"rule": "r", "verdict": "pass"}, {"rule": "s", "verdict": "fail"}]}]})  # fmt: skip
    ads.analyse(p1, "safety_copy", {"level": "low"})

    async def scenario() -> None:
        await follow(store_settings)
        async with serving(store_settings) as nobody:
            owner = await sporty(nobody)
            assert await names(owner) == ["a1", "p1", "n2", "n1"]
            assert await names(owner, sort="last_seen") == ["n2", "a1", "p1", "n1"]
            assert await names(owner, sort="longest") == ["n2", "a1", "p1", "n1"]
            for query, expected in (
                ({"brand": "puma"}, ["a1", "p1"]), ({"brand": "other"}, []), ({"role": "primary"}, ["n2", "n1"]),
                ({"role": "followed"}, ["a1"]), ({"source": "serpapi"}, ["p1"]), ({"platform": "instagram"}, ["n1"]),
                ({"format": "video"}, ["n2"]), ({"language": "de"}, ["n2"]), ({"domain": "SHOP.example"}, ["n2"]),
                ({"label": "theme:sport"}, ["p1", "n1"]), ({"label_none": "tone:bold"}, ["a1", "p1", "n2"]),
                ({"label_all": "tone:bold", "label": "theme:sport"}, ["n1"]), ({"passed": "k:r"}, ["p1"]),
                ({"passed": "k:s"}, []), ({"failed": "k:s"}, ["p1"]), ({"safety_max": "low"}, ["p1"]),
                ({"safety_max": "none"}, []), ({"first_seen_from": at(3).isoformat()}, ["a1", "p1"]),
                ({"first_seen_to": at(2).isoformat()}, ["n1"]), ({"last_seen_from": at(9).isoformat()}, ["n2"]),
                ({"last_seen_to": at(2).isoformat()}, ["n1"]), ({"run_days_min": 8}, ["n2"]),
                ({"run_days_max": 1}, ["a1", "p1", "n1"]), ({"q": "running shoe"}, ["p1"]),
                ({"q": "title -n2"}, ["a1", "n1"]),
                ({"q": "%_'\\ & !"}, []), ({"q": "nothing"}, []), ({"safety_score_max": 1}, []),
            ):  # fmt: skip
                if query == {"q": "%_'\\ & !"}:
                    await owner.get("/v1/ads", **query)  # whatever it finds, it is no syntax of ours
                    continue
                assert await names(owner, **query) == expected, query
                facets = await owner.get("/v1/ads/facets", **query)
                assert facets["total"] == len(expected), query
            for wrong in (
                {"status": "x"}, {"role": "x"}, {"first_seen_from": "2026-01-01T00:00:00"}, {"run_days_min": -1},
                {"sort": "x"}, {"safety_max": "x"}, {"q": "x" * 501},
            ):  # fmt: skip
                assert (await owner.ask("GET", "/v1/ads", **wrong)).kind == "invalid", wrong
            both = await owner.http.get(
                f"{owner.origin}/v1/ads?brand=nike&brand=adidas&fields=source_ad_id",
                headers={"authorization": f"Bearer {owner.token}"},
            )
            assert [one["source_ad_id"] for one in (await both.json())["items"]] == ["a1", "n2", "n1"]

    asyncio.run(scenario())


def test_facets_count_what_filters_ask_for(store_settings: AdologySettings, ads: Ads) -> None:
    def score(ad: int, passed: str, failed: str) -> None:
        rules = [{"rule": passed, "verdict": "pass"}, {"rule": failed, "verdict": "fail"}]
        ads.analyse(ad, "scores_copy", {"reports": [{"pack": "k", "rules": rules}]})

    one = ads.commit_ad("one", landing_url="https://www.shop.example/a")
    two = ads.commit_ad("two", landing_url="https://shop.example/b", brands=["puma", "adidas"], batch="b-puma")
    three = ads.commit_ad("three", landing_url="https://other.example/", brands=["puma"])
    ads.commit_ad("four", brands=["other"], landing_url="https://elsewhere.example/")
    theirs = ads.commit_ad("theirs", landing_url="https://canary.example/", owner="rival", source="crm")
    for ad, level in ((one, "low"), (two, "low"), (three, "none"), (theirs, "high")):
        ads.analyse(ad, "safety_copy", {"level": level})
    score(one, "r", "s")
    score(two, "r", "t")
    score(theirs, "canary", "canary")

    def told(facets: Any, name: str) -> dict[str, int]:
        return {one["value"]: one["ads"] for one in facets[name]}

    async def scenario() -> None:
        await follow(store_settings)
        async with serving(store_settings) as nobody:
            owner, rival = await sporty(nobody), await sporty(nobody, "rival")
            usual = await owner.get("/v1/ads/facets")
            assert told(usual, "role") == {"primary": 1, "competitor": 2, "followed": 1}
            assert told(usual, "brand") == {"nike": 1, "puma": 2, "adidas": 1}
            assert told(usual, "domain") == {"shop.example": 2, "other.example": 1}
            assert told(usual, "safety") == {"low": 2, "none": 1}
            assert (usual["total"], usual["passed"], usual["failed"]) == (3, None, None)
            url = f"{owner.origin}/v1/ads/facets?facet=passed&facet=failed&facet=passed"
            async with owner.http.get(url, headers={"authorization": f"Bearer {owner.token}"}) as answer:
                rules = await answer.json()
            assert (told(rules, "passed"), told(rules, "failed")) == ({"k:r": 2}, {"k:s": 1, "k:t": 1})
            assert {name for name, found in rules.items() if found is None} == {*usual} - {"total", "passed", "failed"}
            # Each value's count is what the filter of that value leaves.
            for name, query in (("role", "role"), ("domain", "domain"), ("passed", "passed"), ("failed", "failed")):
                for value, count in told({**usual, **{k: v for k, v in rules.items() if v}}, name).items():
                    assert len(await names(owner, **{query: value})) == count, (name, value)
            narrow = await owner.get("/v1/ads/facets", domain="shop.example", facet="safety")
            assert (narrow["total"], told(narrow, "safety")) == (2, {"low": 2})
            assert told(await rival.get("/v1/ads/facets"), "domain")["canary.example"] == 1
            assert told(await rival.get("/v1/ads/facets", facet="passed"), "passed")["k:canary"] == 1
            # Two competitors have one ad of the competitors in common.
            space = (await owner.get("/v1/brandspaces"))["items"][0]["id"]
            await owner.ask("PUT", f"/v1/brandspaces/{space}/brands/adidas", {"role": "competitor"})
            assert told(await owner.get("/v1/ads/facets"), "role") == {"primary": 1, "competitor": 2}
            wrong = await owner.ask("GET", "/v1/ads/facets", facet="nope")
            assert wrong.kind == "invalid"

    asyncio.run(scenario())


def test_not_looked_is_told_from_stopped(store_settings: AdologySettings, ads: Ads) -> None:
    now = datetime.now(UTC)
    early = ads.batch("early", "nike", at=now - timedelta(hours=3), facebook="ok!", crm="ok!", gone="ok!", part="ok!")
    late = ads.batch("late", "nike", at=now - timedelta(hours=1), facebook="ok!", crm="ok", part="partial")
    old = ads.batch("old", "puma", at=now - timedelta(days=9), facebook="ok!")
    for name, columns in (
        ("seen", {"batch": late}), ("absent", {"batch": early}), ("said", {"batch": late, "status": "stopped"}),
        ("ended", {"batch": late, "stopped_on": (now - timedelta(days=2)).date()}),
        ("silent", {"batch": late, "status": "unknown"}),
        ("crm-old", {"batch": early, "source": "crm"}), ("crm-new", {"batch": late, "source": "crm"}),
        ("part-old", {"batch": early, "source": "part"}), ("part-new", {"batch": late, "source": "part"}),
        ("stale", {"batch": old, "brands": ["puma"]}), ("never", {"batch": "b-adidas", "brands": ["adidas"]}),
    ):  # fmt: skip
        ads.commit_ad(name, **columns)

    async def states(owner: Client) -> dict[str, str]:
        return {one["source_ad_id"]: one["status"] for one in (await owner.get("/v1/ads"))["items"]}

    async def scenario() -> None:
        await follow(store_settings)
        async with serving(store_settings) as nobody:
            owner = await sporty(nobody)
            assert await states(owner) == {
                "seen": "running", "absent": "stopped", "said": "stopped", "ended": "stopped", "silent": "unknown",
                "crm-old": "unknown", "crm-new": "running", "part-old": "not_looked", "part-new": "running",
                "stale": "not_looked", "never": "unknown",
            }  # fmt: skip
            assert set(await names(owner, status="not_looked")) == {"part-old", "stale"}
            counted = {one["value"]: one["ads"] for one in (await owner.get("/v1/ads/facets"))["status"]}
            assert counted == {"running": 3, "stopped": 3, "unknown": 3, "not_looked": 2}
            ads.rows("insert into batches (id, brand, state) values ('f', 'nike', 'discovering')")
            ads.rows("update batches set state = 'failed' where id = 'f'")
            after = await states(owner)
            assert (after["seen"], after["absent"]) == ("not_looked", "stopped")
            told = await owner.get("/v1/statistics")
            assert (told["ads"], told["stopped"], told["running"], told["not_looked"]) == (11, 3, 0, 7)

    asyncio.run(scenario())


def test_pages_neither_skip_nor_repeat_while_ads_arrive(store_settings: AdologySettings, ads: Ads) -> None:
    dice = random.Random(20261101)
    brands = ("nike", "puma", "adidas")

    def add(count: int, tag: str) -> None:
        for number in range(count):
            # Few different times, so that ties are common.
            chosen = dice.sample(brands, dice.choice((1, 1, 2)))
            ads.commit_ad(f"{tag}{number}", brands=chosen, seen=at(dice.randrange(6)), creative=None)

    add(30, "first")

    async def scenario() -> None:
        await follow(store_settings)
        async with serving(store_settings) as nobody:
            owner = await sporty(nobody)
            for sort in ("newest", "last_seen", "longest"):
                there = {one["id"] for one in (await owner.get("/v1/ads", limit=200))["items"]}
                read: list[int] = []
                after, round_ = None, 0
                while True:
                    page = await owner.get("/v1/ads", sort=sort, limit=4, after=after)
                    read += [one["id"] for one in page["items"]]
                    after = page["next"]
                    if after is None:
                        break
                    if round_ < 5:
                        add(2, f"{sort}{round_}-")
                        await follow(store_settings)
                    round_ += 1
                assert len(read) == len(set(read)), sort
                assert there <= set(read), sort
            page = await owner.get("/v1/ads", limit=4)
            others: list[dict[str, Any]] = [{"sort": "longest"}, {"brand": "nike"}, {"collapse": "true"}]
            for other in others:
                assert (await owner.ask("GET", "/v1/ads", after=page["next"], **other)).kind == "bad-cursor", other

    asyncio.run(scenario())


def test_near_duplicates_are_one_where_it_is_asked_for(store_settings: AdologySettings, ads: Ads) -> None:
    for number, (name, creative) in enumerate((("a", "x"), ("b", "y"), ("c", "z"), ("d", "y"), ("e", "w"))):
        ads.commit_ad(name, creative=creative, seen=at(number), brands=["puma" if name == "c" else "nike"])
    ads.commit_ad("foreign", creative="y", seen=at(9), owner="rival", source="crm")
    ads.commit_ad("elsewhere", creative="y", seen=at(9), brands=["other"])
    ads.group("x", "y", "z")

    async def scenario() -> None:
        await follow(store_settings)
        async with serving(store_settings) as nobody:
            owner = await sporty(nobody)
            assert await names(owner) == ["e", "d", "c", "b", "a"]
            page = await owner.get("/v1/ads", collapse="true")
            assert [(one["source_ad_id"], one["near_duplicates"]) for one in page["items"]] == [("e", 0), ("d", 3)]
            # The one that stands for its group is one that the filter leaves.
            assert await names(owner, collapse="true", brand="puma") == ["c"]
            assert await names(owner, collapse="true", first_seen_to=at(2).isoformat()) == ["b"]

    asyncio.run(scenario())


def test_what_one_may_not_see_makes_no_near_duplicates(store_settings: AdologySettings, ads: Ads) -> None:
    left = ads.commit_ad("left", creative="l", seen=at(1))
    near = ads.commit_ad("near", creative="n", seen=at(2))
    right = ads.commit_ad("right", creative="r", seen=at(3))
    hidden = ads.commit_ad("hidden", creative="h", seen=at(4), owner="rival", source="crm")
    ads.group("l", "n", "h", "r")
    for pair in (("l", "n"), ("n", "h"), ("h", "r")):
        ads.alike(*pair)

    async def scenario() -> None:
        await follow(store_settings)
        async with serving(store_settings) as nobody:
            owner, rival = await sporty(nobody), await sporty(nobody, "rival")
            page = (await owner.get("/v1/ads", collapse="true"))["items"]
            assert [(one["source_ad_id"], one["near_duplicates"]) for one in page] == [("right", 0), ("near", 1)]
            assert (await owner.get(f"/v1/ads/{left}"))["near_duplicates"] == [near]
            assert (await owner.get(f"/v1/ads/{right}"))["near_duplicates"] == []
            # Whoever sees what connects them sees one.
            page = (await rival.get("/v1/ads", collapse="true"))["items"]
            assert [(one["source_ad_id"], one["near_duplicates"]) for one in page] == [("hidden", 3)]
            assert (await rival.get(f"/v1/ads/{left}"))["near_duplicates"] == [near, right, hidden]

    asyncio.run(scenario())


def test_anothers_private_ads_are_nowhere(store_settings: AdologySettings, ads: Ads) -> None:
    ads.batch("theirs", "nike", crm="ok!")
    private = ads.commit_ad(
        "secret", owner="rival", source="crm", batch="theirs", titles=["canary"], labels=["theme:canary"],
        format="canary",
        platforms=["canary"], languages=["xc"], creative="same",
    )  # fmt: skip
    public = ads.commit_ad("public", creative="same")
    ads.group("same")
    ads.rows('update brands set handles = \'{"crm": ["canary"], "facebook": ["1"]}\' where id = \'nike\'')

    async def scenario() -> None:
        await follow(store_settings)
        sources = {"crm": {"plugin": "customer_db", "owner_org_id": "rival"}}
        async with serving(msgspec.structs.replace(store_settings, sources=sources)) as nobody:
            owner, rival = await sporty(nobody), await sporty(nobody, "rival")
            for path in (
                "/v1/ads", "/v1/ads?collapse=true", "/v1/ads?q=canary", "/v1/ads?label=theme:canary", "/v1/ads/facets",
                "/v1/ads/facets?q=canary", "/v1/statistics", f"/v1/ads/{public}", "/v1/brands", "/v1/brands/nike",
            ):  # fmt: skip
                seen = [
                    msgspec.json.encode((await who.ask("GET", path)).expect(200)).decode() for who in (rival, owner)
                ]
                for text in ("canary", "secret", '"crm"'):
                    assert text not in seen[1], (path, text)
                if path not in ("/v1/ads?collapse=true", f"/v1/ads/{public}"):
                    assert "canary" in seen[0] or "crm" in seen[0] or path == "/v1/statistics", path
            assert await names(rival) == ["public", "secret"] or await names(rival) == ["secret", "public"]
            assert (await rival.get(f"/v1/ads/{private}"))["titles"] == ["canary"]
            assert (await owner.get("/v1/ads/facets"))["total"] == 1
            assert (await owner.get("/v1/statistics"))["ads"] == 1
            assert (await owner.get(f"/v1/ads/{public}"))["near_duplicates"] == []
            assert (await rival.get(f"/v1/ads/{public}"))["near_duplicates"] == [private]
            theirs, absent = [await owner.ask("GET", f"/v1/ads/{one}") for one in (private, 999_999)]
            assert theirs.status == absent.status == 404
            assert theirs.body["detail"].replace(str(private), "…") == absent.body["detail"].replace("999999", "…")
            assert (await owner.ask("GET", f"/v1/ads/{2**63}")).status == 404
            space = (await rival.get("/v1/brandspaces"))["items"][0]["id"]
            for path in ("/v1/ads", "/v1/ads/facets", "/v1/statistics"):
                for one in (space, uuid4()):
                    assert (await owner.ask("GET", path, brandspace=one)).kind == "not-found", path

    asyncio.run(scenario())
