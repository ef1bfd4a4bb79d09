"""One URL to one counted result: whatever fails, and however often the message comes."""
# ruff: noqa: ARG002 - the interfaces' signatures

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from adology import Retry, RetryLater, Skip, Terminal
from adology.abc.sink import ItemResult
from adology.engine.acquire import MOST_DEFERRALS, Acquirer
from adology.engine.analyze import Analysed
from adology.engine.batches import BatchBlockedError
from adology.engine.metadata import ItemMetadata
from adology.engine.model import Batch
from adology.errors import UnavailableError
from adology.queues.messages import UndecodableError
from adology.queues.verdict import Dead, Done, Hide, Verdict
from adology.registry_client.protocol import SubmitAnswer
from tests.simulation.loop import run_virtual
from tests.unit.engine.memory import make_batch, make_delivery

URL = "https://cdn.example/a.jpg"
PATIENCE = 3


class Bench:
    """Batches, item processing, submitter and committer in one: notes what it was asked."""

    def __init__(self, act: Callable[[], ItemResult] | Exception | None = None, batch: Batch | None = None) -> None:
        self.act = act
        self.batch = batch if batch is not None else make_batch(state="acquiring")
        self.known = True
        self.blocked = False
        self.saved: dict[str, ItemResult] = {}
        self.processed = self.cleared = 0
        self.commits: list[str] = []
        self.answer: SubmitAnswer | None = SubmitAnswer()
        stand_in: Any = self
        self.acquirer = Acquirer(
            batches=stand_in, process=stand_in, submitter=stand_in, committer=stand_in, patience=PATIENCE
        )

    async def handle(self, body: dict[str, Any] | None = None, **over: Any) -> Verdict:
        fields = {"brand": "nike", "url": URL, "batch": "b1", **(body or {})}
        return await self.acquirer.handle(make_delivery(msgspec.json.encode(fields).decode(), **over))

    def result(self) -> ItemResult:
        (found,) = self.saved.values()
        return found

    async def find(self, brand: str, batch_id: str | None) -> Batch | None:
        if self.blocked:
            raise BatchBlockedError("another batch is open", after=15.0)
        return self.batch if self.known else None

    def forget(self, batch_id: str) -> None:
        pass

    async def copy(self, batch: Batch, metadata: ItemMetadata) -> Analysed | None:
        return Analysed(keys={"copy": "k1"}, records={}, run=1) if metadata.carries else None

    async def media(self, batch: Batch, url: str, metadata: ItemMetadata) -> ItemResult:
        self.processed += 1
        if isinstance(self.act, Exception):
            raise self.act
        return self.act() if self.act else ItemResult(url=url, sha256="beef", analyses_run=2)

    async def find_stored(self, batch: Batch, url: str) -> ItemResult | None:
        return self.saved.get(url)

    async def keep(self, batch: Batch, result: ItemResult) -> None:
        self.saved.setdefault(result.url, result)

    async def submit(self, batch: Batch, result: ItemResult) -> SubmitAnswer | None:
        return self.answer

    async def clear(self, batch: Batch) -> None:
        self.cleared += 1

    async def commit(self, batch: Batch, lease_token: str) -> bool:
        self.commits.append(lease_token)
        return True


def test_a_result_names_its_ad_and_counts_the_analyses_of_both() -> None:
    async def scenario() -> None:
        bench = Bench()
        ad = {"source": "library", "ad": {"id": "42"}, "carries": True}
        assert isinstance(await bench.handle({"metadata": ad}), Done)
        result = bench.result()
        assert (result.status, result.source, result.ad_id) == ("ok", "library", "42")
        assert (result.ad_analyses, result.analyses_run) == ({"copy": "k1"}, 3)
        assert result.metadata == {}, "what our own messages say is in the manifest"

    run_virtual(scenario())


