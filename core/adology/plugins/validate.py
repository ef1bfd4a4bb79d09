"""Is this class a usable plugin? Reads its class variables and generic arguments, runs nothing."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Sequence
from typing import Any, get_args, get_origin

import msgspec

from adology.abc.analyzer import Accepts, Analyzer
from adology.abc.sink import Role, Sink
from adology.abc.source import Source
from adology.plugins.records import Kind
from adology.settings.base import Settings

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
BASES: dict[Kind, type[Any]] = {"source": Source, "analyzer": Analyzer, "sink": Sink}
ACCEPTS: tuple[str, ...] = get_args(Accepts)
ROLES: tuple[str, ...] = get_args(Role)
ISOLATIONS = ("inline", "process")


class NoSettings(Settings, frozen=True, kw_only=True):
    """For plugins that have no settings: ``Source[None, …]``."""


class InvalidPluginError(TypeError):
    """The class breaks the plugin contract; the text says which part and what is allowed."""


def check_class(kind: Kind, cls: Any) -> tuple[type[Any], Any]:
    """Settings type and second generic argument (cursor or result type, None for sinks).

    Raises:
        InvalidPluginError: naming the class and the offending part.
    """
    base = BASES[kind]
    if not (inspect.isclass(cls) and issubclass(cls, base)):
        raise InvalidPluginError(
            f"adology_{kind}s() returned {cls!r}, which is not a subclass of adology.{base.__name__}"
        )
    where = f"{cls.__module__}.{cls.__qualname__}"
    name, version = getattr(cls, "name", None), getattr(cls, "version", None)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidPluginError(
            f"{where}.name is {name!r}; allowed: 1 to 40 of a-z, 0-9 and _, beginning with a letter"
        )
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InvalidPluginError(f"{where}.version is {version!r}; allowed: an integer from 1")
    arguments = _generic_arguments(cls, base)
    if not arguments:
        raise InvalidPluginError(
            f"{where} does not say its types; write class {cls.__name__}({base.__name__}[MySettings, …]) "
            f"or {base.__name__}[None, …] for no settings"
        )
    settings_type = NoSettings if arguments[0] in (None, type(None)) else arguments[0]
    if not (inspect.isclass(settings_type) and issubclass(settings_type, Settings)):
        raise InvalidPluginError(f"{where}: settings type {settings_type!r} is not a subclass of adology.Settings")
    if kind == "analyzer":
        _check_analyzer(cls, where, arguments[1])
    if kind == "sink":
        _check_word(f"{where}.role", getattr(cls, "role", None), ROLES)
    return settings_type, arguments[1] if len(arguments) > 1 else None


def _check_analyzer(cls: Any, where: str, result: Any) -> None:
    accepts = getattr(cls, "accepts", ())
    if not accepts or isinstance(accepts, str) or any(a not in ACCEPTS for a in accepts):
        raise InvalidPluginError(f"{where}.accepts is {accepts!r}; allowed: a tuple of {', '.join(ACCEPTS)}")
    if not (inspect.isclass(result) and issubclass(result, msgspec.Struct)):
        raise InvalidPluginError(f"{where}: result type {result!r} is not a msgspec.Struct")
    if not isinstance(inspect.getattr_static(cls, "needs"), classmethod):
        raise InvalidPluginError(f"{where}.needs is no class method: it is asked before there is an instance")
    _check_word(f"{where}.isolation", cls.isolation, ISOLATIONS)
    if cls.isolation == "process" and inspect.iscoroutinefunction(cls.analyze):
        raise InvalidPluginError(
            f"{where}.analyze is async, which isolation = 'process' cannot run; make it a plain def"
        )


def _check_word(where: str, value: Any, allowed: Sequence[str]) -> None:
    """A slip here would not fail later on: a sink of an unknown role is never called."""
    if value not in allowed:
        raise InvalidPluginError(f"{where} is {value!r}; allowed: {', '.join(allowed)}")


def _generic_arguments(cls: type[Any], base: type[Any]) -> tuple[Any, ...]:
    for ancestor in cls.__mro__:
        for generic in getattr(ancestor, "__orig_bases__", ()):
            if get_origin(generic) is base:
                return get_args(generic)
    return ()


def hash_source(cls: type[Any]) -> str:
    """SHA-256 of the text of the module that defines `cls`; empty where there is no text."""
    try:
        text = inspect.getsource(inspect.getmodule(cls) or cls)
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(text.encode()).hexdigest()
