"""The steward brings every stalled batch to an end, and one bad batch keeps no other from its repair."""
# ruff: noqa: ARG002 - the interfaces' signatures

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from adology import Page, Retry, Terminal
from adology.abc.sink import ItemResult
from adology.engine.manifest import Manifest, Seal
from adology.engine.model import Batch, SavedItem, hash_url
from adology.engine.steward import Steward
from adology.errors import EngineError, LeaseLostError, UnavailableError
from adology.queues.messages import AcquireMessage, AnalyzeMessage, GatherMessage, InsightMessage, decode
from adology.registry_client.protocol import Progress, SubmitAnswer
from adology.settings.model import WorkerSettings
from adology.store.subjects import Due
from tests.simulation.loop import run_virtual
from tests.unit.engine.memory import NOW, Objects, make_batch, make_page

MOST = 2


class World:
    """Every port of the steward in one."""

    def __init__(self, *stalled: Batch) -> None:
        self.stalled = list(stalled)
        self.without_insight: list[Batch] = []
        self.repaired: list[str] = []
        self.asked: list[str] = []
        self.failed: dict[str, str] = {}
        self.insights_done: list[str] = []
        self.saved: dict[bytes, ItemResult] = {}
        self.attempts: dict[bytes, tuple[str, int]] = {}
        self.submitted: list[ItemResult] = []
        self.active: list[Progress] = []
        self.completed: list[str] = []
        self.sent: list[tuple[str, str]] = []
        self.restored = SubmitAnswer(should_commit=True, lease_token="token")
        self.committed: list[str] = []
        self.commit_fault: Exception | None = None
        self.due_fault: Exception | None = None
        self.locked = False
        self.due: list[Due] = []
        self.closed: list[float] = []
        self.cleared = 0
        self.objects = Objects()
        me: Any = self
        self.steward = Steward(
            ledger=me, items=me, catalogue=me, objects=self.objects, registry=me, submitter=me, committer=me, outbox=me,
            subjects=me, spending=me, changes=me, send=self.send, locks=me, stalled_after_s=60,
            max_attempts=MOST, outbox_after_s=5,
        )  # fmt: skip

    @contextlib.asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        yield not self.locked

    async def take_due(self, *, limit: int) -> Sequence[Due]:
        return self.due[:limit]

    async def close_lost(self, *, older_s: float) -> int:
        self.closed.append(older_s)
        return 1

    async def clear(self) -> int:
        self.cleared += 1
        return 0

    async def queue_due(self) -> int:
        if self.due_fault is not None:
            raise self.due_fault
        return 0

    async def flush(self, send: Any, **_: Any) -> int:
        return 0

    async def send(self, role: str, bodies: Sequence[str]) -> None:
        self.sent += [(role, body) for body in bodies]

    async def list_stalled(self, *, idle_s: float) -> list[Batch]:
        return self.stalled

    async def list_without_insight(self, *, older_s: float) -> list[Batch]:
        return self.without_insight

    async def note_repair(self, batch_id: str) -> None:
        self.repaired.append(batch_id)

    async def note_insight_ask(self, batch_id: str) -> None:
        self.asked.append(batch_id)

    async def mark_insight(self, batch_id: str) -> None:
        self.insights_done.append(batch_id)

    async def fail_batch(self, batch_id: str, reason: str) -> None:
        self.failed[batch_id] = reason

    async def find_batch(self, batch_id: str) -> Batch | None:
        return next((batch for batch in self.stalled if batch.id == batch_id), None)

    async def results(self, brand: str, batch_id: str) -> list[ItemResult]:
        return self.submitted

    async def brands(self) -> list[Progress]:
        return self.active

    async def complete(self, brand: str, batch_id: str) -> None:
        self.completed.append(batch_id)

    async def save(self, results: Sequence[tuple[str, ItemResult]]) -> None:
        for _, result in results:
            self.saved.setdefault(hash_url(result.url), result)

    async def count(self, batch_id: str) -> dict[str, int]:
        return {"ok": len(self.saved)}

    async def note_attempts(self, batch_id: str, urls: Sequence[str]) -> None:
        for url in urls:
            self.attempts[hash_url(url)] = (url, self.attempts.get(hash_url(url), ("", 0))[1] + 1)

    async def pages(self, batch_id: str) -> AsyncIterator[list[SavedItem]]:
        # Columns hold no NUL; the result itself does.
        yield [SavedItem(url=result.url.replace("\0", ""), result=result) for result in self.saved.values()]
        yield [SavedItem(url=url, attempts=tries) for url, tries in self.attempts.values()]

    async def restore(self, batch: Batch) -> SubmitAnswer | None:
        return self.restored

    async def commit(self, batch: Batch, lease_token: str) -> bool:
        if self.commit_fault is not None:
            raise self.commit_fault
        self.committed.append(batch.id)
        return True

    async def seal(self, *ids: str) -> None:
        manifest = Manifest(self.objects, "b1")
        page: Page[Any] = make_page(*ids)
        await manifest.add_page("library", 0, page, gathered_at=NOW)
        await manifest.write_seal(
            Seal(
                batch="b1", brand="nike", sealed_at=NOW, expected_count=len(ids), ads=len(ids),
                parts=tuple(await manifest.list_parts()), sources={},
            )
        )  # fmt: skip


