"""Near-duplicates among committed creatives: compared as they come, kept as pairs and groups.

What proposes and confirms them is `adology_likeness`; here it meets the catalogue.
"""

from __future__ import annotations

from adology import Sink, hookimpl
from adology_duplicates.settings import DuplicatesSettings
from adology_duplicates.sink import DuplicatesSink

__all__ = ["DuplicatesSettings", "DuplicatesSink", "adology_sinks"]


@hookimpl
def adology_sinks() -> list[type[Sink[DuplicatesSettings]]]:
    """The sink that keeps near-duplicates."""
    return [DuplicatesSink]
