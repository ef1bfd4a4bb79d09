"""docs/plugins: each hook has its page, each check its entry, and everything that is shown runs."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from adology.cli.kits import find_kits
from adology.plugins import specs
from adology.testing import (
    AnalyzerConformance,
    Conformance,
    SinkConformance,
    SourceConformance,
    list_checks,
    run_checks,
)
from tests.unit.docs.pages import blocks, headings, read, rows

HOOKS = ("adology_sources", "adology_analyzers", "adology_sinks")
KITS = (Conformance, SourceConformance, AnalyzerConformance, SinkConformance)
PARTS = ("**When.**", "**Return**", "## The class", "## Errors", "## Example", "## What it does not do", "## In use")


def signature(hook: str) -> str:
    return f"{hook}() -> {inspect.signature(getattr(specs, hook)).return_annotation}"


def test_every_hook_has_a_page() -> None:
    hooks = [name for name, member in vars(specs).items() if hasattr(member, "adology_spec")]
    assert sorted(hooks) == sorted(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hooks_page_begins_with_its_exact_signature_and_says_everything(hook: str) -> None:
    text = read(f"plugins/{hook}.md")
    assert headings(text)[1] == f"`{signature(hook)}`"
    missing = [part for part in PARTS if part not in text]
    assert not missing


@pytest.mark.parametrize("hook", HOOKS)
def test_the_class_table_names_every_public_member(hook: str) -> None:
    base = {"adology_sources": "Source", "adology_analyzers": "Analyzer", "adology_sinks": "Sink"}[hook]
    cls = getattr(specs, base)
    members = {*cls.__annotations__, *(name for name, one in vars(cls).items() if inspect.isfunction(one))}
    named = set(re.findall(r"`(\w+)", " ".join(row[0] for row in rows(read(f"plugins/{hook}.md")))))
    assert {name for name in members if not name.startswith("_")} <= named


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_a_hook_passes_the_kit(hook: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for block in blocks(read(f"plugins/{hook}.md"), "python"):
        name = block.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(block)
        names.append(name)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    try:
        (kit,) = find_kits(tmp_path)
        results = list(run_checks(kit))
    finally:
        for name in names:
            sys.modules.pop(name.removesuffix(".py"), None)
    assert [(one.check, one.problem) for one in results if one.outcome == "failed"] == []
    assert sum(one.outcome == "passed" for one in results) >= 8


def test_every_check_of_the_kit_has_an_entry_with_its_fix() -> None:
    entries = {row[0].strip("`"): row for row in rows(read("plugins/checks.md"))}
    checks = {name.removeprefix("test_"): getattr(kit, name) for kit in KITS for name in list_checks(kit)}
    assert set(entries) == set(checks)
    for name, method in checks.items():
        what, why, fix = entries[name][1:]
        assert what == (inspect.getdoc(method) or "").splitlines()[0]
        assert why.endswith(".")
        assert fix == method.fix


class Tutorial:
    """Does what the page says in a folder, and looks whether the output is what it shows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._site = folder / "site"
        paths = [str(self._site), *filter(None, [os.environ.get("PYTHONPATH", "")])]
        self._env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "NO_COLOR": "1", "COLUMNS": "160"}

    def file(self, block: str) -> None:
        first, _, rest = block.partition("\n")
        path = self._folder / first.removeprefix("# ")
        path.write_text(rest)

    def session(self, block: str) -> None:
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = step.partition("\n")
            if command.startswith("echo "):
                subprocess.run(["sh", "-c", command], cwd=self._folder, check=True)
            else:
                self._look(command, shown, self._run(command.split()))

    def _run(self, words: list[str]) -> str:
        if words[0] == "python":
            # Beside the environment, not into it: tests leave nothing behind.
            words = [sys.executable, *words[1:-2], "--quiet", "--no-index", "--target", str(self._site), words[-1]]
        else:
            words = [sys.executable, "-m", "adology.cli", *words[1:]]
        done = subprocess.run(
            words, cwd=self._folder, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        return done.stdout.decode()

    def _look(self, command: str, shown: str, seen: str) -> None:
        lines = {" ".join(line.split()) for line in seen.splitlines()}
        for line in shown.splitlines():
            wanted = " ".join(line.split())
            assert wanted in {*lines, "…", ""}, f"$ {command}\ndoes not print {line!r} but:\n{seen}"


@pytest.mark.timeout(180)
def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    text = read("plugins/tutorial.md")
    tutorial = Tutorial(tmp_path)
    sessions = 0
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if language == "python":
            tutorial.file(block)
        elif language == "console":
            tutorial.session(block)
            sessions += 1
    assert sessions == 6
