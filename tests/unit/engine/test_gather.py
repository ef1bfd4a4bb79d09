"""What becomes of a request to gather: sealed and queued, put off, covered, or failed with every reason."""
# ruff: noqa: ARG002 - the interfaces' signatures

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from adology import ConfigError, Retry, RetryLater, Terminal
from adology.engine.gather import MOST_DEFERRALS, Gatherer
from adology.engine.manifest import Manifest
from adology.errors import EngineError, LeaseLostError, UnavailableError, UnknownBrandError
from adology.queues.messages import AcquireMessage, decode
from adology.queues.verdict import Dead, Defer, Done, Verdict
from adology.registry_client.protocol import SubmitAnswer
from tests.simulation.loop import run_virtual
from tests.unit.engine.memory import (
    Catalogue,
    Instance,
    Ledger,
    Objects,
    make_batch,
    make_delivery,
    make_page,
    now,
    pages_of,
)

PATIENCE = 3
LEASE_S = 60.0


class Calls:
    """Registry, committer and queue: notes what it was asked."""

    def __init__(self) -> None:
        self.started: list[tuple[str, int, str]] = []
        self.commits: list[str] = []
        self.sent: list[str] = []
        self.answer = SubmitAnswer(epoch="e1")
        self.send_fault: Exception | None = None

    async def start(self, brand: str, expected_count: int, batch_id: str) -> SubmitAnswer:
        self.started.append((brand, expected_count, batch_id))
        return self.answer

    async def commit(self, batch: Any, lease_token: str) -> bool:
        self.commits.append(lease_token)
        return True

    async def send(self, role: str, bodies: Sequence[str]) -> None:
        if self.send_fault is not None:
            raise self.send_fault
        assert role == "acquire"
        self.sent += bodies


class Bench:
    def __init__(
        self, *instances: Instance, ledger: Ledger | None = None, handles: dict[str, str] | None = None
    ) -> None:
        self.ledger = ledger or Ledger()
        self.catalogue = Catalogue(**(handles if handles is not None else {i.name: "1" for i in instances}))
        self.objects = Objects()
        self.calls = Calls()
        stand_in: Any = self.calls
        self.gatherer = Gatherer(
            ledger=self.ledger,  # type: ignore[arg-type]  # the part of it that gathering uses
            catalogue=self.catalogue,
            objects=self.objects,
            registry=stand_in,
            committer=stand_in,
            send=self.calls.send,
            sources={instance.name: instance for instance in instances},
            now=now,
            lease_s=LEASE_S,
            patience=PATIENCE,
        )

    async def handle(self, body: dict[str, Any] | None = None, **over: Any) -> Verdict:
        text = msgspec.json.encode({"brand": "nike", **(body or {})}).decode()
        return await self.gatherer.handle(make_delivery(text, **over))

    def failed(self) -> str:
        assert self.ledger.failed is not None
        return self.ledger.failed[0]


def test_what_was_discovered_is_sealed_started_and_queued_in_that_order() -> None:
    async def scenario() -> None:
        bench = Bench(Instance(pages_of(make_page("1", "2"))), Instance(pages_of(make_page("3")), name="other"))
        assert isinstance(await bench.handle(), Done)
        seal = await Manifest(bench.objects, "b1").read_seal()
        assert (seal.expected_count, seal.ads, set(seal.sources)) == (3, 3, {"library", "other"})
        assert bench.ledger.sealed["expected_count"] == 3
        assert bench.calls.started == [("nike", 3, "b1")]
        assert [decode(body, AcquireMessage).batch for body in bench.calls.sent] == ["b1"] * 3
        assert bench.ledger.queued
        assert bench.calls.commits == []

    run_virtual(scenario())


