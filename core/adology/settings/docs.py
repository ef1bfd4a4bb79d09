"""``python -m adology.settings.docs``: `docs/configuration.md` from the settings structs."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from adology.settings.base import secret_fields, type_hints
from adology.settings.load import ENV_PREFIX, ENV_SHORT
from adology.settings.model import AdologySettings, is_section

_HEAD = """\
# Configuration

<!-- Written by `python -m adology.settings.docs`. Change core/adology/settings/model.py instead. -->

Settings come from four places; the first that has a key wins:

1. options of the command line (`--home`, `--host`, `--port`);
2. environment variables, `ADOLOGY_<SECTION>__<KEY>`: `ADOLOGY_WORKER__CONCURRENCY=4`;
3. the TOML file that `--config` or `ADOLOGY_CONFIG` names, else `adology.toml` in the working folder;
4. `stack.toml` in the home folder, where `adology up` writes the addresses of the embedded servers.

Unknown keys, wrong types and values out of range are refused at start, with the key, the place it
stands in, what was seen and the nearest known key. Lists are written as `a,b` or as JSON in
environment variables.

**Secrets** are references: `env:NAME`, `file:PATH` or `aws-sm:NAME` (AWS Secrets Manager), looked
up when they are used. They are never shown and are masked in logs. A plain value works too.

```toml
[worker]
concurrency = 16

[postgres]
url = "env:DATABASE_URL"

[sources.facebook]
token = "aws-sm:adology/facebook"
```
"""

_PLUGINS = """\
## `sources`, `analyzers`, `sinks`

Each plugin has a section with its own settings, checked against its own struct:
`[analyzers.NAME]`, `[sinks.NAME]`, `[sources.INSTANCE]`. A key of `sources` names an *instance*;
`plugin` says which plugin it is, by default the one of the same name. Two customer databases are
two instances of one plugin:

```toml
[sources.shop_one]
plugin = "customer_db"
[sources.shop_two]
plugin = "customer_db"
```

`adology plugins list` shows what is installed.
"""


def render() -> str:
    """The page as Markdown."""
    top: dict[str, Any] = {}
    sections: dict[str, type[msgspec.Struct]] = {}
    for name, hint in type_hints(AdologySettings).items():
        if is_section(hint):
            sections[name] = hint
        elif get_origin(hint) is not dict:
            top[name] = hint
    parts = [_HEAD, "## Top level\n", _table(AdologySettings, "", top)]
    for name, section in sections.items():
        about = (inspect.getdoc(section) or "").strip()
        parts += [f"## `{name}`\n", f"{about}\n", _table(section, f"{name}.", type_hints(section))]
    parts.append(_PLUGINS)
    return "\n".join(parts)


def _table(cls: type[msgspec.Struct], prefix: str, hints: dict[str, Any]) -> str:
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    lines += _rows(cls, prefix, hints)
    return "\n".join(lines) + "\n"


def _rows(cls: type[msgspec.Struct], prefix: str, hints: dict[str, Any]) -> Iterator[str]:
    """A row for each field; those of a section within the section follow with dotted names."""
    defaults = {field.name: field for field in msgspec.structs.fields(cls)}
    for name, hint in hints.items():
        if is_section(hint):
            yield from _rows(hint, f"{prefix}{name}.", type_hints(hint))
            continue
        shown = f"`{prefix}{name}`<br>`{_variable(f'{prefix}{name}')}`"
        secret = " Secret." if name in secret_fields(cls) else ""
        about = " ".join(_descriptions(hint)) + secret
        yield f"| {shown} | {_type(hint)} | {_default(defaults[name])} | {about} |"


def _variable(dotted: str) -> str:
    short = {key: name for name, key in ENV_SHORT.items()}
    return short.get(dotted) or ENV_PREFIX + dotted.upper().replace(".", "__")


def _descriptions(hint: Any) -> Iterator[str]:
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, Meta) and mark.description:
            yield mark.description


def _type(hint: Any) -> str:
    """The type in words, with its limits."""
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        limits = [limit for mark in marks if isinstance(mark, Meta) for limit in _limits(mark)]
        return ", ".join([_type(inner), *limits])
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if is_section(hint):
        return "table"
    if origin in (Union, UnionType):
        return " or ".join(_type(each) for each in arguments if each is not NoneType)
    return {str: "text", int: "integer", float: "number", bool: "true or false"}[hint]


def _limits(mark: Meta) -> Iterator[str]:
    for name, words in (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below")):
        if (value := getattr(mark, name)) is not None:
            yield f"{words} {value:,}"
    if mark.min_length is not None:
        yield f"at least {mark.min_length} long"
    if mark.max_length is not None:
        yield f"at most {mark.max_length} long"


def _default(field: Any) -> str:
    value = field.default
    if value is msgspec.NODEFAULT:
        return "required"
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int):
        return f"`{value:_}`" if value > 9999 else f"`{value}`"  # noqa: PLR2004 - groups help from five digits on
    if isinstance(value, tuple):
        return "`" + ", ".join(map(str, value)) + "`" if value else "empty"
    return f"`{value}`" if value != "" else "empty"


if __name__ == "__main__":
    sys.stdout.write(render())
