"""A registry that lost its memory is told everything again by whoever notices first, not by the steward."""

from __future__ import annotations

import random

import msgspec

from adology.abc.sink import ItemResult
from adology.engine.batches import Batches
from adology.engine.model import Batch
from adology.engine.submit import Submitter
from adology.registry_client.protocol import SubmitAnswer
from tests.simulation.loop import run_virtual
from tests.simulation.network import Network
from tests.simulation.services import SimRegistry
from tests.simulation.stores import Row, SimItems, SimLedger, Tables
from tests.unit.engine.memory import make_batch


class Bench:
    """A batch of three URLs with one worker's submitter; stores and the registry are the simulation's."""

    def __init__(self) -> None:
        self.batch = make_batch(state="acquiring", expected_count=3)
        self.tables = Tables(batches={self.batch.id: Row(self.batch)})
        network = Network(random.Random(1))
        self.ledger, self.items, self.registry = (
            SimLedger(self.tables, network),
            SimItems(self.tables, network),
            SimRegistry(network),
        )
        self.submitter = self.another()

    def another(self) -> Submitter:
        """The submitter of another worker."""
        return Submitter(self.items, self.ledger, self.registry, Batches(self.ledger, self.registry))

    async def start(self) -> None:
        await self.registry.start(self.batch.brand, 3, self.batch.id)

    async def finish(self, url: str, submitter: Submitter | None = None) -> SubmitAnswer | None:
        chosen = submitter or self.submitter
        result = ItemResult(url=url)
        await chosen.keep(self.batch, result)
        return await chosen.submit(self.batch, result)


def test_a_submit_to_a_registry_without_memory_restores_all_that_is_durable() -> None:
    async def story() -> None:
        bench = Bench()
        await bench.start()
        await bench.finish("u1")
        bench.registry.restart()
        answer = await bench.finish("u2")
        assert answer is not None
        assert (answer.received, answer.expected_count, answer.should_commit) == (2, 3, False)
        last = await bench.finish("u3")
        assert last is not None
        assert last.should_commit

    run_virtual(story())


def test_a_result_that_the_registry_never_heard_of_is_brought_by_the_worker_that_sees_the_new_epoch() -> None:
    async def story() -> None:
        bench = Bench()
        await bench.start()
        await bench.finish("u1")
        bench.registry.restart()
        # Somebody else made the batch known again, but knew only of its own result.
        await bench.start()
        await bench.registry.submit(bench.batch.brand, bench.batch.id, ItemResult(url="u2"))
        answer = await bench.finish("u2")
        assert answer is not None
        assert answer.received == 2

    run_virtual(story())


def test_a_batch_that_ended_meanwhile_is_not_restored() -> None:
    async def story() -> None:
        bench = Bench()
        await bench.start()
        row = bench.tables.batches[bench.batch.id]
        ended: Batch = msgspec.structs.replace(row.batch, state="committed")
        row.batch = ended
        bench.registry.restart()
        assert await bench.finish("u1") is None
        assert await bench.registry.brands() == []

    run_virtual(story())
