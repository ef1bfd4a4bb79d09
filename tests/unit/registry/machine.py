"""The registry's state under any history, beside a model that is too simple to be wrong.

The model knows only what the contract says: which batch is active, the last result of each URL,
and which tokens were handed out until when. It never looks into the state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from adology.abc.sink import ItemResult
from adology.errors import EngineError
from adology.registry_client.protocol import (
    BrandActiveError,
    CommitLeaseLostError,
    StaleBatchError,
    SubmitAnswer,
    UnknownBrandError,
)
from adology_registry.state import ActiveBrands, Held

T = TypeVar("T")

LEASE_S = 10.0
BRANDS = ("nike", "adidas")
BATCHES = ("b1", "b2")
URLS = ("u1", "u2", "u3")

brands = st.sampled_from(BRANDS)
batches = st.sampled_from(BATCHES)
some_batch = st.none() | batches
results = st.builds(
    lambda url, failed, note: ItemResult(url=url, status="failed" if failed else "ok", s3_path=f"s3://{note}"),
    st.sampled_from(URLS),
    st.booleans(),
    st.integers(0, 99),
)


class Lease(msgspec.Struct, frozen=True):
    """What a committer was given: it believes in it until it learns otherwise."""

    brand: str
    batch_id: str
    token: str


class ModelBatch(msgspec.Struct):
    """The contract's view of one batch."""

    batch_id: str
    expected: int
    results: dict[str, ItemResult] = msgspec.field(default_factory=dict)
    holder: str = ""
    until: float = 0.0


