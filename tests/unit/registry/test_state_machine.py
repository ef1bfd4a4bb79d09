"""Any history keeps the promises, and every kind of broken registry is caught breaking them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from adology.registry_client.protocol import SubmitAnswer
from adology_registry.state import ActiveBrands, Batch, Held
from tests.unit.registry.machine import RegistryMachine

HISTORIES = settings(
    max_examples=300,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
HUNT = settings(HISTORIES, max_examples=1000, phases=[Phase.generate], report_multiple_bugs=False)
"""The first history that catches a mutant is enough: nobody reads the shortest."""


def test_any_history_keeps_the_promises() -> None:
    run_state_machine_as_test(RegistryMachine, settings=HISTORIES)


class CountsTwice(ActiveBrands):
    """Counts submits where it should count URLs."""

    def _keep(self, batch: Batch, held: Held) -> None:
        if held.url in batch.results:
            batch.results[f"{held.url}#{len(batch.results)}"] = held
        super()._keep(batch, held)


class LeasesTwice(ActiveBrands):
    """Does not see that a lease is live."""

    def _is_leased(self, _batch: Batch, _now: float) -> bool:
        return False


class LeasesEarly(ActiveBrands):
    """Commits one URL too soon."""

    def _is_complete(self, batch: Batch) -> bool:
        return len(batch.results) >= batch.expected_count - 1


class LeasesForEver(ActiveBrands):
    """Never takes a lease back that ran out: a dead committer ends the brand."""

    def _is_leased(self, batch: Batch, _now: float) -> bool:
        return bool(batch.lease_token)


class LeasesAtExactlyAll(ActiveBrands):
    """Takes no more URLs than expected for complete."""

    def _is_complete(self, batch: Batch) -> bool:
        return len(batch.results) == batch.expected_count


class KeepsTheFirst(ActiveBrands):
    """Drops the later result of a URL."""

    def _keep(self, batch: Batch, held: Held) -> None:
        if held.url not in batch.results:
            super()._keep(batch, held)


class MiscountsFailures(ActiveBrands):
    """Forgets that a replaced failure is none any more."""

    def _keep(self, batch: Batch, held: Held) -> None:
        before = batch.failed
        super()._keep(batch, held)
        batch.failed = max(before, batch.failed)


class TakesStaleBatches(ActiveBrands):
    """Counts late submits of an earlier batch for the present one."""

    def submit(self, brand: str, results: Iterable[Held], batch_id: str | None = None) -> SubmitAnswer:
        if brand in self._batches:
            batch_id = None
        return super().submit(brand, results, batch_id)


class StartsOver(ActiveBrands):
    """Lets another batch take an active brand's place."""

    def start(self, brand: str, expected_count: int, batch_id: str | None = None) -> SubmitAnswer:
        if brand in self._batches and batch_id not in {None, self._batches[brand].batch_id}:
            self.complete(brand)
        return super().start(brand, expected_count, batch_id)


class BelievesAnyToken(ActiveBrands):
    """Lets a committer that lost its lease end the batch."""

    def _check_token(self, batch: Batch, lease_token: str) -> None:
        pass


class RevivesLeases(ActiveBrands):
    """Renews a lease that ran out."""

    def renew(self, brand: str, lease_token: str, batch_id: str | None = None) -> SubmitAnswer:
        batch = self._get(brand, batch_id)
        if lease_token == batch.lease_token:
            batch.lease_until = self._clock() + self.lease_s
        return super().renew(brand, lease_token, batch_id)


class ReleasesNothing(ActiveBrands):
    """Says yes to a release and keeps the lease."""

    def release(self, brand: str, lease_token: str, batch_id: str | None = None) -> None:
        self._check_token(self._get(brand, batch_id), lease_token)


class RemembersTheDead(ActiveBrands):
    """Leaks what completed batches held."""

    def complete(self, brand: str, batch_id: str | None = None, lease_token: str | None = None) -> bool:
        before = self.held_bytes
        done = super().complete(brand, batch_id, lease_token)
        self.held_bytes = before
        return done


class SameEpochAgain(ActiveBrands):
    """A restart that cannot be noticed."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, "always" if name == "epoch" else value)


@pytest.mark.parametrize(
    ("mutant", "words"),
    [
        (CountsTwice, "number of distinct URLs"),
        (LeasesTwice, "at most one live commit lease|whether somebody commits"),
        (LeasesEarly, "before all distinct URLs|whether somebody commits"),
        (LeasesForEver, "must give one to whoever asks|whether somebody commits"),
        (LeasesAtExactlyAll, "must give one to whoever asks|whether somebody commits"),
        (KeepsTheFirst, "last submitted of each URL|last result failed"),
        (MiscountsFailures, "last result failed"),
        (TakesStaleBatches, "StaleBatchError"),
        (StartsOver, "another batch must not start"),
        (BelievesAnyToken, "CommitLeaseLostError|release another's lease"),
        (RevivesLeases, "only a live lease can be renewed"),
        (ReleasesNothing, "must give one to whoever asks|whether somebody commits"),
        (RemembersTheDead, "must hold nothing"),
        (SameEpochAgain, "new epoch"),
    ],
)
def test_a_broken_registry_is_caught(mutant: type[ActiveBrands], words: str) -> None:
    class MutantMachine(RegistryMachine):
        state_type = mutant

    with pytest.raises(AssertionError, match=words):
        run_state_machine_as_test(MutantMachine, settings=HUNT)
