"""The feed holds what is committed of every ad of every brand, whatever happens to it later."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from adology.plugins import load_plugins
from adology.runtime.followers import run_followers
from adology.settings import AdologySettings
from adology.store import Database, Subjects
from adology.store.follower import Follower
from adology_feed.feed import Feed
from tests.system.rows import Catalogue, sha

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


class Told(Catalogue):
    """Ads with what analyzers say of them."""

    def rows(self, statement: Any, values: Any = ()) -> list[Any]:
        found = self.link.execute(statement, values)
        return found.fetchall() if found.description else []

    def analysis(self, analyzer: str, name: str, result: Any, *, asset: bool, tag: str = "") -> dict[str, str]:
        """A finished analysis of the ad's asset or copy, not linked yet."""
        key = f"{analyzer}-{name}{tag}"
        kind, subject = ("asset", sha(name)) if asset else ("ad", f"copy-{name}")
        self.rows(
            "insert into analyses (key, analyzer, version, fingerprint, subject_kind, subject, state, result)"
            " values (%s, %s, 1, 'f', %s, %s, 'done', %s)",
            [key, analyzer, kind, subject, Jsonb(result)],
        )
        return {analyzer: key}

    def row(self, name: str, columns: str) -> Any:
        shown = f"select {columns} from feed f join feed_items i using (brand, ad_id) join ads a on a.id = ad_id"  # noqa: S608 - ours
        found = self.rows(f"{shown} where a.source_ad_id = %s", [name])
        return found[0] if found else None


def labelled(*names: str) -> dict[str, Any]:
    return {"labels": [dict(zip(("taxonomy", "id"), name.split(":"), strict=True)) for name in names]}


@pytest.fixture
async def database(store_settings: AdologySettings) -> AsyncIterator[Database]:
    async with Database(store_settings.postgres) as database:
        yield database


@pytest.fixture
def catalogue(store_settings: AdologySettings) -> Iterator[Told]:
    with psycopg.connect(store_settings.postgres.url, autocommit=True) as link:
        yield Told(link)


async def test_a_row_says_what_is_known_and_results_that_come_later_are_added(
    database: Database, catalogue: Told
) -> None:
    catalogue.add("a", (1, 0, 0, 0))
    catalogue.rows(
        "update ads set landing_url = 'https://user@WWW.Nike.com:443/x?y', platforms = '{instagram}', started_on ="
        " '2026-01-01', stopped_on = '2026-01-10', languages = '{fr}', titles = '{Running shoes}', bodies = array[%s]",
        ["b" * 500],
    )
    follower, subjects = Follower(database, Feed(database)), Subjects(database)
    await follower.catch_up()
    assert catalogue.row(
        "a", "f.brand, f.landing_domain, f.platforms, f.run_days, f.run_basis, f.languages, f.labels, f.safety"
    ) == ("nike", "nike.com", ["instagram"], 10, "dates", ["fr"], [], None)
    (item,) = catalogue.row("a", "i.item")
    shown = msgspec.json.decode(item)
    assert (shown["title"], len(shown["body"]), shown["kind"], shown["assets"]) == ("Running shoes", 300, "image", 1)
    for asset, analyzer, result in (
        (True, "labels", labelled("theme:sport", "language:de")),
        (False, "labels_copy", labelled("theme:price", "theme:sport")),
        (True, "scores", {"reports": [{"pack": "p", "rules": [{"rule": "r", "verdict": "pass"}]}]}),
        (False, "scores_copy", {"reports": [{"pack": "q", "rules": [
            {"rule": "r", "verdict": "fail"}, {"rule": "s", "verdict": "insufficient"}]}]}),
        (True, "safety", {"score": 0.25, "level": "low"}),
        (False, "safety_copy", {"level": "high"}),
        (True, "text", {"lines": [{"text": "GROSSER AUSVERKAUF"}]}),
    ):  # fmt: skip
        keys = catalogue.analysis(analyzer, "a", result, asset=asset)
        await subjects.link("asset" if asset else "ad", sha("a") if asset else "copy-a", keys)
        await follower.catch_up()
    assert catalogue.row(
        "a", "f.labels, f.rules_passed, f.rules_failed, f.safety, f.safety_level, f.languages"
    ) == (["language:de", "theme:price", "theme:sport"], ["p:r"], ["q:r"], 0.25, 3, ["de"])  # fmt: skip
    found = "search @@ ad_query(%s)"
    for words, is_found in (
        ("running", True), ("ausverkauf", True), ("große ausverkäufe", True), ("schlussverkauf", False),
        ("shoes -running", False), ("shoes -boots", True), ('"running shoes"', True), ('"shoes running"', False),
        ("boots or shoes", True), ("", None),
    ):  # fmt: skip
        ((seen,),) = catalogue.rows(f"select {found} from feed_items", [words])  # noqa: S608 - ours
        assert seen is is_found, words


