"""What users and other programs get wrong: the reason is recorded, nothing is lost, nothing hangs."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adology.engine.model import Batch
from tests.system import rig
from tests.system.conftest import Stack
from tests.system.running import Running, logging_kept, running

with warnings.catch_warnings():
    # typer 0.24 still imports names that click 8.5 deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    from adology.cli.app import main

NO_TOKEN = "ADOLOGY_TEST_TOKEN_THAT_NOBODY_SET"


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[Running]:
    """One engine for these tests; each uses a brand of its own."""
    sources: dict[str, dict[str, Any]] = {
        "facebook": {"token": f"env:{NO_TOKEN}"},
        "crm": {"plugin": "customer_db", "url": "sqlite:////nowhere/at.all", "owner_org_id": "org"},
        "ghost": {"plugin": "not_installed"},
    }
    with running(stack, sources=sources) as found:
        yield found


def test_an_unknown_brand_is_dead_lettered_with_what_to_do(world: Running) -> None:
    async def scenario() -> None:
        await world.send("gather", {"brand": "nobody-knows-it"})
        dead = await world.wait_buried("gather", "nobody-knows-it")

        assert dead.reason == "brand 'nobody-knows-it' is not in the catalogue; add it with `adology brand add`"
        assert dead.code == "ADO-5007"

    world.run(scenario())


@pytest.mark.parametrize(
    ("role", "body", "reason"),
    [
        ("gather", '{"brand":""}', "brand has 0 characters; allowed: 1 to 200 printable characters"),
        ("gather", '{"brand":"' + "x" * 100_000 + '"}', "brand has 100000 characters; allowed: 1 to 200"),
        ("gather", '{"brand":"line\\nbreak"}', "allowed: 1 to 200 printable characters"),
        ("gather", '{"brand":12}', "the body is no GatherMessage: Expected `str`, got `int` - at `$.brand`"),
        ("gather", "brand=nike", "the body is no GatherMessage: JSON is malformed"),
        ("gather", '{"brand":"\\ud800"}', "the body is no GatherMessage"),
        ("acquire", '{"brand":"nike","metadata":{}}', "missing required field `url`"),
        ("acquire", '{"brand":"nike","url":""}', "url has 0 characters; allowed: 1 to 8192"),
        ("acquire", '{"brand":"nike","url":"' + "u" * 9000 + '"}', "url has 9000 characters; allowed: 1 to 8192"),
        ("acquire", '{"brand":"nike","url":"https://x/1","metadata":{oops}}', "JSON is malformed"),
        ("analyze", '{"brand":"nike","kind":"ad"}', "missing required field `subject`"),
        ("analyze", '{"brand":"nike","kind":"page","subject":"0"}', "Invalid enum value 'page' - at `$.kind`"),
        ("insight", '{"batch":"b"}', "missing required field `brand`"),
    ],
)
def test_a_body_that_is_no_message_is_dead_lettered_saying_which_field_is_wrong(
    world: Running, role: str, body: str, reason: str
) -> None:
    async def scenario() -> None:
        await world.send(role, body)
        dead = await world.wait_buried(role, body)

        assert reason in dead.reason
        assert dead.code == "ADO-5801"

    world.run(scenario())


@pytest.mark.parametrize(("kind", "what"), [("asset", "asset"), ("ad", "ad copy")])
def test_a_subject_that_no_commit_brought_is_dead_lettered(world: Running, kind: str, what: str) -> None:
    async def scenario() -> None:
        await world.send("analyze", {"brand": "nike", "kind": kind, "subject": f"{kind}-00"})
        dead = await world.wait_buried("analyze", f"{kind}-00")
        assert (dead.code, dead.reason) == ("ADO-5530", f"no committed {what} has the hash {kind}-00")

    world.run(scenario())


def test_a_brand_of_a_million_characters_is_refused_where_it_enters(world: Running) -> None:
    async def scenario() -> None:
        status, problem = await world.post("start", {"brand": "x" * 1_000_000, "expected_count": 1})
        assert status == 400
        assert "1000000 characters" in problem["detail"]

        # A body that SQS takes, with a name far beyond what is allowed.
        await world.send("gather", {"brand": "y" * 200_000})
        dead = await world.wait_buried("gather", "y" * 200_000)
        assert len(dead.reason) < 200

    world.run(scenario())


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (("brand", "add", ""), 2, "brand name '' makes the id ''; allowed: 1 to 100 characters"),
        (("brand", "add", "../.."), 2, "brand name '../..' makes the id ''"),
        (("brand", "add", "z" * 1_000_000), 2, "zz…' makes the id 'zzz"),
        (("brand", "gather", "nobody-at-all"), 1, "nobody-at-all"),
        (("brand", "gather", ""), 1, "''"),
    ],
)
def test_the_command_line_refuses_the_same_names(
    world: Running,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.setenv("ADOLOGY_HOME", str(stack.home))
    monkeypatch.setenv("ADOLOGY_POSTGRES__URL", world.settings.postgres.url)
    capsys.readouterr()
    with logging_kept():
        assert main(list(command)) == code
    said = capsys.readouterr().err
    assert told in " ".join(said.split())
    # How much is logged meanwhile depends on the machine; it is not what the command says.
    assert sum(len(line) for line in said.splitlines() if " | DEBUG " not in line) < 1000


def test_a_source_without_credentials_fails_its_batch_with_the_settings_name(world: Running) -> None:
    async def scenario() -> None:
        await world.add_brand("no-token", facebook="4711")
        batch = await world.gather("no-token")

        assert batch.state == "failed"
        assert batch.error is not None
        assert f"environment variable {NO_TOKEN} is not set" in batch.error
        assert batch.sources["facebook"]["code"] == "ADO-1003"

    world.run(scenario())


def test_a_misconfigured_source_fails_its_batch_and_no_other(world: Running, tmp_path: Path) -> None:
    async def scenario() -> None:
        files = rig.draw_ads(tmp_path / "ads", 2)
        await world.add_brand("half", roots=(str(tmp_path),), crm="HALF", files=str(tmp_path / "ads"))
        batch = await world.gather("half")

        assert batch.state == "committed"
        assert batch.sources["files"]["outcome"] == "ok"
        assert batch.sources["crm"]["outcome"] == "failed"
        assert "setting sources.crm.query: is required, but is not set" in batch.sources["crm"]["reason"]
        assert set(world.items(batch)) == {path.as_uri() for path in files}

    world.run(scenario())


def test_all_sources_failing_fails_the_batch_with_every_reason(world: Running) -> None:
    async def scenario() -> None:
        await world.add_brand("hopeless", crm="X", facebook="1", ghost="Y", typo="Z")
        batch = await world.gather("hopeless")

        assert batch.state == "failed"
        assert batch.error is not None
        assert "setting sources.crm.query: is required, but is not set" in batch.error
        assert NO_TOKEN in batch.error
        assert "there is no source plugin 'not_installed' (installed: " in batch.error
        assert (
            "no source is called 'typo' (configured: crm, customer_db, facebook, files, ghost, serpapi" in batch.error
        )
        assert batch.sources["typo"]["code"] == "ADO-1006"

    world.run(scenario())


def test_a_handle_of_a_source_that_is_not_installed_does_not_hide_behind_the_others(
    world: Running, tmp_path: Path
) -> None:
    async def scenario() -> None:
        rig.draw_ads(tmp_path / "ads", 1)
        await world.add_brand("slip", roots=(str(tmp_path),), flies="123", files=str(tmp_path / "ads"))
        batch = await world.gather("slip")

        assert batch.state == "committed"
        assert batch.sources["flies"]["outcome"] == "failed"
        assert "no source is called 'flies'" in batch.sources["flies"]["reason"]

    world.run(scenario())


def test_a_brand_without_any_handle_fails_with_what_to_do(world: Running) -> None:
    async def scenario() -> None:
        await world.add_brand("bare")
        batch = await world.gather("bare")

        assert batch.state == "failed"
        assert batch.error is not None
        assert batch.error.startswith("the brand has no handle in any source (configured: ")
        assert batch.error.endswith("add one with `adology brand add`")

    world.run(scenario())


def test_zero_urls_commit_an_empty_batch(world: Running, tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "ads").mkdir()
        await world.add_brand("silent", roots=(str(tmp_path),), files=str(tmp_path / "ads"))
        batch = await world.gather("silent")

        assert (batch.state, batch.expected_count) == ("committed", 0)
        assert batch.sources["files"]["outcome"] == "empty"

    world.run(scenario())


def test_the_same_url_fifty_times_is_one_item_and_one_asset_of_fifty_ads(world: Running, tmp_path: Path) -> None:
    async def scenario() -> None:
        (picture,) = rig.draw_ads(tmp_path / "ads", 1)[:1]
        lines = [{"id": f"ad-{n}", "body": f"Offer {n}", "images": [picture.as_uri()] * 3} for n in range(50)]
        table = tmp_path / "ads.jsonl"
        table.write_text("\n".join(map(json.dumps, lines)))
        await world.add_brand("fifty", roots=(str(tmp_path),), files=str(table))
        batch = await world.gather("fifty")

        items = world.items(batch)
        assert [url for url in items if url.startswith("file:")] == [picture.as_uri()]
        # The others' copy is analysed as well: each ad has exactly one item that carries it.
        assert len(items) == 50
        assert (batch.counts["ads"], batch.counts["assets"], batch.counts["media"]) == (50, 1, 1)
        linked = """select count(distinct l.ad_id), count(distinct l.sha256) from ad_assets l
            join brand_ads b on b.ad_id = l.ad_id where b.brand = 'fifty'"""
        assert world.rows(linked) == [(50, 1)]
        analysed = """select count(distinct l.ad_id) from ad_analyses l
            join brand_ads b on b.ad_id = l.ad_id where b.brand = 'fifty'"""
        assert world.rows(analysed) == [(50,)]

    world.run(scenario())


def test_a_batch_started_again_by_hand_changes_nothing(world: Running, tmp_path: Path) -> None:
    async def scenario() -> Batch:
        files = rig.draw_ads(tmp_path / "ads", 3)
        await world.add_brand("again", roots=(str(tmp_path),), files=str(tmp_path / "ads"))
        batch = await world.gather("again")

        # The same request once more, its items once more, and the registry's start by hand.
        await rig.ask(world.engine, "first", "again")
        for path in files:
            await world.send("acquire", {"brand": "again", "url": path.as_uri(), "batch": batch.id})
        status, _ = await world.post("start", {"brand": "again", "expected_count": 4, "batch_id": batch.id})
        assert status == 200
        await rig.wait_queues_empty(world.engine)

        async def forgotten() -> bool:
            return await world.engine.registry.progress("again") is None

        await rig.wait_until(forgotten, "the registry forgets the ended batch")
        assert world.rows("select count(*) from batches where brand = 'again'") == [(1,)]
        assert len(world.items(batch)) == len(files)
        return batch

    world.run(scenario())


def test_a_commit_complete_by_hand_in_the_middle_loses_nothing(world: Running, tmp_path: Path) -> None:
    async def scenario() -> None:
        files = rig.draw_ads(tmp_path / "ads", 12)
        await world.add_brand("meddled", roots=(str(tmp_path),), files=str(tmp_path / "ads"))
        await rig.ask(world.engine, "first", "meddled")

        async def active() -> bool:
            return await world.engine.registry.progress("meddled") is not None

        await rig.wait_until(active, "the batch is active")
        assert (await world.post("commit-complete", {"brand": "meddled"}))[0] == 200
        batch = await rig.wait_ended(world.engine, "first", brand="meddled", insight=False)

        assert batch.state == "committed"
        assert set(world.items(batch)) == {path.as_uri() for path in files}

    world.run(scenario())


def test_another_batch_by_hand_of_an_active_brand_is_refused(world: Running) -> None:
    async def scenario() -> None:
        assert (await world.post("start", {"brand": "taken", "expected_count": 5}))[0] == 200
        assert (await world.post("start", {"brand": "taken", "expected_count": 5}))[0] == 200
        status, problem = await world.post("start", {"brand": "taken", "expected_count": 6})

        assert status == 409
        assert "a batch of 6 URLs cannot start" in problem["detail"]
        assert (await world.post("commit-complete", {"brand": "taken"}))[0] == 200

    world.run(scenario())
