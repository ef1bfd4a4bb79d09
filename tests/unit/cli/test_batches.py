from __future__ import annotations

import asyncio
import io
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from rich.console import Console

from adology.abc import ItemResult
from adology.cli.progress import follow
from adology.cli.watch import Request, Watcher
from adology.settings import AdologySettings
from adology.store import Catalogue, Database, Items, Ledger
from adology.store.ledger import commit_batch
from adology.types import Brand
from tests.unit.cli.conftest import Run

pytestmark = pytest.mark.stack
WithDatabase = Callable[[Callable[[Database], Awaitable[Any]]], Any]
SOURCES = {
    "facebook": {"outcome": "ok", "pages": 2, "ads": 5},
    "serpapi": {"outcome": "failed", "code": "ADO-2101", "reason": "the key is used up"},
}


class Story:
    """One batch, told step by step as the engine would write it."""

    def __init__(self, database: Database, brand: str) -> None:
        self.database = database
        self.brand = brand
        self.ledger = Ledger(database)
        self.id = ""

    async def open(self) -> None:
        await self._open(f"request-{self.brand}")

    async def open_another(self) -> None:
        await self._open(f"request-{uuid.uuid4()}")

    async def _open(self, request: str) -> None:
        await Catalogue(self.database).put_brand(Brand(id=self.brand))
        opened = await self.ledger.open_batch(self.brand, request, lease_s=30)
        self.id = opened.batch.id

    async def discover(self) -> None:
        await self.ledger.note_progress(self.id, 1, {"pages": 2, "ads": 5})

    async def seal(self, expected: int = 4) -> None:
        await self.ledger.seal(self.id, 1, manifest_key="m", expected_count=expected, sources=SOURCES)
        await self.ledger.mark_queued(self.id, 1)

    async def acquire(self, ok: int, failed: int) -> None:
        results = [ItemResult(url=f"https://cdn.example/{n}.png", status="ok") for n in range(ok)]
        results += [
            ItemResult(
                url=f"https://cdn.example/gone-{n}.png",
                status="failed",
                error_code="ADO-5102",
                error=f"https://cdn.example/gone-{n}.png answered 403",
            )
            for n in range(failed)
        ]
        await Items(self.database).save([(self.id, result) for result in results])

    async def commit(self) -> None:
        counts = {"ads": 5, "media": 4, "assets": 2, "duplicates": 1, "failures": 1, "analyses_run": 6, "bytes": 1234}
        async with self.database.connection("test") as connection, connection.transaction():
            await commit_batch(connection, self.id, counts)
            await connection.execute(
                "insert into failures select batch_id, url_hash, url, 'ADO-5102', 'answered 403' from batch_items"
                " where batch_id = %s and status = 'failed'",
                [self.id],
            )


@pytest.fixture
def brand() -> str:
    return f"brand-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def tell(with_database: WithDatabase, brand: str) -> Callable[..., Story]:
    """A story up to a step: ``tell("open", "discover", "seal")``."""

    def run_story(*steps: str) -> Story:
        async def work(database: Database) -> Story:
            story = Story(database, brand)
            for step in steps:
                if step == "acquire":
                    await story.acquire(3, 1)
                elif step == "insight":
                    await story.ledger.mark_insight(story.id)
                else:
                    await getattr(story, step)()
            return story

        return with_database(work)  # type: ignore[no-any-return]  # the helper's result is this one's

    return run_story


WHOLE = ("open", "discover", "seal", "acquire", "commit", "insight")


def test_batches_are_listed_by_brand_newest_first(run: Run, tell: Callable[..., Story], brand: str) -> None:
    first = tell(*WHOLE)
    second = tell("open_another")
    lines = run("batch", "list", "--brand", brand, "--json").json
    assert {line["brand"] for line in lines} == {brand}
    assert [(line["id"], line["state"]) for line in lines] == [(second.id, "discovering"), (first.id, "committed")]
    shown = run("batch", "list", "--brand", brand)
    assert first.id[:8] in shown.out
    assert "committed" in shown.out


def test_open_batches_only_on_request(run: Run, tell: Callable[..., Story], brand: str) -> None:
    tell(*WHOLE)
    assert run("batch", "list", "--brand", brand, "--open", "--json").json == []
    assert "No batch is at work." in run("batch", "list", "--brand", brand, "--open").err


def test_an_unknown_brand_is_an_error_not_an_empty_list(run: Run, stack: AdologySettings, brand: str) -> None:
    del stack
    assert "is not in the catalogue" in run("batch", "list", "--brand", brand).err