def test_a_batch_without_urls_is_committed_by_its_gatherer() -> None:
    async def scenario() -> None:
        bench = Bench(Instance(pages_of(make_page())))
        bench.calls.answer = SubmitAnswer(should_commit=True, lease_token="token")
        assert isinstance(await bench.handle(), Done)
        assert bench.calls.commits == ["token"]
        assert bench.ledger.queued

    run_virtual(scenario())


def test_a_batch_that_was_sealed_already_is_queued_again_without_asking_the_vendor() -> None:
    async def scenario() -> None:
        instance = Instance(pages_of(make_page("1")))
        bench = Bench(instance)
        await bench.handle()
        bench.ledger.batch = make_batch(state="acquiring")
        await bench.handle()
        assert instance.script.calls == 1
        # The first message may have been worked on: the second one's worker looks for its result.
        assert [decode(body, AcquireMessage).again for body in bench.calls.sent] == [False, True]

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("role", "verdict"), [("covered", Done()), ("busy", Defer(seconds=7.5, why="another worker holds the gathering"))]
)
def test_a_request_that_somebody_else_answers_is_left_to_him(role: str, verdict: Verdict) -> None:
    async def scenario() -> None:
        bench = Bench(Instance(pages_of()), ledger=Ledger(role=role))
        assert await bench.handle() == verdict

    run_virtual(scenario())


def test_an_unknown_brand_is_dead_lettered(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: Any, **__: Any) -> None:
        raise UnknownBrandError("brand 'nike' is not in the catalogue")

    async def scenario() -> None:
        bench = Bench()
        monkeypatch.setattr(bench.ledger, "open_batch", unknown)
        assert await bench.handle() == Dead(
            reason="brand 'nike' is not in the catalogue; add it with `adology brand add`", code="ADO-5007"
        )

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("body", "expected"),
    [({"request_id": "mine"}, "mine"), ({}, "m1"), ({"request_id": "x" * 5000}, None), ({"request_id": "a\0b"}, "ab")],
)
def test_a_request_is_known_by_its_id_in_a_form_that_the_ledger_holds(
    body: dict[str, Any], expected: str | None
) -> None:
    async def scenario() -> None:
        bench = Bench(ledger=Ledger(role="covered"))
        await bench.handle(body)
        (request,) = bench.ledger.requests
        assert len(request) <= 300
        assert expected is None or request == expected

    run_virtual(scenario())


def test_all_sources_failing_fails_the_batch_with_every_reason() -> None:
    async def scenario() -> None:
        bench = Bench(
            Instance(pages_of(Terminal("no such page"))),
            Instance(pages_of(ConfigError("sources.other.token", "has expired.")), name="other"),
            handles={"library": "1", "other": "2", "typo": "3"},
        )
        assert isinstance(await bench.handle(), Done)
        assert bench.failed() == (
            "library: no such page; other: setting sources.other.token: has expired; "
            "typo: no source is called 'typo' (configured: library, other); see `adology plugins list`"
        )
        assert bench.calls.started == []

    run_virtual(scenario())


def test_one_source_failing_of_two_does_not_fail_the_batch() -> None:
    async def scenario() -> None:
        bench = Bench(Instance(pages_of(Terminal("gone"))), Instance(pages_of(make_page("1")), name="other"))
        await bench.handle()
        outcomes = {name: told["outcome"] for name, told in bench.ledger.sealed["sources"].items()}
        assert outcomes == {"library": "failed", "other": "ok"}

    run_virtual(scenario())


def test_a_brand_without_a_handle_fails_with_what_to_do() -> None:
    async def scenario() -> None:
        bench = Bench(Instance(pages_of()), handles={})
        await bench.handle()
        assert bench.failed() == (
            "the brand has no handle in any source (configured: library); add one with `adology brand add`"
        )

    run_virtual(scenario())


def test_without_any_source_the_reason_says_none() -> None:
    async def scenario() -> None:
        bench = Bench(handles={"library": "1"})
        await bench.handle()
        assert "(configured: none)" in bench.failed()

    run_virtual(scenario())


