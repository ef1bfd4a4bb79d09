"""The engine's own records: batches, claims, repairs."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Literal

import msgspec

from adology.abc.sink import ItemResult
from adology.types import Struct

BatchState = Literal["discovering", "acquiring", "committed", "failed"]
OPEN_STATES = ("discovering", "acquiring")


def hash_url(url: str) -> bytes:
    """16 bytes that stand for a URL in keys and sets."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).digest()[:16]


class Batch(Struct, frozen=True, kw_only=True):
    """One row of the ledger. `epoch` is the fencing token of its gathering."""

    id: str
    brand: str
    state: BatchState
    origin: Literal["gather", "foreign"] = "gather"
    epoch: int = 1
    manifest_key: str | None = None
    expected_count: int | None = None
    counts: dict[str, Any] = msgspec.field(default_factory=dict)
    sources: dict[str, Any] = msgspec.field(default_factory=dict)
    error: str | None = None
    created_at: datetime
    progress_at: datetime
    queued_at: datetime | None = None
    committed_at: datetime | None = None
    insight_at: datetime | None = None
    repairs: int = 0
    insight_asks: int = 0

    @property
    def is_open(self) -> bool:
        """Whether work on it may still be outstanding."""
        return self.state in OPEN_STATES


class Opened(Struct, frozen=True, kw_only=True):
    """What became of a request to gather.

    owner: gather now · busy: the same request is being worked on, look again in `wait_s` ·
    covered: another request's gathering, or a finished one, answers this request.
    """

    role: Literal["owner", "busy", "covered"]
    batch: Batch
    wait_s: float = 0.0


class Claim(Struct, frozen=True, kw_only=True):
    """A wish to run one analyzer version on one subject."""

    key: str
    analyzer: str
    version: int
    fingerprint: str
    subject_kind: Literal["asset", "ad"]
    subject: str


class Claimed(Struct, frozen=True, kw_only=True):
    """The answer to a claim.

    mine: run it · done, failed: here is the record · busy: somebody runs it · deferred: it is put
    off for `wait_s` more seconds. `deferrals` is how often it was put off so far.
    """

    state: Literal["mine", "done", "failed", "busy", "deferred"]
    result: Any = None
    derived: tuple[str, ...] = ()
    error_code: str | None = None
    error: str | None = None
    wait_s: float = 0.0
    deferrals: int = 0
    cost_usd: float = 0.0


class AnalysisRecord(Struct, frozen=True, kw_only=True):
    """What became of an analysis: `result` is plain data, None when it failed.

    With `retry_after_s` it is deferred: `error` says why, and it is due again after that time.
    """

    key: str
    result: Any = None
    derived: tuple[str, ...] = ()
    error_code: str | None = None
    error: str | None = None
    retry_after_s: float | None = None
    duration_ms: float = 0.0
    cost_usd: float = 0.0


class SavedItem(Struct, frozen=True, kw_only=True):
    """A durable item result, or a URL still missing after `attempts` repairs."""

    url: str
    attempts: int = 0
    result: ItemResult | None = None