def test_a_batch_is_shown_with_sources_failures_and_timing(run: Run, tell: Callable[..., Story]) -> None:
    story = tell(*WHOLE)
    detail = run("batch", "show", story.id[:13], "--json").json
    assert detail["batch"]["id"] == story.id
    assert detail["batch"]["counts"]["assets"] == 2
    assert detail["items"] == {"ok": 3, "failed": 1}
    assert [s["outcome"] for s in detail["sources"]] == ["ok", "failed"]
    assert detail["failures"] == [
        {"code": "ADO-5102", "reason": "answered 403", "count": 1, "example": "https://cdn.example/gone-0.png"}
    ]
    assert detail["gather_s"] >= 0
    assert detail["insight_s"] >= 0
    shown = run("batch", "show", story.id).out
    for words in ("the key is used up [ADO-2101]", "answered 403", "duplicates spared", "1.2 kB", "began"):
        assert words in shown


def test_an_open_batch_shows_what_failed_so_far(run: Run, tell: Callable[..., Story]) -> None:
    story = tell("open", "discover", "seal", "acquire")
    detail = run("batch", "show", story.id, "--json").json
    assert detail["failures"][0]["count"] == 1
    assert detail["acquire_s"] is None
    assert "4 of 4, 1 failed" in run("batch", "show", story.id).out


def test_an_unknown_batch_says_where_to_look(run: Run, stack: AdologySettings) -> None:
    del stack
    assert "error: no batch begins with 'zz'. See `adology batch list`. [ADO-5521]" in run("batch", "show", "zz").err


def test_a_beginning_that_fits_several_asks_for_more(run: Run, tell: Callable[..., Story]) -> None:
    tell(*WHOLE)
    tell("open_another")
    result = run("batch", "show", "")
    assert result.code == 1
    assert "several batches begin with ''" in result.err


def test_the_watcher_sees_every_phase(with_database: WithDatabase, brand: str) -> None:
    async def work(database: Database) -> list[str]:
        story = Story(database, brand)
        watcher = Watcher(database, [Request(brand=brand, request_id=f"request-{brand}")])
        seen: list[str] = []

        async def look() -> None:
            await watcher.look()
            seen.append(watcher.progress[0].phase)

        await look()
        for step in (story.open, story.seal, lambda: story.acquire(1, 0), lambda: story.acquire(3, 1), story.commit):
            await step()
            await look()
        assert not watcher.is_done
        await story.ledger.mark_insight(story.id)
        await look()
        assert watcher.is_done
        return seen

    assert with_database(work) == ["queued", "gather", "acquire", "acquire", "commit", "insight", "done"]


def test_following_prints_lines_and_returns_the_outcome(with_database: WithDatabase, brand: str) -> None:
    out = io.StringIO()

    async def work(database: Database) -> Any:
        story = Story(database, brand)
        await story.open()

        async def go_on() -> None:
            for step in (story.discover, story.seal, lambda: story.acquire(3, 1), story.commit):
                await asyncio.sleep(0.3)
                await step()
            await asyncio.sleep(0.3)
            await story.ledger.mark_insight(story.id)

        _, outcomes = await asyncio.gather(
            go_on(),
            follow(
                database,
                [Request(brand=brand, batch_id=story.id)],
                console=Console(file=out, width=160),
                line_every_s=0.0,
            ),
        )
        return outcomes

    (outcome,) = with_database(work)
    assert (outcome.state, outcome.ads, outcome.assets, outcome.duplicates) == ("committed", 5, 2, 1)
    assert [(f.code, f.count) for f in outcome.failures] == [("ADO-5102", 1)]
    assert [(s.source, s.outcome, s.code) for s in outcome.sources] == [
        ("facebook", "ok", ""),
        ("serpapi", "failed", "ADO-2101"),
    ]
    assert outcome.creatives_per_s == pytest.approx(4 / outcome.seconds, rel=0.01)
    text = out.getvalue()
    assert f"{brand}: gather: 5 ads, 2 pages" in text
    assert f"{brand}: done: 5 ads, 2 pages, 4/4 media, 1 failed" in text


def test_a_failed_batch_ends_the_following_with_its_reason(with_database: WithDatabase, brand: str) -> None:
    async def work(database: Database) -> Any:
        story = Story(database, brand)
        await story.open()
        await story.ledger.fail_batch(story.id, "facebook: the token has expired")
        request = Request(brand=brand, request_id=f"request-{brand}")
        return await follow(database, [request], console=Console(file=io.StringIO()))

    (outcome,) = with_database(work)
    assert (outcome.state, outcome.error) == ("failed", "facebook: the token has expired")
