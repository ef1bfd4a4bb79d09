"""The batch protocol under thousands of random schedules, and under wrong variants that must be caught."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from adology.abc.sink import ItemResult
from adology.engine.model import Batch
from adology.engine.submit import Submitter
from adology.log import logger
from adology.queues import Consumer, Delivery, Done, Verdict
from adology_registry.state import ActiveBrands, Held
from tests.simulation import stores
from tests.simulation.loop import run_virtual
from tests.simulation.services import SimRegistry
from tests.simulation.world import Variant, World

SCHEDULES = int(os.environ.get("ADOLOGY_TEST_SCHEDULES", "120"))
CHUNKS = 16
MUTANT_SCHEDULES = 400


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    logger.disable("adology")
    yield
    logger.enable("adology")


def run_schedule(seed: int, variant: Variant | None = None) -> World:
    async def live() -> World:
        world = World(seed, variant)
        await world.run()
        await world.check()
        return world

    return run_virtual(live())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_promises_hold_over_random_schedules(chunk: int) -> None:
    for seed in range(chunk, SCHEDULES, CHUNKS):
        try:
            run_schedule(seed)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the seed is wanted
            pytest.fail(f"seed {seed} breaks a promise: {type(error).__name__}: {error}")


def test_a_seed_gives_the_same_run_each_time() -> None:
    first, second = run_schedule(7), run_schedule(7)

    assert first.net.calls == second.net.calls
    assert first.vendor_calls == second.vendor_calls
    assert first.tables.objects == second.tables.objects


def test_the_schedules_reach_what_they_are_meant_to_test() -> None:
    """GIVEN some schedules THEN there were commits, failures, repairs, several batches, and repeats."""
    worlds = [run_schedule(seed) for seed in range(60)]

    batches = [row.batch for world in worlds for row in world.tables.batches.values()]
    assert sum(batch.state == "committed" for batch in batches) > 40
    assert any(batch.repairs for batch in batches)
    assert any(batch.epoch > 1 for batch in batches)
    assert any(len(world.tables.batches) > 1 for world in worlds)
    assert any(
        r.status == "failed" for world in worlds for rows in world.tables.visible.values() for r in rows.values()
    )


class ForgetfulSubmitter(Submitter):
    """Wrong: counts a result at the registry without making it durable first."""

    async def keep(self, batch: Batch, result: ItemResult) -> None:
        del batch, result


class EagerSinks(stores.SimSinks):
    """Wrong: commits without looking at the ledger's row."""

    def may_flip(self, batch: Batch) -> bool:
        del batch
        return True


class HastyConsumer(Consumer):
    """Wrong: deletes the message before its effect is durable."""

    async def _judge(self, delivery: Delivery) -> Verdict:
        await self._delete(delivery.receipt)
        await super()._judge(delivery)
        return Done()


class DoubleCounting(ActiveBrands):
    """Wrong: counts submits instead of distinct URLs."""

    _submits = 0

    def submit(self, brand: str, results: Any, batch_id: str | None = None) -> Any:
        held = list(results)
        self._submits += len(held)
        extra = [Held(f"{one.url}?again={self._submits}", one.failed, one.data) for one in held]
        return super().submit(brand, [*held, *extra], batch_id)


class LeasingToAll(ActiveBrands):
    """Wrong: everybody who submits to a complete batch may commit."""

    def _is_leased(self, batch: Any, now: float) -> bool:
        del batch, now
        return False


class DoubleCountingRegistry(SimRegistry):
    state_type = DoubleCounting


class LeasingRegistry(SimRegistry):
    state_type = LeasingToAll


class TrustingSubmitter(ForgetfulSubmitter):
    """Wrong: never tells a registry that lost its memory what it had counted."""

    async def restore(self, batch: Batch) -> None:
        del batch


def find_broken(variant: Variant, schedules: int = MUTANT_SCHEDULES) -> str:
    """The first broken promise; empty when no schedule catches the variant."""
    for seed in range(schedules):
        try:
            run_schedule(seed, variant)
        except AssertionError as error:
            return str(error)
    return ""


@pytest.mark.parametrize(
    ("variant", "promise"),
    [
        pytest.param(
            Variant(sinks=EagerSinks, registry=LeasingRegistry), "committed twice", id="commit-without-ledger"
        ),
        pytest.param(Variant(with_steward=False), "lost|unsent", id="no-steward"),
        pytest.param(Variant(submitter=TrustingSubmitter), "never ended", id="registry-trusted"),
        pytest.param(Variant(consumer=HastyConsumer, with_steward=False), "lost|unsent", id="delete-first"),
    ],
)
@pytest.mark.timeout(240)
def test_a_wrong_protocol_is_caught(variant: Variant, promise: str) -> None:
    assert re.search(promise, find_broken(variant))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("registry", [DoubleCountingRegistry, LeasingRegistry])
def test_a_wrong_registry_cannot_break_a_promise(registry: type[SimRegistry]) -> None:
    """GIVEN a registry that miscounts or leases to everybody THEN the ledger still keeps the promises."""
    assert find_broken(Variant(registry=registry), schedules=30) == ""