async def test_words_are_found_in_the_forms_of_their_language(database: Database, catalogue: Told) -> None:
    catalogue.add("a", (1, 0, 0, 0))
    catalogue.rows("update ads set languages = '{de-AT}', titles = '{Neue Häuser}'")
    await Follower(database, Feed(database)).catch_up()
    for words in ("haus", "häuser", "neuen häusern"):
        assert catalogue.rows("select 1 from feed_items where search @@ ad_query(%s)", [words]), words


async def test_results_of_another_form_are_left_out(database: Database, catalogue: Told) -> None:
    catalogue.add("a", (1, 0, 0, 0))
    subjects = Subjects(database)
    for analyzer, result in (
        ("labels", {"labels": {"taxonomy": 7}}), ("scores", {"reports": "many"}),
        ("text", {"lines": [1, {"text": None}]}),
        ("safety", {"score": 1e300, "level": 9}),
    ):  # fmt: skip
        await subjects.link("asset", sha("a"), catalogue.analysis(analyzer, "a", result, asset=True))
    await Follower(database, Feed(database)).catch_up()
    assert catalogue.row("a", "f.labels, f.rules_failed, f.safety, f.safety_level") == ([], [], None, None)


async def test_changes_deletions_and_other_brands_are_followed(database: Database, catalogue: Told) -> None:
    for name in ("a", "b"):
        catalogue.add(name, (1, 0, 0, 0))
    follower = Follower(database, Feed(database))
    await follower.catch_up()
    written = "select f.xmin::text, i.xmin::text from feed f join feed_items i using (brand, ad_id) order by ad_id"
    before = catalogue.rows(written)
    catalogue.rows("insert into changes (kind, subject) values ('ad', 'copy-a'), ('asset', %s)", [sha("b")])
    await follower.catch_up()
    assert catalogue.rows(written) == before  # nothing to write
    catalogue.rows("update ads set last_seen_at = last_seen_at + interval '1 day' where source_ad_id = 'a'")
    catalogue.rows("insert into changes (kind, subject) values ('ad', 'copy-a')")
    await follower.catch_up()
    (seen, other), after = before, catalogue.rows(written)
    # Seen again: what is shown of it stands.
    assert (after[0][0] != seen[0], after[0][1], after[1]) == (True, seen[1], other)
    catalogue.rows("insert into brand_ads select 'puma', id, 'b-puma', 'b-puma' from ads where source_ad_id = 'a'")
    catalogue.rows("update ads set titles = '{New}', copy_hash = 'copy-new' where source_ad_id = 'a'")
    catalogue.rows("insert into changes (kind, subject) values ('batch', 'b-puma')")
    await follower.catch_up()
    assert catalogue.rows(
        "select brand, brands, item::json->>'title' from feed join feed_items using (brand, ad_id)"
        " where source_ad_id = 'a' order by 1"
    ) == [(brand, ["nike", "puma"], "New") for brand in ("nike", "puma")]
    catalogue.rows(
        "delete from brand_ads where brand = 'nike' and ad_id = (select id from ads where source_ad_id = 'a')"
    )
    catalogue.rows("insert into changes (kind, subject) values ('ad', 'copy-new')")
    await follower.catch_up()
    assert catalogue.rows("select brand, brands from feed where source_ad_id = 'a'") == [("puma", ["puma"])]
    for table in ("ad_analyses", "ad_assets", "brand_ads"):
        catalogue.rows(f"delete from {table} where ad_id = (select id from ads where source_ad_id = 'b')")  # noqa: S608 - ours
    catalogue.rows("delete from ads where source_ad_id = 'b'")
    await follower.catch_up()
    assert catalogue.row("b", "1") is None
    # Made anew: what is of no brand any more goes as well.
    catalogue.rows(
        "create temporary table one as select * from feed; update one set brand = 'nike'; alter table one drop shared;"
        " do $$ begin execute (select replace('insert into feed (#) select # from one', '#', string_agg(attname, ', '))"
        " from pg_attribute where attrelid = 'one'::regclass and attnum > 0 and not attisdropped); end $$"
    )
    await follower.rebuild()
    assert catalogue.rows("select brand from feed") == [("puma",)]