def foreign(**over: Any) -> Batch:
    return make_batch(**{"state": "acquiring", "origin": "foreign", "expected_count": 2, "queued_at": NOW, **over})


def own(**over: Any) -> Batch:
    return make_batch(**{"state": "acquiring", "manifest_key": "key", "queued_at": NOW, "expected_count": 2, **over})


def test_one_steward_works_and_the_others_wait() -> None:
    async def scenario() -> None:
        world = World(make_batch())
        world.locked = True
        assert not await world.steward.run_round()
        assert world.repaired == []

    run_virtual(scenario())


@pytest.mark.parametrize("fault", [UnavailableError("postgres is away"), ZeroDivisionError("a bug of ours")])
def test_a_step_that_fails_keeps_no_other_from_its_work(fault: Exception) -> None:
    async def scenario() -> None:
        world = World(make_batch())
        world.due_fault = fault
        assert await world.steward.run_round()
        assert world.repaired == ["b1"]

    run_virtual(scenario())


@pytest.mark.parametrize("batch", [make_batch(), make_batch(state="acquiring", manifest_key="key")])
def test_a_gathering_that_stopped_is_asked_for_again(batch: Batch) -> None:
    async def scenario() -> None:
        world = World(batch)
        await world.steward.run_round()
        ((role, body),) = world.sent
        assert role == "gather"
        assert decode(body, GatherMessage).request_id == "repair:b1:0"

    run_virtual(scenario())


def test_missing_urls_are_sent_again_and_given_up_after_enough_attempts() -> None:
    async def scenario() -> None:
        world = World(own())
        await world.seal("1", "2")
        await world.save([("b1", ItemResult(url="urn:adology:ad:library:1"))])
        for _ in range(MOST):
            await world.steward.run_round()
        assert [decode(body, AcquireMessage).url for _, body in world.sent] == ["urn:adology:ad:library:2"] * MOST
        assert all(decode(body, AcquireMessage).again for _, body in world.sent)
        assert world.committed == []

        await world.steward.run_round()
        lost = world.saved[hash_url("urn:adology:ad:library:2")]
        assert (lost.status, lost.error_code) == ("failed", "ADO-5513")
        assert lost.error == "given up: no result after it was queued 3 times"
        assert world.committed == ["b1"]

    run_virtual(scenario())


def test_a_batch_whose_results_are_all_there_is_committed() -> None:
    async def scenario() -> None:
        world = World(own())
        await world.seal("1")
        await world.save([("b1", ItemResult(url="urn:adology:ad:library:1"))])
        await world.steward.run_round()
        assert (world.committed, world.sent) == (["b1"], [])

    run_virtual(scenario())


def test_results_that_only_the_registry_has_complete_a_foreign_batch() -> None:
    async def scenario() -> None:
        world = World(foreign(repairs=MOST))
        await world.save([("b1", ItemResult(url="https://x/ours"))])
        world.submitted = [ItemResult(url="https://x/theirs", s3_path="s3://theirs/1")]
        await world.steward.run_round()
        assert world.committed == ["b1"]
        assert world.failed == {}
        assert world.saved[hash_url("https://x/theirs")].s3_path == "s3://theirs/1"

    run_virtual(scenario())