def test_an_ad_by_reference_is_named_as_well() -> None:
    async def scenario() -> None:
        bench = Bench()
        reference = {"source": "library", "ad_id": "42", "carries": True, "part": "batches/b1/x.jsonl", "line": 1}
        await bench.handle({"metadata": reference})
        assert (bench.result().ad_id, bench.result().ad_analyses) == ("42", {"copy": "k1"})

    run_virtual(scenario())


def test_whoever_wins_the_commit_commits() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.answer = SubmitAnswer(should_commit=True, lease_token="token")
        assert isinstance(await bench.handle(), Done)
        assert bench.commits == ["token"]

    run_virtual(scenario())


def test_a_batch_that_ended_meanwhile_needs_nothing_more() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.answer = None
        assert isinstance(await bench.handle(), Done)

    run_virtual(scenario())


@pytest.mark.parametrize("over", [{"receives": 2}, {"body": {"again": True}}, {"body": {"deferred": 1}}])
def test_a_message_that_comes_again_costs_no_second_download(over: dict[str, Any]) -> None:
    async def scenario() -> None:
        bench = Bench()
        await bench.handle()
        await bench.handle(**over)
        assert bench.processed == 1

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (Terminal("gone for good", code="ADO-5102"), "ADO-5102", "gone for good"),
        (Skip("nothing to have"), "ADO-5002", "nothing to have"),
    ],
)
def test_what_can_never_be_had_is_a_failure_at_once(error: Exception, code: str, reason: str) -> None:
    async def scenario() -> None:
        bench = Bench(error)
        assert isinstance(await bench.handle({"metadata": {"ad": {"id": "1"}, "carries": True}}), Done)
        result = bench.result()
        assert (result.status, result.error_code, result.error) == ("failed", code, reason)
        assert result.ad_analyses == {"copy": "k1"}, "the copy was analysed all the same"

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (Retry("502 from the cdn", code="ADO-5104"), "ADO-5104", "after 3 tries: 502 from the cdn"),
        (ZeroDivisionError("a bug"), "ADO-5000", "after 3 tries: ZeroDivisionError: a bug"),
    ],
)
def test_a_passing_fault_is_tried_until_the_last_try(error: Exception, code: str, reason: str) -> None:
    async def scenario() -> None:
        bench = Bench(error)
        for receives in range(1, PATIENCE):
            with pytest.raises(type(error)):
                await bench.handle(receives=receives)
        assert isinstance(await bench.handle(receives=PATIENCE), Done)
        assert (bench.result().error_code, bench.result().error) == (code, reason)

    run_virtual(scenario())


def test_a_store_that_is_away_never_makes_a_good_item_a_failure() -> None:
    async def scenario() -> None:
        bench = Bench(UnavailableError("s3 is away"))
        with pytest.raises(UnavailableError):
            await bench.handle(receives=PATIENCE)
        assert bench.saved == {}

    run_virtual(scenario())


def test_a_url_that_keeps_killing_its_worker_is_not_touched_again() -> None:
    async def scenario() -> None:
        bench = Bench()
        assert isinstance(await bench.handle(receives=PATIENCE + 1), Done)
        assert bench.processed == 0
        assert (bench.result().error_code, bench.result().error) == (
            "ADO-5510",
            "poison: 3 tries ended without a result; its worker died or ran out of time",
        )

    run_virtual(scenario())


def test_poison_that_got_a_result_at_last_keeps_it() -> None:
    async def scenario() -> None:
        bench = Bench()
        await bench.handle(receives=PATIENCE)
        assert isinstance(await bench.handle(receives=PATIENCE + 1), Done)
        assert bench.result().status == "ok"

    run_virtual(scenario())