def test_a_pause_for_one_source_does_not_keep_the_others_and_holds_the_lease_for_its_length() -> None:
    async def scenario() -> None:
        slow = Instance(pages_of(RetryLater(300, "slow down")), name="a")
        bench = Bench(slow, Instance(pages_of(make_page("1")), name="b"))
        with pytest.raises(RetryLater):
            await bench.handle()
        assert (await Manifest(bench.objects, "b1").load_source("b")).done is not None
        # The steward takes a batch whose lease runs for a live one.
        assert bench.ledger.leases == [300]
        assert bench.ledger.released == 0

    run_virtual(scenario())


def test_a_vendor_that_asked_for_pauses_too_often_fails_the_source() -> None:
    async def scenario() -> None:
        bench = Bench(Instance(pages_of(RetryLater(300, "slow down"))))
        assert isinstance(await bench.handle({"deferred": MOST_DEFERRALS}), Done)
        assert bench.failed() == "library: slow down"

    run_virtual(scenario())


@pytest.mark.parametrize("error", [Retry("vendor away"), UnavailableError("s3 is away")])
def test_a_passing_fault_gives_the_lease_back_for_the_next_try(error: Exception) -> None:
    async def scenario() -> None:
        bench = Bench(Instance(pages_of(error)))
        with pytest.raises(type(error)):
            await bench.handle()
        assert bench.ledger.released == 1
        assert bench.ledger.failed is None

    run_virtual(scenario())


def test_a_gatherer_that_was_replaced_stops_without_a_word() -> None:
    async def scenario() -> None:
        bench = Bench(Instance(pages_of(RetryLater(300))))
        bench.ledger.lost = True
        with pytest.raises(LeaseLostError):
            await bench.handle()
        assert bench.ledger.failed is None

    run_virtual(scenario())


@pytest.mark.parametrize("instance", [Instance(pages_of(Terminal("gone"))), Instance(pages_of(), name="unused")])
def test_a_gatherer_that_was_replaced_does_not_fail_the_batch_of_its_successor(instance: Instance) -> None:
    async def scenario() -> None:
        bench = Bench(instance, handles={"library": "1"} if instance.name == "library" else {})
        bench.ledger.lost = True
        with pytest.raises(LeaseLostError):
            await bench.handle(receives=PATIENCE)
        assert bench.ledger.failed is None

    run_virtual(scenario())


def test_what_cannot_be_queued_fails_the_batch_after_the_last_try() -> None:
    async def scenario() -> None:
        bench = Bench(Instance(pages_of(make_page("1"))))
        bench.calls.send_fault = EngineError("sqs: 1 of 1 messages were refused: it\0is too large", code="ADO-5802")
        with pytest.raises(EngineError):
            await bench.handle(receives=PATIENCE - 1)
        assert bench.ledger.released == 1
        assert isinstance(await bench.handle(receives=PATIENCE), Done)
        assert bench.failed() == "after 3 tries: sqs: 1 of 1 messages were refused: itis too large"

    run_virtual(scenario())


def test_a_brand_that_left_the_catalogue_meanwhile_fails_in_the_end() -> None:
    async def scenario() -> None:
        bench = Bench(Instance(pages_of(make_page("1"))))
        bench.catalogue.row = None
        with pytest.raises(UnknownBrandError, match="brand 'nike' left the catalogue while it was gathered"):
            await bench.handle()
        await bench.handle(receives=PATIENCE)
        assert "left the catalogue" in bench.failed()

    run_virtual(scenario())


def test_a_source_that_killed_its_worker_too_often_is_not_run() -> None:
    async def scenario() -> None:
        instance = Instance(pages_of(make_page("1")))
        bench = Bench(instance)
        await bench.handle(receives=PATIENCE + 1)
        assert instance.script.calls == 0
        assert "ended its worker again and again" in bench.failed()

    run_virtual(scenario())
