"""One row for each brand and ad, from which lists of ads are read: kept in step with commits.

The API server answers lists, facets and statistics from these rows alone; see `rows`.
"""

from __future__ import annotations

from adology import Sink, hookimpl
from adology_feed.sink import FeedSettings, FeedSink

__all__ = ["FeedSettings", "FeedSink", "adology_sinks"]


@hookimpl
def adology_sinks() -> list[type[Sink[FeedSettings]]]:
    """The sink that keeps the feed."""
    return [FeedSink]
