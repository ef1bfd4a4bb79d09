"""What loading found: loaded plugins with their types, and failures that are kept, not raised."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any, Literal

import msgspec

from adology.abc.analyzer import Needs

Kind = Literal["source", "analyzer", "sink"]
Stage = Literal["import", "register", "call", "validate"]


class PluginFailure(msgspec.Struct, frozen=True, kw_only=True):
    """One entry point that is not available, and why."""

    entry_point: str
    distribution: str
    version: str
    stage: Stage
    error: str


class LoadedPlugin(msgspec.Struct, frozen=True, kw_only=True):
    """One usable source, analyzer or sink.

    `settings_type`, `cursor_type` and `result_type` come from the class's generic arguments.
    `source_hash` is a hash of the class's module text: it tells changed code from a changed version.
    """

    kind: Kind
    name: str
    version: int
    cls: type[Any]
    entry_point: str
    distribution: str
    distribution_version: str
    settings_type: type[Any]
    cursor_type: Any = None
    result_type: Any = None
    source_hash: str = ""

    def needs(self, settings: Any) -> Needs:
        """What an analyzer depends on with these settings; nothing for sources and sinks.

        Raises:
            Exception: what the plugin raises; msgspec.ValidationError where it answers something else.
        """
        if self.kind != "analyzer":
            return Needs()
        # Its fields too: a text in the place of a list of texts would be taken letter by letter.
        return msgspec.convert(msgspec.to_builtins(self.cls.needs(settings)), Needs)

    @property
    def reference(self) -> str:
        """``module:Class``, by which a child process finds the class again."""
        return f"{self.cls.__module__}:{self.cls.__qualname__}"


def missing(packages: Iterable[str]) -> list[str]:
    """Those of the modules that are not installed."""
    return [name for name in packages if not _is_installed(name)]


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):  # of a.b, where there is no a; or no name of a module
        return False
