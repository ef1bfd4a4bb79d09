"""docs/promises.md: every module and every test that is named as a proof exists."""

from __future__ import annotations

import ast
import importlib.util
import re
from functools import cache

import pytest

from tests.conftest import ROOT
from tests.unit.docs.pages import headings, read, rows, section

PROMISES = ("1. Nothing is lost", "2. One commit", "3. Never pay twice", "4. Bounded", "5. Told")
PROOF = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
MODULE = re.compile(r"`(adology[\w.]+)`")


def proofs() -> list[tuple[str, str]]:
    return sorted(set(PROOF.findall(read("promises.md"))))


@cache
def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_says_what_is_promised_what_is_not_and_by_what_it_is_kept(promise: str) -> None:
    assert promise in headings(read("promises.md"))
    text = section(read("promises.md"), promise)
    assert "**Promised.**" in text
    assert "**Not promised.**" in text
    mechanisms = rows(text)
    assert len(mechanisms) >= 4
    for row in mechanisms:
        assert MODULE.search(row[1]), row
        assert PROOF.search(row[2]), row


@pytest.mark.parametrize(("path", "name"), proofs())
def test_a_named_test_exists(path: str, name: str) -> None:
    assert name in functions(path)


def test_every_named_module_exists() -> None:
    names = set(MODULE.findall(" ".join(row[1] for row in rows(read("promises.md")))))
    assert len(names) > 15
    missing = [name for name in sorted(names) if importlib.util.find_spec(name) is None]
    assert not missing
