"""Finds what `plugins check` runs: the author's kits in a folder or file, or one made for a plugin."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from adology.errors import ConfigError, EngineError
from adology.plugins import LoadedPlugin
from adology.settings import convert
from adology.testing import AnalyzerConformance, Conformance, SinkConformance, SourceConformance

BASES = (Conformance, AnalyzerConformance, SinkConformance, SourceConformance)


def find_kits(path: Path) -> list[type[Conformance]]:
    """The conformance classes in a file, or in the ``test_*.py`` files of a folder.

    Raises:
        EngineError: a file cannot be imported, or there is no such class.
    """
    tests = [path] if path.is_file() else sorted(path.rglob("test_*.py"))
    folder = path.parent if path.is_file() else path
    for place in (folder, folder / "src", folder.parent, Path.cwd()):
        if place.is_dir() and str(place.resolve()) not in sys.path:
            sys.path.insert(0, str(place.resolve()))
    kits = [kit for test in tests for kit in _kits_of(test)]
    if not kits:
        raise EngineError(
            f"{path} has no conformance class.",
            hint="Write class TestX(SourceConformance): plugin = X, or see `adology plugins new --help`.",
            code="ADO-5310",
        )
    return kits


def make_kit(plugin: LoadedPlugin, settings: Mapping[str, Any]) -> type[Conformance]:
    """What can be checked of an installed plugin without its author's stand-in.

    That is all of an analyzer that uses no others, and what every kind must keep of the rest.

    Raises:
        ConfigError: the configured settings are wrong. That is no finding about the plugin.
    """
    given = {**_made_up(plugin.settings_type), **settings}
    convert(given, plugin.settings_type, where="the settings", prefix=f"{plugin.kind}s.{plugin.name}.")
    alone = plugin.kind == "analyzer" and _is_alone(plugin, given)
    base: type[Conformance] = AnalyzerConformance if alone else Conformance
    own = {"kind": plugin.kind, "plugin": plugin.cls, "settings": given}
    return type(f"Check_{plugin.name}", (base,), own)


def _is_alone(plugin: LoadedPlugin, settings: Mapping[str, Any]) -> bool:
    """Whether it works by itself: without what others say, and without a vendor that is paid."""
    try:
        needs = plugin.needs(convert(settings, plugin.settings_type, where="the settings"))
    except ConfigError:
        return False
    return not needs.uses and not needs.pays


def _made_up(settings_type: type[Any]) -> dict[str, str]:
    """Values for required texts, which nobody configured: the checks made here use none of them."""
    fields = msgspec.structs.fields(settings_type)
    return {field.name: "env:MADE_UP" for field in fields if field.required and "str" in str(field.type)}


def _kits_of(test: Path) -> Iterable[type[Conformance]]:
    name = f"adology_checked_{test.stem}_{abs(hash(test.resolve()))}"
    spec = importlib.util.spec_from_file_location(name, test)
    if spec is None or spec.loader is None:
        raise EngineError(f"{test} is no Python file.", code="ADO-5310")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise EngineError(f"{test} cannot be imported: {type(error).__name__}: {error}", code="ADO-5310") from error
    for member in vars(module).values():
        if inspect.isclass(member) and issubclass(member, Conformance) and member not in BASES and _has_plugin(member):
            yield member


def _has_plugin(kit: type[Conformance]) -> bool:
    return hasattr(kit, "plugin")
