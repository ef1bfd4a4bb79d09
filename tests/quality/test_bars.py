"""Bars are held, shown beside what was measured, and decide how `python -m tests.quality` ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.quality import __main__ as program
from tests.quality import bars
from tests.quality.bars import Bar, Row

SIZE = Bar("size", ">=", 0.9)
BEATS = Bar("ours", ">", "theirs")
HELD_OUT = Bar("F1", ">=", 0.95, "held out")


def row(measure: str, value: object, note: str = "") -> Row:
    return (measure, value, "share", 10, note)


@pytest.mark.parametrize(
    ("how", "value", "passes"),
    [(">=", 0.9, True), (">=", 0.89, False), (">", 0.9, False), ("<=", 0.9, True), ("<=", 0.91, False),
     ("=", 0.9, True), ("=", 0, False)],
)  # fmt: skip
def test_a_bar_is_held_against_its_row(how: bars.How, value: float, passes: bool) -> None:
    (verdict,) = bars.hold([row("other", 1), row("size", value)], [Bar("size", how, 0.9)])
    assert verdict.passed is passes
    assert verdict.place == 1


@pytest.mark.parametrize(("theirs", "passes"), [(0.8, True), (0.9, False)])
def test_a_bar_may_be_another_measure(theirs: float, passes: bool) -> None:
    (verdict,) = bars.hold([row("ours", 0.9), row("theirs", theirs)], [BEATS])
    assert verdict.passed is passes


def test_rows_of_one_name_are_told_apart_by_their_note() -> None:
    (verdict,) = bars.hold([row("F1", 1.0, "fitted on"), row("F1", 0.9, "held out")], [HELD_OUT])
    assert bars.describe(verdict) == "F1 (held out) is 0.9, should be >= 0.95"


@pytest.mark.parametrize("rows", [[], [row("ours", 0.9)], [row("theirs", 0.8)]])
def test_what_was_not_measured_is_missed(rows: list[Row]) -> None:
    (verdict,) = bars.hold(rows, [BEATS])
    assert not verdict.passed


def test_what_cannot_be_measured_here_is_skipped_and_not_missed() -> None:
    (verdict,) = bars.hold([row("size", bars.SKIPPED, "no font")], [SIZE])
    assert verdict.passed
    assert verdict.shown == "skipped"


def test_no_two_bars_of_a_part_are_the_same() -> None:
    for part, some in bars.BARS.items():
        assert set(bars.BARS) == set(program.PARTS)
        assert len(set(some)) == len(some), part


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[float], int]:
    """Runs the command with one part whose only measure is the given value."""
    (tmp_path / "manifest.tsv").touch()
    monkeypatch.setenv("ADOLOGY_TEST_DATA", str(tmp_path))
    monkeypatch.setitem(bars.BARS, "safety", (SIZE,))

    def run(value: float) -> int:
        monkeypatch.setitem(program.PARTS, "safety", lambda _: [row("size", value)])
        return program.main(["safety"])

    return run


def test_the_command_ends_well_when_every_bar_is_reached(
    measured: Callable[[float], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert measured(0.93) == 0
    shown = capsys.readouterr().out
    assert ">= 0.9 pass" in shown
    assert "every bar is reached" in shown


def test_the_command_fails_and_names_what_falls_short(
    measured: Callable[[float], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert measured(0.83) == 1
    shown = capsys.readouterr().out
    assert ">= 0.9 MISSED" in shown
    assert "missed size is 0.83, should be >= 0.9" in shown


def test_without_data_the_command_says_where_it_looked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADOLOGY_TEST_DATA", str(tmp_path / "nowhere"))
    assert program.main([]) == 2
    assert "nowhere" in capsys.readouterr().err
