"""Links between pages resolve, and every page can be reached."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.unit.docs.pages import DOCS, PAGES, anchors, blocks, links


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    broken = []
    for link in links(text):
        if "://" in link or link.startswith("mailto:"):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        if not file.is_file() or (anchor and anchor not in anchors(file.read_text("utf-8"))):
            broken.append(link)
    assert not broken


def test_every_page_is_linked_from_another() -> None:
    reached = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in links(page.read_text("utf-8"))
        if "://" not in link
    }
    assert [name(page) for page in DOCS.rglob("*.md") if page.resolve() not in reached] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_blocks_are_closed_and_tables_are_even(page: Path) -> None:
    text = page.read_text("utf-8")
    assert sum(line.startswith("```") for line in text.splitlines()) % 2 == 0
    width = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = line.replace("\\|", "").count("|")
        width = width or cells
        assert cells == width, line


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_holds_a_machines_paths(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not [line for line in text.splitlines() if re.search(r"/(home|root|tmp|work)/", line)]


def test_blocks_are_found_by_language() -> None:
    text = "a\n```python\nx = 1\n```\n```toml\ny = 2\n```\n"
    assert (blocks(text, "python"), blocks(text, "toml")) == (["x = 1\n"], ["y = 2\n"])
