"""Settings come from one TOML file and the environment, over what `adology up` wrote.

Order, first wins: ``ADOLOGY_<SECTION>__<KEY>`` variables; the TOML file (``ADOLOGY_CONFIG``,
else ``./adology.toml``); ``<home>/stack.toml`` of the embedded servers; the defaults.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec

from adology.errors import ConfigError
from adology.settings.base import Settings, secret_fields, type_hints
from adology.settings.model import AdologySettings, is_section

ENV_PREFIX = "ADOLOGY_"
ENV_OTHERS = frozenset({"ADOLOGY_CONFIG", "ADOLOGY_TEST_DATA"})
"""Variables of ours that are not settings."""
ENV_SHORT = {
    "ADOLOGY_PLUGINS": "plugins.only",
    "ADOLOGY_PLUGINS_STRICT": "plugins.strict",
    "ADOLOGY_TRACE_PLUGINS": "plugins.trace",
}
FREE_SECTIONS = frozenset({"sources", "analyzers", "sinks"})
_MISSING = re.compile(r"missing required field `([^`]+)`")

T = TypeVar("T", bound=Settings)


def load_settings(
    config: Path | None = None,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> AdologySettings:
    """The validated settings.

    Args:
        config: TOML file; must exist when given.
        env: environment; the process's own by default.
        cwd: where ``adology.toml`` and a relative home are looked for.
        overrides: nested values that win over everything (command-line options).

    Raises:
        ConfigError: naming the key, where it stands, what was seen and what is allowed.
    """
    env = os.environ if env is None else env
    cwd = cwd or Path.cwd()
    layers = [_read_environment(env)]
    path = _find_config(config, env, cwd)
    if path is not None:
        layers.append((str(path), _read_toml(path)))
    if overrides:
        layers.insert(0, ("the command line", dict(overrides)))
    home = next((str(values["home"]) for _, values in layers if "home" in values), AdologySettings().home)
    stack = cwd / home / "stack.toml"
    if stack.exists():
        layers.append((str(stack), _read_toml(stack)))
    merged: dict[str, Any] = {}
    for origin, values in reversed(layers):
        _check_keys(values, AdologySettings, origin, "")
        _merge(merged, values)
    merged["home"] = str(cwd / home)
    return convert(merged, AdologySettings, where=", ".join(o for o, v in layers if v) or "the defaults")


def convert(values: Mapping[str, Any], cls: type[T], *, where: str, prefix: str = "") -> T:
    """`values` as `cls`.

    Args:
        values: nested plain values; strings are converted (they may come from the environment).
        cls: the settings struct.
        where: the places that were read, for the error message.
        prefix: dotted key of `cls` itself, ending in a dot unless empty.

    Raises:
        ConfigError: with the dotted key, what was seen and what is allowed.
    """
    _check_keys(values, cls, where, prefix)
    try:
        return msgspec.convert(_split_lists(values, cls), cls, strict=False)
    except msgspec.ValidationError as error:
        raise _explain(error, values, cls, where, prefix) from None


def _read_environment(env: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {}
    for name, value in sorted(env.items()):
        if not name.startswith(ENV_PREFIX) or name in ENV_OTHERS:
            continue
        dotted = ENV_SHORT.get(name) or name.removeprefix(ENV_PREFIX).lower().replace("__", ".")
        node = values
        *parents, last = dotted.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise ConfigError(dotted, f"{name} goes on where another variable has given a value.", code="ADO-1005")
        node[last] = value
    return "the environment (ADOLOGY_…)", values


def _find_config(config: Path | None, env: Mapping[str, str], cwd: Path) -> Path | None:
    named = config or (Path(env["ADOLOGY_CONFIG"]) if env.get("ADOLOGY_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            origin = "--config" if config is not None else "ADOLOGY_CONFIG"
            raise ConfigError(origin, f"settings file {named} does not exist.", code="ADO-1002")
        return named
    default = cwd / "adology.toml"
    return default if default.is_file() else None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read as TOML: {error}", code="ADO-1002") from error


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _check_keys(values: Mapping[str, Any], cls: type, where: str, prefix: str) -> None:
    """Refuse unknown keys before conversion, so that the message can name the nearest known one."""
    hints = type_hints(cls)
    for key, value in values.items():
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1, cutoff=0.6)
            hint = f"Did you mean {prefix}{near[0]}?" if near else f"Known keys: {', '.join(sorted(hints))}."
            raise ConfigError(f"{prefix}{key}", f"unknown key, found in {where}.", hint, code="ADO-1004")
        if is_section(hints[key]):
            if not isinstance(value, Mapping):
                raise _no_section(f"{prefix}{key}", value, where)
            _check_keys(value, hints[key], where, f"{prefix}{key}.")
        elif cls is AdologySettings and key in FREE_SECTIONS:
            _check_free(value, key, where)


def _check_free(value: Any, key: str, where: str) -> None:
    """A free section holds sections of plugins, which are checked when these are known."""
    if not isinstance(value, Mapping):
        raise _no_section(key, value, where)
    for name, own in value.items():
        if not isinstance(own, Mapping):
            raise _no_section(f"{key}.{name}", own, where)


def _no_section(key: str, value: Any, where: str) -> ConfigError:
    """The value itself is not shown: most likely it is an address or a key of something in the section."""
    problem = f"is a section, but {where} gives it a value of type {type(value).__name__}."
    return ConfigError(key, problem, f"Give its keys instead, such as {_environment_name(key)}__KEY.", code="ADO-1005")


def _environment_name(key: str) -> str:
    return ENV_PREFIX + key.upper().replace(".", "__")


def _split_lists(values: Mapping[str, Any], cls: type) -> dict[str, Any]:
    """Lists may be written as ``a,b`` or as JSON where only text can be given."""
    hints = type_hints(cls)
    done: dict[str, Any] = {}
    for key, value in values.items():
        hint = hints.get(key)
        if is_section(hint) and isinstance(value, Mapping):
            done[key] = _split_lists(value, hint)  # type: ignore[arg-type]  # is_section() proved it a class
        elif isinstance(value, str) and _is_sequence(hint):
            done[key] = _parse_list(value)
        else:
            done[key] = value
    return done


def _is_sequence(hint: Any) -> bool:
    if get_origin(hint) in (tuple, list):
        return True
    return hasattr(hint, "__metadata__") and _is_sequence(get_args(hint)[0])


def _parse_list(text: str) -> list[Any]:
    if text.lstrip().startswith("["):
        try:
            return list(json.loads(text))
        except json.JSONDecodeError:
            pass
    return [part.strip() for part in text.split(",") if part.strip()]


def _explain(
    error: msgspec.ValidationError, values: Mapping[str, Any], cls: Any, where: str, prefix: str
) -> ConfigError:
    """The message of msgspec, with the dotted key, the value seen (unless secret) and the places."""
    problem, _, path = str(error).partition(" - at `$")
    dotted = re.sub(r"\[[^\]]*\]", "", path).strip("`.")
    if missing := _MISSING.search(problem):
        key = f"{prefix}{dotted}.".lstrip(".") if dotted else prefix
        return _explain_missing(f"{key}{missing[1]}", where)
    seen: Any = values
    secret = False
    hint: Any = None
    for part in filter(None, dotted.split(".")):
        secret = secret or (isinstance(cls, type) and part in secret_fields(cls))
        seen = seen.get(part) if isinstance(seen, Mapping) else seen
        hint = type_hints(cls).get(part) if is_section(cls) else None
        cls = hint if is_section(hint) else cls
    allowed = _choices(hint)
    text = f"expected one of {', '.join(allowed)}" if allowed else f"{problem[0].lower()}{problem[1:]}"
    if dotted and not secret:
        text = f"{text.partition(', got ')[0]}, got {seen!r}"
    return ConfigError(f"{prefix}{dotted}".rstrip(".") or "settings", f"{text} (looked in {where})", code="ADO-1005")


def _explain_missing(key: str, where: str) -> ConfigError:
    section, _, _ = key.rpartition(".")
    hint = f"Set it in [{section}], or as {_environment_name(key)}." if section else None
    return ConfigError(key, f"is required, but is not set (looked in {where}).", hint, code="ADO-1003")


def _choices(hint: Any) -> tuple[str, ...]:
    """What a setting with a fixed choice may be."""
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return tuple(str(each) for each in get_args(hint)) if get_origin(hint) is Literal else ()
