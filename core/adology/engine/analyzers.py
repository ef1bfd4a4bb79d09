"""The loaded analyzers in the order they need, with their fingerprints and keys."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

import msgspec

from adology.abc.analyzer import Accepts, Analyzer, Needs
from adology.context import Context
from adology.engine.model import Claim
from adology.errors import ConfigError, describe
from adology.log import logger
from adology.plugins import LoadedPlugin, missing
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
    needs: Needs = Needs()
    """What it depends on with its settings."""
    reads: frozenset[str] = frozenset()
    """The analyzers whose results it is given: those of `needs` that are there."""

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
                wanted.update(one.reads)
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


def prepare(plugins: Sequence[LoadedPlugin], configured: Mapping[str, Mapping[str, Any]]) -> AnalyzerSet:
    """Instantiate analyzers with their settings, in dependency order.

    An analyzer whose settings are wrong, or whose packages are not installed, is left out and
    logged, and so are those that use it: the others work. What `uses` names besides analyzers
    (models, prompts) is taken as it is.

    Raises:
        ConfigError: analyzers use each other in a circle.
    """
    found = {plugin.name: one for plugin in plugins if (one := _configure(plugin, configured)) is not None}
    known = {plugin.name for plugin in plugins}
    graph = {name: known.intersection(one.needs.uses) for name, one in found.items()}
    wishes = {name: found.keys() & set(one.needs.optional) for name, one in found.items()}
    try:
        order = list(TopologicalSorter({name: graph[name] | wishes[name] for name in found}).static_order())
    except CycleError as error:
        raise ConfigError("analyzers", f"use each other in a circle: {' → '.join(error.args[1])}") from error
    ready: dict[str, ReadyAnalyzer] = {}
    for name in order:
        if name not in found:
            continue  # left out, and logged as such
        one = found[name]
        left_out = sorted(graph[name] - ready.keys())
        if left_out:
            logger.bind(analyzer=name, uses=left_out).error("analyzer left out: it uses one that was left out")
            continue
        # What a used analyzer depends on, its user depends on.
        reads = ready.keys() & (graph[name] | wishes[name])
        uses = [*(ready[used].fingerprint for used in reads), *(set(one.needs.uses) - reads)]
        ready[name] = ReadyAnalyzer(
            name=name,
            analyzer=one.plugin.cls(),
            settings=one.settings,
            settings_fields=msgspec.to_builtins(one.settings),
            reference=one.plugin.reference,
            fingerprint=fingerprint(name, one.plugin.version, one.settings, uses),
            needs=one.needs,
            reads=frozenset(reads),
        )
    return AnalyzerSet(ready.values())


class _Configured(NamedTuple):
    plugin: LoadedPlugin
    settings: Any
    needs: Needs


def _configure(plugin: LoadedPlugin, configured: Mapping[str, Mapping[str, Any]]) -> _Configured | None:
    """The analyzer with its settings and what it needs with them; None, and logged, where it cannot work."""
    fields = dict(configured.get(plugin.name, {}))
    try:
        settings = convert(fields, plugin.settings_type, where="the settings", prefix=f"analyzers.{plugin.name}.")
        needs = plugin.needs(settings)
    except Exception as error:  # noqa: BLE001 - settings that are wrong, or code of a plugin
        logger.bind(analyzer=plugin.name, error=describe(error)).error("analyzer left out")
        return None
    lacking = missing(needs.packages)
    if lacking:
        logger.bind(analyzer=plugin.name, packages=lacking).info("analyzer left out: packages are not installed")
        return None
    return _Configured(plugin, settings, needs)
