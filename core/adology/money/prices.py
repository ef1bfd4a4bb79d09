"""The dated price table: what a million units of a model cost from a day on."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from datetime import date

import msgspec

from adology.settings.prices import Price

BATCH = "-batch"
"""Ends the service's name of calls that a vendor answers within a day, for less."""
BATCH_SHARE = 0.5
"""Of the usual price, as OpenAI publishes it for its Batch API."""


def _tokens(service: str, model: str, since: date, *, cached: float = 0.0, output: float = 0.0, fed: float) -> Price:
    units = {"input_tokens": fed, "cached_tokens": cached, "output_tokens": output}
    return Price(service=service, model=model, since=since, usd_per_million={k: v for k, v in units.items() if v})


def _heard(model: str, since: date, *, audio: float, fed: float, output: float) -> Price:
    units = {"audio_tokens": audio, "input_tokens": fed, "output_tokens": output}
    return Price(service="openai", model=model, since=since, usd_per_million=units)


PUBLISHED = (
    _tokens("openai", "text-embedding-3-small", date(2024, 1, 25), fed=0.02),
    _tokens("openai", "text-embedding-3-large", date(2024, 1, 25), fed=0.13),
    _tokens("openai", "gpt-4o-mini*", date(2024, 7, 18), fed=0.15, cached=0.075, output=0.60),
    _tokens("openai", "gpt-4.1-mini*", date(2025, 4, 14), fed=0.40, cached=0.10, output=1.60),
    _tokens("openai", "gpt-5-mini*", date(2025, 8, 7), fed=0.25, cached=0.025, output=2.00),
    _tokens("openai", "gpt-5-nano*", date(2025, 8, 7), fed=0.05, cached=0.005, output=0.40),
    Price(service="openai", model="gpt-transcribe", since=date(2026, 11, 1), usd_per_million={"seconds": 75.0}),
    Price(service="openai", model="whisper-1", since=date(2023, 3, 1), usd_per_million={"seconds": 100.0}),
    _heard("gpt-4o-transcribe*", date(2025, 3, 20), audio=6.0, fed=2.5, output=10.0),
    _heard("gpt-4o-mini-transcribe*", date(2025, 3, 20), audio=3.0, fed=1.25, output=5.0),
    Price(service="openai", model="omni-moderation*", since=date(2024, 9, 26)),
    Price(
        service="bedrock",
        model="amazon.titan-embed-image-v1",
        since=date(2023, 11, 29),
        usd_per_million={"input_tokens": 0.80, "images": 60.0},
    ),
    # As a public price table gives it, which names AWS's console as its source; not read there by us.
    Price(
        service="bedrock",
        model="amazon.nova-2-multimodal-embeddings-v1:0",
        since=date(2025, 10, 28),
        usd_per_million={"input_tokens": 0.135, "images": 60.0},
    ),
)
"""List prices as their vendors published them on that day. They change, and differ by region and
contract: rows of `money.prices` go before these. `input_tokens` are those that were not cached."""


class PriceTable:
    """Finds the price of a model on a day, in the given rows before the published ones."""

    def __init__(self, prices: Iterable[Price] = ()) -> None:
        self._own = tuple(prices)

    def find(self, service: str, model: str, on: date) -> Price | None:
        """The price that applies: of the row that names the model most closely, of one's own, then of the newest.

        Where a service `…-batch` has no row of its own, it costs half of what the service does.
        """
        found = self._find(service, model, on)
        if found is not None or not service.endswith(BATCH):
            return found
        usual = self._find(service.removesuffix(BATCH), model, on)
        if usual is None:
            return None
        reduced = {unit: usd * BATCH_SHARE for unit, usd in usual.usd_per_million.items()}
        return msgspec.structs.replace(usual, service=service, usd_per_million=reduced)

    def _find(self, service: str, model: str, on: date) -> Price | None:
        known = [
            (price, is_own)
            for rows, is_own in ((self._own, True), (PUBLISHED, False))
            for price in rows
            if price.service == service and price.since <= on and fnmatch.fnmatchcase(model, price.model)
        ]
        best = max(
            known, key=lambda one: (one[0].model == model, len(one[0].model), one[1], one[0].since), default=None
        )
        return best[0] if best is not None else None
