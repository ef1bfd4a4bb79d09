"""One row of the dated price table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, field

from adology.settings.base import Settings

MILLION = 1_000_000


class Price(Settings, frozen=True, kw_only=True):
    """One row: the price of a model from a day on, until a later row of the same model.

    `usd_per_million` names units as the vendor counts them: input_tokens, cached_tokens,
    output_tokens, audio_tokens, images, seconds, characters, requests. A unit without a price costs nothing.
    """

    service: Annotated[str, Meta(description="Vendor, as plugins name it: openai, bedrock.", min_length=1)]
    model: Annotated[str, Meta(description="Model id as the vendor returns it; `*` stands for anything.", min_length=1)]
    since: Annotated[date, Meta(description="First day of the price, UTC.")]
    usd_per_million: Annotated[dict[str, float], Meta(description="Unit → US dollars for a million of it.")] = field(
        default_factory=dict
    )

    def cost(self, units: Mapping[str, float]) -> Decimal:
        """US dollars for that many units, to the hundred-millionth."""
        exact = sum(
            (Decimal(str(self.usd_per_million.get(unit, 0.0))) * Decimal(str(count)) for unit, count in units.items()),
            Decimal(0),
        )
        return (exact / MILLION).quantize(Decimal("1e-8"))
