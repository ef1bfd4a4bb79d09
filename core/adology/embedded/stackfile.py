"""``stack.toml``: the addresses of a stack in the shape of the settings file, mode 0600."""

from __future__ import annotations

import json
from collections.abc import Mapping

from adology.embedded.home import Home, write_private

_HEADER = "# Written by `adology up`; read by every command that uses the same home. Do not edit.\n"


def write_stack_file(home: Home, settings: Mapping[str, str]) -> None:
    """Replace ``stack.toml`` by these dotted settings."""
    write_private(home.stack_file, render(settings).encode())


def render(settings: Mapping[str, str]) -> str:
    """Dotted settings as TOML, one table per section, sections and keys sorted."""
    sections: dict[str, dict[str, str]] = {}
    for dotted, value in settings.items():
        section, _, key = dotted.rpartition(".")
        sections.setdefault(section, {})[key] = value
    parts = [_HEADER]
    for section, values in sorted(sections.items()):
        lines = [f"{key} = {_quote(value)}" for key, value in sorted(values.items())]
        parts.append("\n".join([f"[{section}]" if section else "", *lines]).lstrip("\n") + "\n")
    return "\n".join(parts)


def _quote(text: str) -> str:
    """A TOML string: as in JSON, but characters outside the basic plane stay as they are and DEL does not."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
