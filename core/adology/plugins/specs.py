"""The three hooks. Each returns classes: no I/O, no instances."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pluggy

from adology.abc.analyzer import Analyzer
from adology.abc.sink import Sink
from adology.abc.source import Source

PROJECT = "adology"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def adology_sources() -> Iterable[type[Source[Any, Any]]]:
    """Source classes of this plugin.

    Called once, when the plugin is loaded. An exception excludes this plugin alone.
    """
    return ()


@hookspec
def adology_analyzers() -> Iterable[type[Analyzer[Any, Any]]]:
    """Analyzer classes of this plugin.

    Called once, when the plugin is loaded. An exception excludes this plugin alone.
    """
    return ()


@hookspec
def adology_sinks() -> Iterable[type[Sink[Any]]]:
    """Sink classes of this plugin.

    Called once, when the plugin is loaded. An exception excludes this plugin alone.
    """
    return ()
