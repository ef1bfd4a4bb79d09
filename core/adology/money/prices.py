"""The dated price table: what a million units of a model cost from a day on."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from datetime import date

from adology.settings.prices import Price


def _tokens(service: str, model: str, since: date, *, cached: float = 0.0, output: float = 0.0, fed: float) -> Price:
    units = {"input_tokens": fed, "cached_tokens": cached, "output_tokens": output}
    return Price(service=service, model=model, since=since, usd_per_million={k: v for k, v in units.items() if v})


PUBLISHED = (
    _tokens("openai", "text-embedding-3-small", date(2024, 1, 25), fed=0.02),
    _tokens("openai", "text-embedding-3-large", date(2024, 1, 25), fed=0.13),
    _tokens("openai", "gpt-4o-mini*", date(2024, 7, 18), fed=0.15, cached=0.075, output=0.60),
    _tokens("openai", "gpt-4.1-mini*", date(2025, 4, 14), fed=0.40, cached=0.10, output=1.60),
    _tokens("openai", "gpt-5-mini*", date(2025, 8, 7), fed=0.25, cached=0.025, output=2.00),
    _tokens("openai", "gpt-5-nano*", date(2025, 8, 7), fed=0.05, cached=0.005, output=0.40),
    Price(service="openai", model="omni-moderation*", since=date(2024, 9, 26)),
    Price(
        service="bedrock",
        model="amazon.titan-embed-image-v1",
        since=date(2023, 11, 29),
        usd_per_million={"input_tokens": 0.80, "images": 60.0},
    ),
)
"""List prices as their vendors published them on that day. They change, and differ by region and
contract: rows of `money.prices` go before these. `input_tokens` are those that were not cached."""


class PriceTable:
    """Finds the price of a model on a day, in the given rows before the published ones."""

    def __init__(self, prices: Iterable[Price] = ()) -> None:
        self._prices = (*prices, *PUBLISHED)

    def find(self, service: str, model: str, on: date) -> Price | None:
        """The price that applies: of the row that names the model most closely, then of the newest."""
        known = [
            price
            for price in self._prices
            if price.service == service and price.since <= on and fnmatch.fnmatchcase(model, price.model)
        ]
        return max(known, key=lambda price: (price.model == model, len(price.model), price.since), default=None)
