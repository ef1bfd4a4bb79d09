from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partialmethod
from typing import Any

import msgspec
import pytest

from adology.aws import open_client
from adology.queues import Sqs
from adology.settings import AdologySettings
from adology.store import Catalogue, Database, Ledger
from tests.unit.cli.conftest import Run

pytestmark = pytest.mark.stack
WithDatabase = Callable[[Callable[[Database], Awaitable[Any]]], Any]


@pytest.fixture
def brand() -> str:
    """A brand that no other test uses."""
    return f"brand-{uuid.uuid4().hex[:12]}"


def receive(settings: AdologySettings) -> list[dict[str, Any]]:
    """What is on the gather queue, taken off it."""

    async def take() -> list[dict[str, Any]]:
        async with open_client(settings.aws, "sqs") as client:
            sqs = Sqs(client)
            found = []
            while got := await sqs.receive(settings.queues.gather, most=10, wait_s=0, visibility_s=30):
                found += [msgspec.json.decode(delivery.body) for delivery in got]
                await sqs.delete(settings.queues.gather, [delivery.receipt for delivery in got])
            return found

    return asyncio.run(take())


def test_a_brand_is_added_with_handles_and_a_rhythm(run: Run, stack: AdologySettings, brand: str) -> None:
    del stack
    result = run(
        "brand",
        "add",
        brand,
        "--facebook",
        "123",
        "--facebook",
        "456",
        "--handle",
        "files=/tmp",
        "--every",
        "6h",
        "--json",
    )
    assert result.code == 0, result.err
    answer = result.json
    assert answer["created"] is True
    assert answer["brand"]["handles"] == {"facebook": ["123", "456"], "files": ["/tmp"]}
    assert answer["brand"]["refresh_every_s"] == 21600.0
    due = datetime.fromisoformat(answer["brand"]["next_refresh_at"])
    assert timedelta(hours=5) < due - datetime.now(UTC) < timedelta(hours=7)


def test_adding_again_adds_handles_and_keeps_the_rest(run: Run, stack: AdologySettings, brand: str) -> None:
    del stack
    run("brand", "add", brand, "--facebook", "123", "--every", "1d")
    answer = run("brand", "add", brand, "--serpapi", "AR1", "--json").json
    assert answer["created"] is False
    assert answer["brand"]["handles"] == {"facebook": ["123"], "serpapi": ["AR1"]}
    assert answer["brand"]["refresh_every_s"] == 86400.0
    shown = run("brand", "add", brand, "--serpapi", "AR2")
    assert shown.out.startswith(f"updated {brand}")
    assert f"Next: adology brand gather {brand} --wait" in shown.err


def test_a_handle_of_a_source_that_nobody_has_is_a_warning(run: Run, stack: AdologySettings, brand: str) -> None:
    del stack
    result = run("brand", "add", brand, "--handle", "facebok=1")
    assert result.code == 0
    assert "warning: no source is called 'facebok', so its handle is not gathered. Did you mean facebook?" in result.err


def test_brands_are_listed_with_their_handles(run: Run, stack: AdologySettings, brand: str) -> None:
    del stack
    run("brand", "add", brand, "--facebook", "123")
    assert brand in {line["id"] for line in run("brand", "list", "--json").json}
    shown = run("brand", "list").out
    assert "facebook 123" in shown
    assert "never" in shown


def test_gathering_sends_one_message_per_brand_with_its_request(run: Run, stack: AdologySettings, brand: str) -> None:
    receive(stack)
    run("brand", "add", brand, "--facebook", "123")
    result = run("brand", "gather", brand, brand, "--json")
    assert result.code == 0, result.err
    (sent,) = result.json
    assert receive(stack) == [{"brand": brand, "request_id": sent["request_id"]}]


def test_all_means_the_brands_of_every_page_of_the_catalogue(
    run: Run, stack: AdologySettings, brand: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (f"{brand}-1", f"{brand}-2", f"{brand}-3"):
        run("brand", "add", name)
    monkeypatch.setattr(Catalogue, "list_brands", partialmethod(Catalogue.list_brands, limit=2))
    known = {line["id"] for line in run("brand", "list", "--json").json}
    sent = run("brand", "gather", "--all", "--json").json
    assert {each["brand"] for each in sent} == known
    assert {f"{brand}-1", f"{brand}-2", f"{brand}-3"} <= known
    assert {message["request_id"] for message in receive(stack)} >= {each["request_id"] for each in sent}


@pytest.mark.parametrize("more", [[], ["--wait"]])
def test_all_of_an_empty_catalogue_says_how_to_begin(
    run: Run, stack: AdologySettings, monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    del stack
    monkeypatch.setattr(Catalogue, "list_brands", partialmethod(Catalogue.list_brands, limit=0))
    result = run("brand", "gather", "--all", *more)
    assert result.code == 0
    assert result.out == ""
    assert "No brands yet. Add one: adology brand add" in result.err


def test_an_unknown_brand_names_the_nearest_and_sends_nothing(run: Run, stack: AdologySettings, brand: str) -> None:
    receive(stack)
    run("brand", "add", brand)
    result = run("brand", "gather", brand, brand[:-1])
    assert result.code == 1
    assert f"error: brand '{brand[:-1]}' is not in the catalogue. Did you mean {brand}? [ADO-5007]" in result.err
    assert receive(stack) == []


def test_a_request_finds_its_batch_once_a_worker_took_it(with_database: WithDatabase, run: Run, brand: str) -> None:
    run("brand", "add", brand)

    async def work(database: Database) -> tuple[Any, Any, Any]:
        ledger = Ledger(database)
        before = await ledger.find_request(brand, f"r-{brand}")
        opened = await ledger.open_batch(brand, f"r-{brand}", lease_s=10)
        joined = await ledger.open_batch(brand, f"r2-{brand}", lease_s=10)
        assert joined.batch.id == opened.batch.id
        return before, opened.batch.id, [await ledger.find_request(brand, f"{r}-{brand}") for r in ("r", "r2")]

    before, batch_id, found = with_database(work)
    assert before is None
    assert [batch.id for batch in found] == [batch_id, batch_id]
