"""Everything that can be replaced: one file per extension point."""

from adology.abc.analyzer import AdItem, Analyzer, BatchRequest, BrandAd, BrandItem, Derived, MediaItem, Needs
from adology.abc.sink import BatchCounts, CommitBatch, CommittedAd, ItemResult, Sink
from adology.abc.source import Source

__all__ = [
    "AdItem",
    "Analyzer",
    "BatchCounts",
    "BatchRequest",
    "BrandAd",
    "BrandItem",
    "CommitBatch",
    "CommittedAd",
    "Derived",
    "ItemResult",
    "MediaItem",
    "Needs",
    "Sink",
    "Source",
]
