"""The analyzers of this process, loaded when they are first asked for: plugins and their settings take a while."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer, prepare
from adology.plugins import load_plugins
from adology.settings.model import AdologySettings


class Loaded(NamedTuple):
    """Those that can work, and of them those that say where something stands in a space."""

    all: AnalyzerSet
    embedding: tuple[ReadyAnalyzer, ...]


class Analyzers:
    """As workers with the same settings have them."""

    def __init__(self, settings: AdologySettings) -> None:
        self._settings = settings
        self._loading = asyncio.Lock()
        self._ready: Loaded | None = None

    async def load(self) -> Loaded:
        """Those of the settings; the first time it takes seconds.

        Raises:
            ConfigError: they use each other in a circle.
        """
        async with self._loading:
            if self._ready is None:
                self._ready = await asyncio.to_thread(self._load)
            return self._ready

    def _load(self) -> Loaded:
        own = self._settings.plugins
        found = load_plugins(only=own.only, without=own.without, strict=own.strict)
        plugins = found.of_kind("analyzer")
        embed = {p.name for p in plugins if {"space", "vector"} <= _fields(p.result_type)}
        ready = prepare(plugins, self._settings.analyzers)
        return Loaded(ready, tuple(one for one in ready if one.name in embed))


def _fields(kind: Any) -> set[str]:
    return set(getattr(kind, "__struct_fields__", ()))
