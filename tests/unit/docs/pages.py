"""What several tests of the documentation need: its pages, their tables and their code blocks."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "examples" / "README.md", *DOCS.rglob("*.md")])
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")


def read(name: str) -> str:
    """A page below docs."""
    return (DOCS / name).read_text("utf-8")


def without_blocks(text: str) -> str:
    return _FENCE.sub("", text)


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return [body for kind, body in _FENCE.findall(text) if kind == language]


def headings(text: str) -> list[str]:
    return [found.strip() for _, found in _HEADING.findall(without_blocks(text))]


def anchors(text: str) -> set[str]:
    """Anchors as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(text)}


def links(text: str) -> list[str]:
    return _LINK.findall(without_blocks(text))


def rows(text: str) -> list[list[str]]:
    """Every body row of every table, cells stripped; a bar within backticks is no divider."""
    found: list[list[str]] = []
    lines = without_blocks(text).splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("|") or set(line) <= set("|-: "):
            continue
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if following.startswith("|") and set(following) <= set("|-: "):
            continue  # the head
        found.append(cells(line))
    return found


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of the same or a higher level."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found, f"no heading {heading!r}"
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def module_name(path: Path) -> str:
    """The import name of a source file of ours."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    start = next(i for i, part in enumerate(parts) if part.startswith("adology"))
    names = parts[start:]
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def source_files() -> list[Path]:
    return [path for top in ("core", "plugins", "registry", "server") for path in sorted((ROOT / top).rglob("*.py"))]
