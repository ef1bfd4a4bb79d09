"""Commands that pages show exist: of the command line, of make, of the examples."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from adology.cli.app import app
from tests.conftest import ROOT
from tests.unit.docs.pages import PAGES, blocks

SHOWN = "cli.md"
"""Generated from the commands themselves."""


def shell_lines(text: str) -> Iterator[str]:
    for language in ("sh", "console", ""):
        for block in blocks(text, language):
            for line in block.replace("\\\n", " ").splitlines():
                yield line.removeprefix("$ ").partition(" #")[0].strip()


def inline(text: str) -> Iterator[str]:
    yield from re.findall(r"`(adology [^`]+)`", text)


def adology_commands(text: str) -> list[str]:
    found = []
    for line in [*shell_lines(text), *inline(text)]:
        for part in re.split(r"[;·|]", line):
            command = part.strip()
            if command.startswith("adology "):
                found.append(command)
    return found


def find(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words name, and the words after it."""
    command: click.Command = typer.main.get_command(app)
    rest = words
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        following = command.commands.get(rest[0])
        assert following is not None, f"adology has no command {' '.join(words)!r}"
        command, rest = following, rest[1:]
    return command, rest


def check(text: str) -> None:
    words = shlex.split(text.replace("…", "ETC").replace("source|analyzer|sink", "source"))[1:]
    if not words or words[0] == "ETC":
        return
    command, rest = find([word for word in words if word != "ETC"])
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    for word in rest:
        if word.startswith("--"):
            assert word.partition("=")[0] in options, f"{text!r}: no option {word}"


@pytest.mark.parametrize("page", [p for p in PAGES if p.name != SHOWN], ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_and_options_that_a_page_shows_exist(page: Path) -> None:
    for command in adology_commands(page.read_text("utf-8")):
        if command.startswith("adology COMMAND"):
            continue
        check(command)


def test_a_command_that_does_not_exist_is_noticed() -> None:
    with pytest.raises(AssertionError, match="no command 'brand remove nike'"):
        check("adology brand remove nike")
    with pytest.raises(AssertionError, match="no option --forever"):
        check("adology up --forever")


def test_the_readme_shows_what_there_is() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    shown = "\n".join(shell_lines(text))
    assert {"make demo", "make test"} <= set(shown.splitlines())
    assert "adology ingest ./my-creatives --brand nike" in shown
    assert len(text.splitlines()) < 80, "one screen"
    table = next(block for block in blocks(text, "") if "creatives" in block)
    for word in ("state", "ads", "assets", "duplicates", "analyses", "reused", "failures", "bytes", "seconds"):
        assert word in table
    total = re.search(r"^ all +(\d+) +(\d+) ", table, re.MULTILINE)
    assert total
    assert int(total[2]) > 0, "the capture is of a run in which nothing was archived"


def test_the_readmes_one_liners_name_commands() -> None:
    """``adology up · status · down``: each of them is one."""
    for line in shell_lines((ROOT / "README.md").read_text("utf-8")):
        first, *others = [part.strip() for part in line.split("·")]
        if not others or not first.startswith("adology "):
            continue
        words = shlex.split(first)[1:]
        for other in others:
            found = shlex.split(other)
            sibling = [*words[:-1], *found] if len(found) == 1 or found[0] != words[0] else found
            find([word for word in sibling if not word.isupper()])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_make_targets_that_a_page_shows_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = page.read_text("utf-8")
    named = {
        *re.findall(r"`make ([a-z-]+)", text),
        *(line.split()[1] for line in shell_lines(text) if line.startswith("make ")),
    }
    assert named <= targets


def test_modules_that_the_examples_run_exist() -> None:
    for module in re.findall(r"python -m ([\w.]+)", (ROOT / "examples/README.md").read_text("utf-8")):
        assert (ROOT / "examples" / module.replace(".", "/") / "__main__.py").is_file()
