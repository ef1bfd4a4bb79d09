"""The loaded analyzers in the order they need, with their fingerprints and keys."""

from __future__ import annotations

import asyncio
import difflib
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

NEAR = 0.8
"""Likeness from which an unknown section counts as mistyped: `labels` and `labels_copy` have 0.71."""


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


class UnknownAnalyzerError(ValueError):
    """There is no analyzer of that name, or there is one that cannot work."""


class AnalyzerSet:
    """Analyzers by what they accept, each after the ones it uses.

    `left_out` names those that are installed and cannot work, each with the reason.
    """

    def __init__(self, ready: Iterable[ReadyAnalyzer], left_out: Mapping[str, str] | None = None) -> None:
        self._ready = tuple(ready)
        self.left_out: Mapping[str, str] = dict(left_out or {})

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
        return AnalyzerSet((one for one in self._ready if one.name in wanted), self.left_out)

    def check_names(self, names: Iterable[str], accepts: Collection[str], items: str) -> None:
        """Raise unless each name is that of an analyzer here that accepts one of these, called `items` in the message.

        Raises:
            UnknownAnalyzerError: one is not, with the reason where it was left out.
        """
        known = sorted(one.name for one in self._ready if set(accepts).intersection(one.analyzer.accepts))
        for name in names:
            if name in self.left_out:
                raise UnknownAnalyzerError(f"analyzer {name} cannot work: {self.left_out[name]}")
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f". Did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
                raise UnknownAnalyzerError(f"no analyzer of {items} is called {name!r}{hint}")

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
    (models, prompts) is taken as it is. The order is the same at every start.

    Raises:
        ConfigError: analyzers use each other in a circle.
    """
    left_out: dict[str, str] = {}
    found = {plugin.name: one for plugin in plugins if (one := _configure(plugin, configured, left_out)) is not None}
    known = {plugin.name for plugin in plugins}
    _tell_of_sections(configured, known)
    graph = {name: known.intersection(one.needs.uses) for name, one in found.items()}
    wishes = {name: found.keys() & set(one.needs.optional) for name, one in found.items()}
    try:
        order = list(TopologicalSorter({n: sorted(graph[n] | wishes[n]) for n in sorted(found)}).static_order())
    except CycleError as error:
        raise ConfigError("analyzers", f"use each other in a circle: {' → '.join(error.args[1])}") from error
    ready: dict[str, ReadyAnalyzer] = {}
    for name in order:
        if name not in found:
            continue  # left out, and logged as such
        one = found[name]
        lost = sorted(graph[name] - ready.keys())
        if lost:
            logger.bind(analyzer=name, uses=lost).error("analyzer left out: it uses one that was left out")
            left_out[name] = f"it uses {lost[0]}, which cannot work: {left_out[lost[0]]}"
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
    return AnalyzerSet(ready.values(), left_out)


class _Configured(NamedTuple):
    plugin: LoadedPlugin
    settings: Any
    needs: Needs


def _tell_of_sections(configured: Mapping[str, Any], known: Collection[str]) -> None:
    """Log sections whose names look mistyped. Others may be for plugins that this process does not load."""
    for section in sorted(configured.keys() - known):
        near = difflib.get_close_matches(section, known, n=1, cutoff=NEAR)
        if near:
            logger.bind(section=f"analyzers.{section}").error(
                "no analyzer is called so: these settings do nothing. Did you mean analyzers.{}?", near[0]
            )


def _configure(
    plugin: LoadedPlugin, configured: Mapping[str, Mapping[str, Any]], left_out: dict[str, str]
) -> _Configured | None:
    """The analyzer with its settings and what it needs with them; None where it cannot work: logged, in `left_out`."""
    fields = dict(configured.get(plugin.name, {}))
    try:
        settings = convert(fields, plugin.settings_type, where="the settings", prefix=f"analyzers.{plugin.name}.")
        needs = plugin.needs(settings)
    except Exception as error:  # noqa: BLE001 - settings that are wrong, or code of a plugin
        left_out[plugin.name] = describe(error)
        logger.bind(analyzer=plugin.name, error=left_out[plugin.name]).error("analyzer left out")
        return None
    lacking = missing(needs.packages)
    if lacking:
        left_out[plugin.name] = f"not installed: {', '.join(lacking)}"
        logger.bind(analyzer=plugin.name, packages=lacking).info("analyzer left out: packages are not installed")
        return None
    return _Configured(plugin, settings, needs)
