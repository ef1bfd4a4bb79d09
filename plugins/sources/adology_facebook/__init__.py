"""Ads from the Meta Ad Library API, with their media found through the ad snapshots.

The API hands out text and delivery facts but no media; `resolvers` finds the media on each ad's
snapshot page. `source.Facebook` is the way in.
"""

from __future__ import annotations

from datetime import date

from adology import Source, hookimpl
from adology_facebook.settings import FacebookSettings
from adology_facebook.source import Facebook

__all__ = ["Facebook", "FacebookSettings", "adology_sources"]


@hookimpl
def adology_sources() -> list[type[Source[FacebookSettings, date]]]:
    """The Facebook source."""
    return [Facebook]
