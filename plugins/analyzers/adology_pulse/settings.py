"""Settings of the pulse analyzer."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from adology import Settings


class PulseSettings(Settings, frozen=True, kw_only=True):
    """How many ads are named as evidence."""

    examples: Annotated[int, Meta(description="Ads named per kind of movement.", ge=0, le=1000)] = 20
    max_formats: Annotated[int, Meta(description="Formats told apart; the rest counts as other.", ge=1, le=1000)] = 50
