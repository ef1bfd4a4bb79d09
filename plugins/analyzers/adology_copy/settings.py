"""Settings of the copy analyzer."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from adology import Settings


class CopySettings(Settings, frozen=True, kw_only=True):
    """How much copy is read."""

    max_chars: Annotated[int, Meta(description="Characters of copy read per ad; the rest is left out.", ge=100)] = (
        20_000
    )
    max_found: Annotated[int, Meta(description="Most links, prices, tags … kept of each kind.", ge=1)] = 100
