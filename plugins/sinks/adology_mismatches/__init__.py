"""Prices in creatives that the ad's own copy contradicts.

A creative is shared by ads and analysed once, so this is no part of its result: it is found where
both are at hand, among committed ads. What contradicts is said by `adology_text.disagree`.
"""

from __future__ import annotations

from adology import Sink, hookimpl
from adology_mismatches.sink import MismatchesSettings, MismatchesSink

__all__ = ["MismatchesSettings", "MismatchesSink", "adology_sinks"]


@hookimpl
def adology_sinks() -> list[type[Sink[MismatchesSettings]]]:
    """The sink that keeps mismatches."""
    return [MismatchesSink]