def test_a_foreign_batch_that_stays_incomplete_is_given_up_with_its_numbers() -> None:
    async def scenario() -> None:
        world = World(foreign(repairs=MOST - 1))
        await world.save([("b1", ItemResult(url="https://x/ours"))])
        await world.steward.run_round()
        assert world.failed == {}, "its sender may still be at it"
        world.stalled = [foreign(repairs=MOST)]
        await world.steward.run_round()
        assert world.failed == {"b1": "given up: 1 of 2 distinct URLs came, and none for long"}
        assert world.completed == ["b1"]

    run_virtual(scenario())


def commit_fails_with(fault: Exception, repairs: int) -> World:
    async def scenario() -> World:
        world = World(own(repairs=repairs))
        await world.seal()
        world.commit_fault = fault
        await world.steward.run_round()
        return world

    return run_virtual(scenario())


def test_a_batch_that_can_never_be_committed_is_given_up() -> None:
    fault = Terminal("row 7 does not fit\0", code="ADO-4302")
    assert commit_fails_with(fault, MOST - 1).failed == {}
    world = commit_fails_with(fault, MOST)
    assert world.failed == {"b1": "given up: it could not be committed: row 7 does not fit"}
    assert world.completed == ["b1"]


@pytest.mark.parametrize(
    "fault",
    [Retry("mongo away"), UnavailableError("postgres away"), EngineError("no table"), LeaseLostError("another")],
)
def test_a_commit_that_a_store_holds_up_is_never_given_up(fault: Exception) -> None:
    assert commit_fails_with(fault, 99).failed == {}


def test_analyses_that_are_due_are_asked_for() -> None:
    async def scenario() -> None:
        world = World()
        world.due = [Due(kind="asset", subject="beef", brand="nike"), Due(kind="ad", subject="c0de", brand="puma")]
        await world.steward.run_round()
        asked = [(role, decode(body, AnalyzeMessage)) for role, body in world.sent]
        assert [(role, one.brand, one.kind, one.subject) for role, one in asked] == [
            ("analyze", "nike", "asset", "beef"),
            ("analyze", "puma", "ad", "c0de"),
        ]

    run_virtual(scenario())


def test_paid_calls_whose_process_died_are_closed_but_none_that_may_be_under_way() -> None:
    async def scenario() -> None:
        world = World()
        await world.steward.run_round()
        (older_s,) = world.closed
        assert older_s >= WorkerSettings().item_timeout_s

    run_virtual(scenario())


def test_insights_are_asked_for_again_and_given_up_in_the_end() -> None:
    async def scenario() -> None:
        world = World()
        world.without_insight = [
            make_batch(id="young", state="committed"),
            make_batch(id="mended", state="committed", repairs=MOST),
            make_batch(id="old", state="committed", insight_asks=MOST),
        ]
        await world.steward.run_round()
        asked = [(role, decode(body, InsightMessage).batch) for role, body in world.sent]
        assert asked == [("insight", "young"), ("insight", "mended")], "repairs before the commit count for nothing"
        assert world.insights_done == ["old"]
        assert world.asked == ["young", "mended", "old"]

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("active", "cleared"),
    [
        (Progress(brand="nike", batch_id="over", expected_count=1), True),
        (Progress(brand="nike", batch_id="b1", expected_count=1, idle_s=9999), False),
        (Progress(brand="puma", batch_id="over", expected_count=1), False),
        (Progress(brand="nike", batch_id="nobodys", expected_count=1, idle_s=239), False),
        (Progress(brand="nike", batch_id="nobodys", expected_count=1, idle_s=241), True),
    ],
)
def test_the_registry_forgets_what_is_ended_or_abandoned_and_nothing_else(active: Progress, cleared: bool) -> None:
    async def scenario() -> None:
        world = World(foreign(repairs=0), make_batch(id="over", state="committed", queued_at=NOW, manifest_key="k"))
        world.active = [active]
        world.restored = SubmitAnswer()
        await world.steward.run_round()
        assert world.completed == ([active.batch_id] if cleared else [])

    run_virtual(scenario())
