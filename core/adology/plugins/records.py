"""What loading found: loaded plugins with their types, and failures that are kept, not raised."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Literal

import msgspec

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

    @property
    def lacks(self) -> list[str]:
        """Modules that an analyzer needs to run and that are not installed."""
        return [name for name in getattr(self.cls, "packages", ()) if find_spec(name) is None]

    @property
    def reference(self) -> str:
        """``module:Class``, by which a child process finds the class again."""
        return f"{self.cls.__module__}:{self.cls.__qualname__}"
