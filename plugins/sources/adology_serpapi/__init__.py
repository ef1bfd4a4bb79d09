"""Ads from Google's Ads Transparency Center, asked for through SerpApi.

Lists give dates and usually a picture; what only the details engine knows (videos, copy, missing
pictures) costs one more search per ad. `source.SerpApi` is the way in.
"""

from __future__ import annotations

from datetime import date

from adology import Source, hookimpl
from adology_serpapi.settings import SerpApiSettings
from adology_serpapi.source import SerpApi

__all__ = ["SerpApi", "SerpApiSettings", "adology_sources"]


@hookimpl
def adology_sources() -> list[type[Source[SerpApiSettings, date]]]:
    """The SerpApi source."""
    return [SerpApi]
