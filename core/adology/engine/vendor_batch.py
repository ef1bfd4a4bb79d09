"""Records of what is asked in a vendor's batches."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from adology.engine.model import AnalysisRecord, Claim
from adology.types import Struct

BatchPhase = Literal["preparing", "submitting", "open", "completed", "expired", "cancelled", "failed", "given_back"]
AT_WORK: tuple[BatchPhase, ...] = ("preparing", "submitting", "open")
IN_BATCH = "ADO-3007"
"""Stands at analyses that wait for a vendor's batch."""


class VendorBatch(Struct, frozen=True, kw_only=True):
    """One batch at a vendor.

    preparing: its analyses are claimed, nothing was sent but perhaps the file · submitting: the
    vendor may have it · open: `vendor_id` is known. The others are ends; given_back: it never was.
    `counts`: done, failed, deferred, missing of the requests, and lines that were garbage, unknown, doubled.
    """

    id: str
    service: str
    analyzer: str
    version: int
    fingerprint: str
    endpoint: str
    model: str
    state: BatchPhase = "preparing"
    owner: str = ""
    tries: int = 0
    input_file_id: str | None = None
    vendor_id: str | None = None
    vendor_state: str | None = None
    requests: int = 0
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    error: str | None = None
    estimate_usd: float | None = None
    cost_usd: float | None = None
    created_at: datetime
    submitted_at: datetime | None = None
    ended_at: datetime | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """One request: the analysis that it stands for, who pays, what it uses at most."""

    claim: Claim
    brand: str
    units: dict[str, float]
    info: Any = None


class Prepared(Struct, frozen=True, kw_only=True):
    """The analyses that are claimed for a batch; `left` out, by why, are those that a budget does not pay for."""

    keys: frozenset[str] = frozenset()
    left: dict[str, int] = msgspec.field(default_factory=dict)
    estimate_usd: Decimal | None = Decimal(0)


class Waiting(Struct, frozen=True, kw_only=True):
    """A request without an answer yet."""

    key: str
    info: Any = None


class Received(Struct, frozen=True, kw_only=True):
    """What an answer means for its analysis, and what it is billed for."""

    record: AnalysisRecord
    model: str = ""
    units: dict[str, float] = msgspec.field(default_factory=dict)
