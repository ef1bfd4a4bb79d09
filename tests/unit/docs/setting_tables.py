"""The tables of plugin settings in docs, made from the structs: ``python -m tests.unit.docs.setting_tables``."""

from __future__ import annotations

import sys

import msgspec

from adology.plugins import load_plugins
from adology.settings import docs
from adology.settings.base import Settings, secret_fields, type_hints
from adology.settings.model import is_section


def render(cls: type[Settings]) -> str:
    """The table of one settings struct; its sections follow as rows with dotted names."""
    lines = ["| setting | type | default | meaning |", "|---|---|---|---|", *_rows(cls, "")]
    return "\n".join(lines) + "\n"


def _rows(cls: type[Settings], prefix: str) -> list[str]:
    fields = {field.name: field for field in msgspec.structs.fields(cls)}
    found: list[str] = []
    for name, hint in type_hints(cls).items():
        inner = getattr(hint, "__origin__", hint)
        if is_section(inner):
            found += _rows(inner, f"{prefix}{name}.")
            continue
        secret = " Secret." if name in secret_fields(cls) else ""
        about = " ".join(docs._descriptions(hint)) + secret
        default = "none" if fields[name].default is None else docs._default(fields[name])
        found.append(f"| `{prefix}{name}` | {docs._type(hint)} | {_short(default)} | {about.replace('|', '&#124;')} |")
    return found


def _short(default: str) -> str:
    items = default.strip("`").split(", ")
    return default if len(items) < 8 else f"{len(items)} values, see above"


def plugin_settings() -> dict[tuple[str, str], type[Settings]]:
    """Settings structs by kind and name of the installed plugins."""
    return {(p.kind, p.name): p.settings_type for p in load_plugins(strict=True).loaded}


if __name__ == "__main__":
    for (kind, name), cls in plugin_settings().items():
        if cls.__struct_fields__:
            sys.stdout.write(f"<!-- {kind} {name} -->\n{render(cls)}\n")
