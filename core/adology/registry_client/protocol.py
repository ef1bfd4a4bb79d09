"""What workers ask of the Active Brand Registry: answers, errors and the calls as a protocol.

`adology.registry_client.http` speaks it over HTTP; the protocol simulation has one in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from adology.abc.sink import ItemResult
from adology.errors import EngineError
from adology.types import Struct


class SubmitAnswer(Struct, frozen=True, kw_only=True):
    """Answer to a start or a submit.

    `should_commit` is true for exactly one caller at a time, who then holds `lease_token`. `epoch`
    names one life of the registry: a change means that it lost its memory.
    """

    should_commit: bool = False
    lease_token: str = ""
    lease_s: float = 0.0
    epoch: str = ""
    batch_id: str = ""
    received: int = 0
    expected_count: int = 0


class Progress(Struct, frozen=True, kw_only=True):
    """How far an active brand is, as the registry counts it."""

    brand: str
    batch_id: str
    expected_count: int
    received: int = 0
    failed: int = 0
    state: str = "open"
    epoch: str = ""
    age_s: float = 0.0
    idle_s: float = 0.0


class UnknownBrandError(EngineError):
    """The registry has no active batch of that brand (404)."""

    code = "ADO-5701"


class BrandActiveError(EngineError):
    """The brand is active with another batch (409 on start)."""

    code = "ADO-5702"

    def __init__(self, message: str, /, *, batch_id: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.batch_id = batch_id


class StaleBatchError(EngineError):
    """The call names a batch that is not the brand's active one (409 on submit and commit calls)."""

    code = "ADO-5703"


class CommitLeaseLostError(EngineError):
    """The commit lease ran out or belongs to somebody else (409 on renew and commit-complete)."""

    code = "ADO-5704"
    retryable = True


class Registry(Protocol):
    """The calls. All may be repeated; every one raises `UnavailableError` when the registry does not answer."""

    async def start(self, brand: str, expected_count: int, batch_id: str) -> SubmitAnswer:
        """Make the batch active. The same batch again is harmless and may win the commit.

        Raises:
            BrandActiveError: another batch of the brand is active.
        """
        ...

    async def submit(self, brand: str, batch_id: str, result: ItemResult) -> SubmitAnswer:
        """Count a result.

        Raises:
            UnknownBrandError, StaleBatchError: as named.
        """
        ...

    async def submit_many(self, brand: str, batch_id: str, results: Sequence[ItemResult]) -> SubmitAnswer:
        """Count several results; one answer for all."""
        ...

    async def renew(self, brand: str, batch_id: str, lease_token: str) -> None:
        """Prolong the commit lease.

        Raises:
            CommitLeaseLostError, UnknownBrandError, StaleBatchError: as named.
        """
        ...

    async def release(self, brand: str, batch_id: str, lease_token: str) -> None:
        """Give the commit lease back, so that the next submit of any URL wins it at once."""
        ...

    async def complete(self, brand: str, batch_id: str, lease_token: str = "") -> None:
        """The batch is committed: forget it. Harmless when it is gone already."""
        ...

    async def results(self, brand: str, batch_id: str) -> list[ItemResult]:
        """What was submitted for the batch so far; empty when it is not the active one."""
        ...

    async def brands(self) -> list[Progress]:
        """Every active brand."""
        ...

    async def progress(self, brand: str) -> Progress | None:
        """The brand's active batch; None without one."""
        ...
