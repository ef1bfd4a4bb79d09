"""The loaded analyzers in the order they need, with their fingerprints and keys."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

import msgspec

from adology.abc.analyzer import Accepts, Analyzer
from adology.context import Context
from adology.engine.model import Claim
from adology.errors import ConfigError
from adology.log import logger
from adology.plugins import LoadedPlugin
from adology.settings import convert
from adology.settings.base import operational_fields
from adology.types import Struct


class ReadyAnalyzer(Struct, frozen=True, kw_only=True):
    """One analyzer with its settings and the fingerprint that its results are cached under."""

    name: str
    analyzer: Analyzer[Any, Any]
    settings: Any
    settings_fields: dict[str, Any]
    reference: str
    fingerprint: str

    def claim(self, kind: str, subject: str) -> Claim:
        """The claim for one subject (asset hash or copy hash)."""
        key = hashlib.sha256(f"{self.fingerprint}:{kind}:{subject}".encode()).hexdigest()
        return Claim(
            key=key,
            analyzer=self.name,
            version=self.analyzer.version,
            fingerprint=self.fingerprint,
            subject_kind="asset" if kind == "asset" else "ad",
            subject=subject,
        )

    async def call(self, context: Context[Any], item: Any) -> Any:
        """Run `analyze`: async functions on the loop, plain ones in a thread."""
        function = self.analyzer.analyze
        if inspect.iscoroutinefunction(function):
            return await function(context, item)
        result = await asyncio.to_thread(function, context, item)
        return await result if inspect.isawaitable(result) else result


class AnalyzerSet:
    """Analyzers by what they accept, each after the ones it uses."""

    def __init__(self, ready: Iterable[ReadyAnalyzer]) -> None:
        self._ready = tuple(ready)

    def accepting(self, what: Accepts) -> tuple[ReadyAnalyzer, ...]:
        """Analyzers for that kind of item, in running order."""
        return tuple(a for a in self._ready if what in a.analyzer.accepts)

    def only(self, names: Collection[str]) -> AnalyzerSet:
        """These analyzers and all that they use; every one for no names."""
        if not names:
            return self
        wanted = set(names)
        for one in reversed(self._ready):  # users come after what they use
            if one.name in wanted:
                wanted.update(one.analyzer.uses)
        return AnalyzerSet(one for one in self._ready if one.name in wanted)

    def __iter__(self) -> Iterator[ReadyAnalyzer]:
        return iter(self._ready)


def fingerprint(name: str, version: int, settings: Any, uses: Iterable[str]) -> str:
    """Hash of everything that a result depends on besides its subject; operational settings do not count."""
    left_out = operational_fields(settings.__class__)
    fields = msgspec.to_builtins(settings)
    counted = {key: value for key, value in fields.items() if key not in left_out} if left_out else fields
    payload = msgspec.json.encode([name, version, counted, sorted(uses)], order="sorted")
    return hashlib.sha256(payload).hexdigest()[:32]


def prepare(plugins: Iterable[LoadedPlugin], configured: Mapping[str, Mapping[str, Any]]) -> AnalyzerSet:
    """Instantiate analyzers with their settings, in dependency order.

    An analyzer whose settings are wrong, or whose packages are not installed, is left out and
    logged, and so are those that use it: the others work. What `uses` names besides analyzers
    (models, prompts) is taken as it is.

    Raises:
        ConfigError: analyzers use each other in a circle.
    """
    by_name = {plugin.name: plugin for plugin in plugins}
    graph = {name: {used for used in plugin.cls.uses if used in by_name} for name, plugin in by_name.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise ConfigError("analyzers", f"use each other in a circle: {' → '.join(error.args[1])}") from error
    ready: dict[str, ReadyAnalyzer] = {}
    for name in order:
        plugin = by_name[name]
        left_out = sorted(graph[name] - ready.keys())
        if left_out:
            logger.bind(analyzer=name, uses=left_out).error("analyzer left out: it uses one that was left out")
            continue
        lacking = plugin.lacks
        if lacking:
            logger.bind(analyzer=name, packages=lacking).info("analyzer left out: packages are not installed")
            continue
        fields = dict(configured.get(name, {}))
        try:
            settings = convert(fields, plugin.settings_type, where="the settings", prefix=f"analyzers.{name}.")
        except ConfigError as error:
            logger.bind(analyzer=name, error=str(error)).error("analyzer left out")
            continue
        # What a used analyzer depends on, its user depends on.
        uses = [ready[used].fingerprint if used in ready else used for used in plugin.cls.uses]
        ready[name] = ReadyAnalyzer(
            name=name,
            analyzer=plugin.cls(),
            settings=settings,
            settings_fields=msgspec.to_builtins(settings),
            reference=plugin.reference,
            fingerprint=fingerprint(name, plugin.version, settings, uses),
        )
    return AnalyzerSet(ready.values())