async def follow_until(follower: Follower, found: Callable[[], Any], told: Any) -> None:
    """Transactions of other tests, in other databases of the server, may hold it up for a moment."""
    deadline = time.monotonic() + 20
    await follower.catch_up()
    while found() != told and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        await follower.catch_up()
    assert found() == told


async def test_what_a_source_said_counts_when_its_ads_are_in(database: Database, catalogue: Told) -> None:
    catalogue.add("a", (1, 0, 0, 0))
    follower = Follower(database, Feed(database))

    def commit(name: str, **sources: Any) -> None:
        catalogue.rows("insert into batches (id, brand, state) values (%s, 'nike', 'acquiring')", [name])
        catalogue.rows(
            "update batches set state = 'committed', committed_at = now(), sources = %s where id = %s",
            [Jsonb(sources), name],
        )

    def known() -> Any:
        return {
            source: (outcome, read, whole)
            for source, outcome, read, whole in catalogue.rows(
                "select c.source, c.outcome, r.id, w.id from feed_coverage c left join batches r on r.created_at ="
                " c.read_at left join batches w on w.created_at = c.whole_at where c.brand = 'nike'"
            )
        }

    commit("one", facebook={"outcome": "ok", "whole": True}, crm={"outcome": "ok", "whole": False})
    await follow_until(follower, known, {"facebook": ("ok", "one", "one"), "crm": ("ok", "one", None)})
    commit("two", facebook={"outcome": "partial", "whole": False}, crm={"outcome": "empty"})
    await follow_until(follower, known, {"facebook": ("partial", "one", "one"), "crm": ("empty", "two", None)})
    catalogue.rows("insert into batches (id, brand, state) values ('three', 'nike', 'discovering')")
    catalogue.rows("update batches set state = 'failed', sources = '{\"crm\": {}}' where id = 'three'")
    assert known()["crm"] == ("failed", "two", None)
    catalogue.rows("insert into batches (id, brand, state) values ('four', 'nike', 'discovering')")
    catalogue.rows("update batches set state = 'failed' where id = 'four'")
    assert [one[0] for one in known().values()] == ["failed", "failed"]
    # A later follower takes up from its place; one that starts anew comes to the same.
    commit("five", facebook={"outcome": "ok", "whole": True})
    told = {"facebook": ("ok", "five", "five"), "crm": ("failed", "two", None)}
    await follow_until(Follower(database, Feed(database)), known, told)
    await Follower(database, Feed(database)).rebuild()
    assert known()["facebook"] == ("ok", "five", "five")


async def test_a_look_waits_for_ads_that_are_not_in_yet(
    store_settings: AdologySettings, database: Database, catalogue: Told
) -> None:
    follower = Follower(database, Feed(database))
    await follower.catch_up()
    statement = "update batches set state = 'committed', committed_at = now(), sources = %s where id = 'one'"
    with psycopg.connect(store_settings.postgres.url) as slow:
        slow.execute("select pg_current_xact_id()")  # holds the horizon: what comes after may not be all there
        catalogue.rows("insert into batches (id, brand, state) values ('one', 'nike', 'acquiring')")
        catalogue.rows(statement, [Jsonb({"facebook": {"outcome": "ok", "whole": True}})])
        await follower.catch_up()
        assert catalogue.rows("select * from feed_coverage") == []

    def known() -> Any:
        return catalogue.rows("select source, outcome from feed_coverage")

    await follow_until(follower, known, [("facebook", "ok")])


async def test_the_plugin_follows_until_told_to_stop(store_settings: AdologySettings, catalogue: Told) -> None:
    catalogue.add("a", (1, 0, 0, 0))
    stop = asyncio.Event()
    task = asyncio.create_task(run_followers(store_settings, stop, plugins=load_plugins(only=("feed",))))
    async with asyncio.timeout(20):
        while catalogue.row("a", "1") is None:  # noqa: ASYNC110 - the row is the event
            await asyncio.sleep(0.05)
    stop.set()
    await task
