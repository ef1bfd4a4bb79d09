"""docs/errors.md against the source: every code, its classes, its places, whether trying again helps."""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict
from functools import cache
from typing import Any

import pytest

from adology import errors
from tests.unit.docs.pages import module_name, read, rows, source_files

CODE = re.compile(r"ADO-\d{4}")
NOT_RAISED = {"Dead"}
"""Verdicts about a message; they carry a code as errors do."""
TURNED = {"ADO-5403": "BatchBlockedError"}
"""Raised as one class by a store, and by the engine as another that says what to do."""


class Uses:
    """Where and by which classes each code is used."""

    def __init__(self) -> None:
        self.modules: defaultdict[str, set[str]] = defaultdict(set)
        self.classes: defaultdict[str, set[str]] = defaultdict(set)
        self.class_codes: dict[str, str] = {}

    def read(self, module: str, text: str) -> None:
        tree = ast.parse(text)
        names = _constants(tree)
        for code in CODE.findall(text):
            self.modules[code].add(module)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                self._class(module, node)
            elif isinstance(node, ast.Call):
                self._call(node, names)

    def _class(self, module: str, node: ast.ClassDef) -> None:
        for statement in node.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
            value = getattr(statement, "value", None)
            if not (isinstance(target, ast.Name) and target.id == "code" and isinstance(value, ast.Constant)):
                continue
            if CODE.fullmatch(str(value.value)):
                self.classes[value.value].add(node.name)  # type: ignore[index]  # the pattern proved it text
                self.class_codes[f"{module}.{node.name}"] = str(value.value)

    def _call(self, node: ast.Call, names: dict[str, str]) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        for keyword in node.keywords:
            if keyword.arg != "code":
                continue
            value = keyword.value
            code = value.value if isinstance(value, ast.Constant) else names.get(getattr(value, "id", ""), "")
            if isinstance(code, str) and CODE.fullmatch(code) and _is_error(name):
                self.classes[code].add(name)


def _is_error(name: str) -> bool:
    return name in {"Retry", "RetryLater", "Deferred", "Terminal", "Skip", "Refusal", *NOT_RAISED} or name.endswith(
        "Error"
    )


def _constants(tree: ast.Module) -> dict[str, str]:
    """Module constants that hold a code, also those assigned together."""
    found: dict[str, str] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        pairs = (
            zip(target.elts, value.elts, strict=True)
            if isinstance(value, ast.Tuple) and isinstance(target, ast.Tuple)
            else [(target, value)]
        )
        for name, one in pairs:
            if isinstance(name, ast.Name) and isinstance(one, ast.Constant) and isinstance(one.value, str):
                found[name.id] = one.value
    return found


@cache
def uses() -> Uses:
    found = Uses()
    for path in source_files():
        if "testing" in path.parts:
            continue  # made-up vendors and batches of the conformance kit
        found.read(module_name(path), path.read_text("utf-8"))
    return found


@cache
def table() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows(read("errors.md")):
        if CODE.fullmatch(row[0]):
            assert row[0] not in found, f"{row[0]} stands twice"
            found[row[0]] = row
    return found


def _names(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_the_source_is_read_at_all() -> None:
    assert len(uses().modules) > 80
    assert uses().classes["ADO-5804"] == {"UnavailableError"}, "codes behind constants are found as well"


def test_every_code_of_the_source_is_on_the_page_and_the_other_way_round() -> None:
    assert set(table()) == set(uses().modules)


@pytest.mark.parametrize("code", sorted(table()))
def test_a_code_is_used_where_the_page_says_and_nowhere_else(code: str) -> None:
    """One code, one meaning: whoever uses a code in another place must look at what it means."""
    assert _names(table()[code][5]) == uses().modules[code]


@pytest.mark.parametrize("code", sorted(table()))
def test_a_code_is_raised_by_the_class_that_the_page_names(code: str) -> None:
    found = uses().classes[code] & _named_classes() or uses().classes[code]
    named = _names(table()[code][1])
    if table()[code][1] == "record":
        assert not found, f"{code} is raised by {found}"
    else:
        assert found == named


def _named_classes() -> set[str]:
    return {name for row in table().values() for name in _names(row[1])}


@pytest.mark.parametrize("code", sorted(table()))
def test_the_page_says_whether_trying_again_helps(code: str) -> None:
    names = _names(table()[code][1])
    if code in TURNED:
        names = {TURNED[code]}
    retryable = {_class_of(name, code).retryable for name in names - NOT_RAISED} or {False}
    assert {"yes": {True}, "no": {False}}[table()[code][2]] == retryable


def _class_of(name: str, code: str) -> Any:
    if hasattr(errors, name) and uses().class_codes.get(f"adology.errors.{name}", code) in {code, _default(name)}:
        return getattr(errors, name)
    place = next(p for p in uses().class_codes if p.endswith(f".{name}"))
    module, _, cls = place.rpartition(".")
    return getattr(importlib.import_module(module), cls)


def _default(name: str) -> str:
    return str(getattr(errors, name).code)


def test_no_two_classes_share_a_code() -> None:
    codes = list(uses().class_codes.values())
    assert len(codes) == len(set(codes))


def test_every_row_is_whole_and_ends_in_a_sentence() -> None:
    for row in table().values():
        assert len(row) == 6, row
        assert all(row), row
        assert row[3].endswith("."), row
        assert row[4].endswith("."), row
