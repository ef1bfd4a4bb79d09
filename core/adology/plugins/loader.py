"""Loads one entry point at a time and keeps a record of each that fails.

pluggy's own loader stops at the first broken plugin, and its call loop ends at the first
exception; so pluggy registers here, and each plugin's implementation is called alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from adology.errors import EngineError
from adology.log import logger
from adology.plugins import specs
from adology.plugins.records import Kind, LoadedPlugin, PluginFailure, Stage
from adology.plugins.validate import check_class, hash_source

KINDS: tuple[Kind, ...] = ("source", "analyzer", "sink")


class Plugins:
    """What is installed: usable plugins by kind and name, and the failures."""

    def __init__(self, loaded: Iterable[LoadedPlugin], failures: Iterable[PluginFailure]) -> None:
        self.loaded = tuple(loaded)
        self.failures = tuple(failures)

    def find(self, kind: Kind, name: str) -> LoadedPlugin | None:
        """The plugin of that kind and name, or None."""
        return next((p for p in self.loaded if p.kind == kind and p.name == name), None)

    def of_kind(self, kind: Kind) -> tuple[LoadedPlugin, ...]:
        """All plugins of a kind, by name."""
        return tuple(sorted((p for p in self.loaded if p.kind == kind), key=lambda p: p.name))


def load_plugins(
    *,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    strict: bool = False,
    trace: bool = False,
    points: Iterable[EntryPoint] | None = None,
) -> Plugins:
    """Load the entry points of group ``adology``.

    Args:
        only: names of entry points to load; all when empty.
        without: names of entry points to leave out.
        strict: raise the first failure instead of recording it.
        trace: log every hook call.
        points: entry points to load instead of the installed ones.

    Raises:
        EngineError: in strict mode, naming plugin, stage and cause.
    """
    manager = pluggy.PluginManager(specs.PROJECT)
    manager.add_hookspecs(specs)
    if trace:
        manager.add_hookcall_monitoring(_log_before, _log_after)
    loaded: list[LoadedPlugin] = []
    failures: list[PluginFailure] = []
    found = sorted(entry_points(group=specs.PROJECT) if points is None else points, key=lambda p: p.name)
    for point in found:
        if (only and point.name not in only) or point.name in without:
            continue
        try:
            loaded.extend(_load_one(manager, point, loaded))
        except _StageError as failed:
            failure = _failure(point, failed)
            if strict:
                raise EngineError(
                    f"plugin {failure.entry_point} ({failure.distribution} {failure.version}) failed at "
                    f"{failure.stage}: {failure.error}",
                    code="ADO-5301",
                ) from failed.__cause__
            failures.append(failure)
            logger.bind(plugin=point.name, stage=failure.stage, error=failure.error).error("plugin failed to load")
    return Plugins(loaded, failures)


class _StageError(Exception):
    def __init__(self, stage: Stage) -> None:
        self.stage: Stage = stage


def _load_one(manager: pluggy.PluginManager, point: EntryPoint, before: Sequence[LoadedPlugin]) -> list[LoadedPlugin]:
    stage: Stage = "import"
    try:
        module = point.load()
        stage = "register"
        manager.register(module, name=point.name)
        manager.check_pending()
        _check_has_hook(manager, module, point)
        found: list[LoadedPlugin] = []
        for kind in KINDS:
            stage = "call"
            classes = _call_alone(manager, module, f"adology_{kind}s")
            stage = "validate"
            found.extend(_describe(point, kind, cls, [*before, *found]) for cls in classes)
    except (Exception, SystemExit) as error:
        # SystemExit: a module that calls sys.exit() at import must not take the host down.
        if manager.has_plugin(point.name):
            manager.unregister(name=point.name)
        raise _StageError(stage) from error
    return found


def _check_has_hook(manager: pluggy.PluginManager, module: Any, point: EntryPoint) -> None:
    """To pluggy, a function without its marker is just a function: the plugin would be missed in silence."""
    if not manager.get_hookcallers(module):
        hooks = " or ".join(f"adology_{kind}s()" for kind in KINDS)
        raise TypeError(f"{point.value} has no {hooks} that is marked with @hookimpl")


def _call_alone(manager: pluggy.PluginManager, module: Any, hook: str) -> list[Any]:
    """Call one plugin's implementation of `hook` and nobody else's."""
    if not hasattr(module, hook):
        return []
    others = [plugin for plugin in manager.get_plugins() if plugin is not module]
    caller = manager.subset_hook_caller(hook, remove_plugins=others)
    return [cls for classes in caller() for cls in classes]


def _describe(point: EntryPoint, kind: Kind, cls: Any, before: Sequence[LoadedPlugin]) -> LoadedPlugin:
    settings_type, second = check_class(kind, cls)
    taken = next((p for p in before if p.kind == kind and p.name == cls.name), None)
    if taken is not None:
        raise TypeError(
            f"{kind} name {cls.name!r} is already taken by entry point {taken.entry_point} of {taken.distribution}"
        )
    return LoadedPlugin(
        kind=kind,
        name=cls.name,
        version=cls.version,
        cls=cls,
        entry_point=point.name,
        distribution=point.dist.name if point.dist else "",
        distribution_version=point.dist.version if point.dist else "",
        settings_type=settings_type,
        cursor_type=second if kind == "source" else None,
        result_type=second if kind == "analyzer" else None,
        source_hash=hash_source(cls),
    )


def _failure(point: EntryPoint, failed: _StageError) -> PluginFailure:
    cause = failed.__cause__
    return PluginFailure(
        entry_point=point.name,
        distribution=point.dist.name if point.dist else "",
        version=point.dist.version if point.dist else "",
        stage=failed.stage,
        error=f"{type(cause).__name__}: {cause}",
    )


def _log_before(hook_name: str, hook_impls: Any, _kwargs: Any) -> None:
    names = [impl.plugin_name for impl in hook_impls]
    logger.bind(hook=hook_name, plugins=names).info("hook call")


def _log_after(outcome: Any, hook_name: str, hook_impls: Any, _kwargs: Any) -> None:
    names = [impl.plugin_name for impl in hook_impls]
    logger.bind(hook=hook_name, plugins=names, failed=outcome.exception is not None).info("hook returned")