def test_poison_still_names_its_ad_and_keeps_what_another_program_says_of_it() -> None:
    async def scenario() -> None:
        ours = Bench()
        await ours.handle({"metadata": {"source": "library", "ad": {"id": "42"}, "carries": True}}, receives=9)
        assert (ours.result().source, ours.result().ad_id, ours.result().ad_analyses) == ("library", "42", {})
        theirs = Bench(batch=make_batch(state="acquiring", origin="foreign"))
        await theirs.handle({"metadata": {"ad_id": "A-1", "source": "theirs"}}, receives=9)
        assert (theirs.result().status, theirs.result().ad_id) == ("failed", "A-1")
        assert theirs.result().metadata == {"ad_id": "A-1", "source": "theirs"}, "its ad is committed from this"

    run_virtual(scenario())


def test_a_host_that_says_slow_down_is_asked_later_but_not_for_ever() -> None:
    async def scenario() -> None:
        bench = Bench(RetryLater(60, "429 from the cdn"))
        with pytest.raises(RetryLater):
            await bench.handle({"deferred": MOST_DEFERRALS - 1})
        assert isinstance(await bench.handle({"deferred": MOST_DEFERRALS}), Done)
        assert bench.result().error == "after 100 deferrals: 429 from the cdn"

    run_virtual(scenario())


def test_a_reason_loses_what_stores_refuse() -> None:
    async def scenario() -> None:
        bench = Bench(Terminal("bad\0\ud800" + "x" * 9000))
        await bench.handle()
        error = bench.result().error or ""
        assert error.startswith("bad\ufffdxxx")
        assert len(error) <= 2000

    run_virtual(scenario())


def test_metadata_that_is_no_object_is_a_failure() -> None:
    async def scenario() -> None:
        bench = Bench()
        await bench.handle({"metadata": "text"})
        assert bench.result().error == "metadata is a JSON str; allowed: an object"
        assert bench.result().error_code == "ADO-5511"

    run_virtual(scenario())


def test_what_another_program_says_of_its_url_is_kept_as_stores_take_it() -> None:
    async def scenario() -> None:
        bench = Bench(batch=make_batch(state="acquiring", origin="foreign"))
        await bench.handle({"batch": None, "metadata": {"big": 10**30, "nul": "a\0b", "list": [1, None]}})
        assert bench.result().metadata == {"big": str(10**30), "nul": "ab", "list": [1, None]}
        msgspec.msgpack.encode(bench.result())

    run_virtual(scenario())


@pytest.mark.parametrize("state", ["committed", "failed"])
def test_a_late_message_of_an_ended_batch_is_done_and_clears_the_registry(state: str) -> None:
    async def scenario() -> None:
        bench = Bench(batch=make_batch(state=state))
        assert isinstance(await bench.handle(), Done)
        assert (bench.processed, bench.cleared) == (0, 0)
        assert isinstance(await bench.handle(receives=2), Done)
        assert bench.cleared == 1

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        ("b9", "batch b9 is not in the ledger"),
        (None, "brand 'nike' has no active batch: POST /start at the registry comes first"),
    ],
)
def test_a_message_without_a_batch_waits_and_is_dead_lettered_in_the_end(batch: str | None, reason: str) -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.known = False
        assert await bench.handle({"batch": batch}, receives=PATIENCE) == Hide(seconds=15.0, why=reason)
        assert await bench.handle({"batch": batch}, receives=PATIENCE + 1) == Dead(reason=reason, code="ADO-5512")

    run_virtual(scenario())


def test_a_message_of_a_batch_that_cannot_be_adopted_is_dead_lettered_in_the_end() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.blocked = True
        with pytest.raises(BatchBlockedError):
            await bench.handle(receives=PATIENCE)
        dead = await bench.handle(receives=PATIENCE + 1)
        assert dead == Dead(reason="another batch is open", code="ADO-5403")

    run_virtual(scenario())


def test_a_body_that_is_no_message_is_left_to_the_consumer() -> None:
    async def scenario() -> None:
        with pytest.raises(UndecodableError, match="missing required field `url`"):
            await Bench().acquirer.handle(make_delivery('{"brand":"nike"}'))

    run_virtual(scenario())
