"""Ads from folders of creatives, from JSON lines and from CSV on the machine that gathers.

`places` decides what may be read, `walk` finds creatives, `tables` reads rows, `fields` turns a
row into an ad. `source.Files` is the way in; `make_handle` writes the handle of a folder with
its own table.
"""

from __future__ import annotations

from adology import Source, hookimpl
from adology_files.places import make_handle
from adology_files.settings import FilesSettings
from adology_files.source import Files

__all__ = ["Files", "FilesSettings", "adology_sources", "make_handle"]


@hookimpl
def adology_sources() -> list[type[Source[FilesSettings, None]]]:
    """The files source."""
    return [Files]
