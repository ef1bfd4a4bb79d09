"""What the demo says of its ads: counted right, and readable in a hundred columns."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from rich.console import Console

from adology.cli import output
from adology.store.flags import Flagged
from adology.store.likenesses import Member
from demo import tables
from demo.relations import Group, Near, Related
from demo.understanding import Understood, add_rows
from tests.unit.cli import results

WIDTH = 100
NAMED = {"taxonomy": "iab_product", "id": "1396", "name": "Home and Garden Services", "confidence": 0.8}


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    console = Console(file=io.StringIO(), width=WIDTH, highlight=False)
    monkeypatch.setattr(output, "stdout", lambda: console)
    return console.file  # type: ignore[return-value]  # the StringIO from above


def understood() -> Understood:
    told = Understood()
    counted: set[str] = set()
    labels = {**results.LABELS, "labels": [*results.LABELS["labels"], NAMED]}
    rows = [
        ("k1", "a", "text", results.TEXT),
        ("k2", "a", "safety", results.SAFETY),
        ("k3", "a", "labels", labels),
        ("k4", "a", "scores", results.SCORES),
        ("k5", "b", "video", results.VIDEO),
    ]
    add_rows(told, "norvik", rows, counted)
    add_rows(told, "solea", [*rows[:4], ("k6", "c", "labels_copy", {"unknown": ["hook"]})], counted)
    return told


def lines_of(printed: io.StringIO) -> list[str]:
    lines = [line.rstrip() for line in printed.getvalue().splitlines()]
    assert max(map(len, lines)) <= WIDTH
    return [" ".join(line.split()) for line in lines]


def test_results_are_counted_by_brand_taxonomy_and_pack(printed: io.StringIO) -> None:
    tables.show_understood(understood())
    lines = lines_of(printed)
    assert "norvik 1 1 2 1 (1 suspect) 0.45 only $49.99" in lines
    assert "solea 1 1 2 1 (1 suspect) 0.45 only $49.99" in lines
    assert "norvik 1 75.0 s 2.0 4.2 s -17.2 LUFS 0 1 of 1" in lines


def test_what_two_brands_share_is_labelled_and_judged_once(printed: io.StringIO) -> None:
    tables.show_understood(understood())
    lines = lines_of(printed)
    assert "sells (IAB) 1 0 Home and Garden Services 1 (0.80)" in lines
    assert "offer 1 0 free_shipping 1 (0.85) percent_off 1 (0.90)" in lines
    assert "hook 1 1 urgency 1 (0.79)" in lines
    assert "call to action 0 1" in lines
    assert "meta-feed@2026-03-01 1 of 1 33% 25% text-density 1, cta 1" in lines
    assert "other@2026-11-24 0 of 1 - 100%" in lines


def test_without_models_nothing_is_said(printed: io.StringIO) -> None:
    tables.show_understood(Understood())
    assert printed.getvalue() == ""


def test_what_was_compared_is_shown_and_long_lists_are_cut(printed: io.StringIO) -> None:
    members = [
        Member(group="g", sha256=str(n), kind="image", s3_path="", thumbnail="", ad=f"CR{n:020}", source="s",
               brand=("norvik", "solea")[n % 2], ads=1) for n in range(5)
    ]  # fmt: skip
    group = Group(members=members, kinds=Counter({"crop": 3, "same": 1}), confidence=0.9)
    wrong = {"raw": "49,99 €", "copy_amount": "59.99", "currency": "EUR", "confidence": 0.98, "why": "other_amount"}
    flagged = [Flagged(ad=f"ad-{n}", source="s", brand="norvik", details=[wrong]) for n in range(7)]
    near = [Near(how="looks", similarity=0.97, ad="ad-1", brand="solea", says="word " * 60)] * 2
    told = Related(groups=[group] * 6, mismatches=flagged, example="ad-0", example_brand="norvik", near=near)
    tables.show_related(told)
    lines = lines_of(printed)
    assert tables.describe_related(told) == "6 groups of near-duplicates, 7 prices that contradict"
    assert sum(line.startswith("5 crop 3, same 0.90 norvik, solea CR000") for line in lines) == 5
    assert "… 1 more group" in lines
    assert "norvik ad-0 49,99 € 59.99 EUR 0.98 another price" in lines
    assert "… 2 more mismatches" in lines
    assert sum(line.startswith("looks 0.970 solea ad-1 word") for line in lines) == 1


def test_that_nothing_was_found_is_said(printed: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_related(Related(late=["duplicates"]))
    assert lines_of(printed) == ["Near-duplicates none", "", "Price mismatches none", ""]
    assert "Not yet caught up with the commits, so there may be more: duplicates." in capsys.readouterr().err