class RegistryMachine(RuleBasedStateMachine):
    """Submitters, committers, restarts and the clock, in any order."""

    state_type: ClassVar[type[ActiveBrands]] = ActiveBrands
    leases: Bundle[Lease] = Bundle("leases")

    @initialize()
    def boot(self) -> None:
        self.now = 1000.0
        self.tokens = 0
        self.epochs: list[str] = []
        self.restart()

    @rule()
    def restart(self) -> None:
        """The process dies; nothing of its memory is left."""
        self.state = self.state_type(
            lease_s=LEASE_S, max_held_bytes=10**9, clock=lambda: self.now, new_token=self._new_token
        )
        assert self.state.epoch not in self.epochs, "a restart must show a new epoch"
        self.epochs.append(self.state.epoch)
        self.model: dict[str, ModelBatch] = {}

    @rule(seconds=st.sampled_from([0.5, LEASE_S / 2, LEASE_S, LEASE_S * 3]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(target=leases, brand=brands, batch_id=some_batch, expected=st.integers(0, 3))
    def start(self, brand: str, batch_id: str | None, expected: int) -> Any:
        known = self.model.get(brand)
        same = known is None or batch_id == known.batch_id or (batch_id is None and expected == known.expected)
        answer = _attempt(lambda: self.state.start(brand, expected, batch_id))
        if isinstance(answer, EngineError):
            assert isinstance(answer, BrandActiveError)
            assert not same, "a second start of the same batch must be idempotent"
            assert known is not None
            assert answer.batch_id == known.batch_id, "the refusal must name the active batch"
            return multiple()
        assert same, "another batch must not start while one is active"
        if known is None:
            assert batch_id is None or answer.batch_id == batch_id, "the given batch id must be kept"
            self.model[brand] = ModelBatch(answer.batch_id, expected)
        return self._judge(brand, answer)

    @rule(target=leases, brand=brands, batch_id=some_batch, items=st.lists(results, min_size=1, max_size=4))
    def submit(self, brand: str, batch_id: str | None, items: list[ItemResult]) -> Any:
        problem = self._expected_problem(brand, batch_id)
        answer = _attempt(lambda: self.state.submit(brand, [Held.of(item) for item in items], batch_id))
        if isinstance(answer, EngineError):
            assert problem is type(answer), f"{answer!r} where {problem} was right"
            return multiple()
        assert problem is None, f"a submit was counted where {problem} was right"
        self.model[brand].results |= {item.url: item for item in items}
        return self._judge(brand, answer)

    @rule(lease=leases)
    def renew(self, lease: Lease) -> None:
        live = self._is_live(lease)
        problem = self._expected_problem(lease.brand, lease.batch_id) or (None if live else CommitLeaseLostError)
        answer = _attempt(lambda: self.state.renew(lease.brand, lease.token, lease.batch_id))
        if isinstance(answer, EngineError):
            assert problem is type(answer), f"{answer!r} where {problem} was right"
            return
        assert problem is None, "only a live lease can be renewed"
        assert answer.lease_s == LEASE_S
        self.model[lease.brand].until = self.now + LEASE_S

    @rule(lease=leases)
    def release(self, lease: Lease) -> None:
        mine = self._is_last_winner(lease)
        problem = self._expected_problem(lease.brand, lease.batch_id) or (None if mine else CommitLeaseLostError)
        answer = _attempt(lambda: self.state.release(lease.brand, lease.token, lease.batch_id))
        if isinstance(answer, EngineError):
            assert problem is type(answer), f"{answer!r} where {problem} was right"
            return
        assert problem is None, "nobody may release another's lease"
        self.model[lease.brand].holder = ""

    @rule(lease=consumes(leases))
    def complete(self, lease: Lease) -> None:
        """A committer reports; it may be late, or not the last winner any more."""
        problem = self._expected_problem(lease.brand, lease.batch_id)
        if problem is None and not self._is_last_winner(lease):
            problem = CommitLeaseLostError
        done = _attempt(lambda: self.state.complete(lease.brand, lease.batch_id, lease.token))
        if isinstance(done, EngineError):
            assert problem is type(done), f"{done!r} where {problem} was right"
            return
        assert problem in {None, UnknownBrandError}, f"completed where {problem} was right"
        assert done == (problem is None), "completing must say whether there was a batch"
        self.model.pop(lease.brand, None)

    @rule(brand=brands)
    def complete_without_token(self, brand: str) -> None:
        """Other people's programs know only the brand."""
        assert self.state.complete(brand) == (brand in self.model)
        self.model.pop(brand, None)

    @rule(brand=brands, batch_id=some_batch)
    def read_results(self, brand: str, batch_id: str | None) -> None:
        problem = self._expected_problem(brand, batch_id)
        held = _attempt(lambda: self.state.results(brand, batch_id))
        if isinstance(held, EngineError):
            assert problem is type(held), f"{held!r} where {problem} was right"
            return
        assert problem is None
        read = [msgspec.msgpack.decode(one.data, type=ItemResult) for one in held]
        assert read == list(self.model[brand].results.values()), "results must be the last submitted of each URL"

    @invariant()
    def progress_tells_the_truth(self) -> None:
        if not hasattr(self, "state"):
            return
        page, following = self.state.page("", 10)
        assert following is None
        assert [one.brand for one in page] == sorted(self.model)
        for one in page:
            batch = self.model[one.brand]
            assert one.received == len(batch.results), "received must be the number of distinct URLs"
            failures = sum(result.status == "failed" for result in batch.results.values())
            assert one.failed == failures, "failed must be the number of URLs whose last result failed"
            assert one.expected_count == batch.expected, "the first start's count must stay in force"
            live = bool(batch.holder) and self.now < batch.until
            complete = len(batch.results) >= batch.expected
            shown = "committing" if live else "complete" if complete else "open"
            assert one.state == shown, "progress must show whether somebody commits"
        if not self.model:
            assert self.state.held_bytes == 0, "an empty registry must hold nothing"

    def _judge(self, brand: str, answer: SubmitAnswer) -> Any:
        """What any start or submit may answer; a won lease becomes a committer's belief."""
        batch = self.model[brand]
        live = bool(batch.holder) and self.now < batch.until
        complete = len(batch.results) >= batch.expected
        assert answer.epoch == self.epochs[-1]
        assert answer.received == len(batch.results), "received must be the number of distinct URLs"
        assert answer.batch_id == batch.batch_id
        if answer.should_commit:
            assert complete, "should_commit must not come before all distinct URLs are counted"
            assert not live, "there must be at most one live commit lease"
            assert answer.lease_token, "a won commit must come with a token"
            assert answer.lease_token != batch.holder, "a token must never be given twice"
            assert answer.lease_s == LEASE_S
            batch.holder, batch.until = answer.lease_token, self.now + LEASE_S
            return Lease(brand, batch.batch_id, answer.lease_token)
        assert live or not complete, "a complete batch without a live lease must give one to whoever asks"
        assert not answer.lease_token
        return multiple()

    def _expected_problem(self, brand: str, batch_id: str | None) -> type[EngineError] | None:
        batch = self.model.get(brand)
        if batch is None:
            return UnknownBrandError
        return StaleBatchError if batch_id is not None and batch_id != batch.batch_id else None

    def _is_last_winner(self, lease: Lease) -> bool:
        batch = self.model.get(lease.brand)
        return batch is not None and batch.holder == lease.token

    def _is_live(self, lease: Lease) -> bool:
        return self._is_last_winner(lease) and self.now < self.model[lease.brand].until

    def _new_token(self) -> str:
        self.tokens += 1
        return f"t{self.tokens}"


def _attempt(call: Callable[[], T]) -> T | EngineError:
    """What the call returns, or the refusal that it raises."""
    try:
        return call()
    except EngineError as error:
        return error
