"""Adology: collects the ads of brands, archives every creative, analyses each one once.

This module is what plugin authors import; everything else is the engine's own.
"""

from adology.abc import (
    AdItem,
    Analyzer,
    BatchCounts,
    BatchRequest,
    BrandAd,
    BrandItem,
    CommitBatch,
    CommittedAd,
    Derived,
    ItemResult,
    MediaItem,
    Needs,
    Sink,
    Source,
)
from adology.context import Context
from adology.errors import AdologyError, ConfigError, Deferred, Retry, RetryLater, Skip, Terminal
from adology.plugins.specs import hookimpl
from adology.settings.base import Operational, Secret, Settings
from adology.types import Ad, Advertiser, Brand, Media, Page, Spend, Struct

__all__ = [
    "Ad",
    "AdItem",
    "AdologyError",
    "Advertiser",
    "Analyzer",
    "BatchCounts",
    "BatchRequest",
    "Brand",
    "BrandAd",
    "BrandItem",
    "CommitBatch",
    "CommittedAd",
    "ConfigError",
    "Context",
    "Deferred",
    "Derived",
    "ItemResult",
    "Media",
    "MediaItem",
    "Needs",
    "Operational",
    "Page",
    "Retry",
    "RetryLater",
    "Secret",
    "Settings",
    "Sink",
    "Skip",
    "Source",
    "Spend",
    "Struct",
    "Terminal",
    "hookimpl",
]
