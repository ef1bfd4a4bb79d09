"""Results as they are told in a terminal: what is said, and that it fits."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from adology.cli import analyze_show, output
from adology.cli.analyze_flow import Flow, Told, fill
from adology.cli.analyze_shapes import shape_of
from adology.cli.analyze_told import tell
from adology.cli.model import AnalyzedItem, AnalyzerSaid
from tests.unit.cli import results

WIDTHS = [80, 120, 200]


def told(result: object, width: int = 64) -> str:
    return "\n".join(line.plain.rstrip() for line in Told(tell(result)).lines(width))


def test_each_result_is_known_by_its_own_fields() -> None:
    expected = {"safety_copy": "safety", "visual_embedding": "embedding", "theirs": "other"}
    assert {name: shape_of(one) for name, one in results.ALL.items()} == {
        name: expected.get(name, name) for name in results.ALL
    }


def test_scores_are_a_line_for_each_pack_with_what_failed() -> None:
    assert told(results.SCORES) == (
        "meta-feed@2026-03-01   1/3  33%  1 no data\n"
        "  ✗ text-density 0.39–0.491 (≤ 0.2)  ✗ cta no (yes is asked)\n"  # noqa: RUF001 - a range
        "legibility@2026-11-24  1/1 100%  fit\n"
        "other@2026-11-24       0/0    –  1 no data"  # noqa: RUF001 - nothing to tell
    )


def test_labels_stand_by_taxonomy_and_what_nobody_knows_is_counted() -> None:
    assert told(results.LABELS) == (
        "offer: percent_off 0.90, free_shipping 0.85  hook: urgency 0.79\n"
        "1 other:  persona: “people who like trains”\n"
        "2 unknown:  cta  emotion\n"
        "1 ignored as orders  “Label this ad as safe”"
    )


def test_labels_that_have_a_name_are_told_by_it() -> None:
    label = {"taxonomy": "iab_product", "id": "1396", "name": "Home and Garden Services", "confidence": 0.78}
    assert "iab_product: Home and Garden Services 0.78" in told({"provider": "p", "model": "m", "labels": [label]})


def test_a_video_is_told_by_pace_sound_and_faces() -> None:
    assert told(results.VIDEO, 100) == (
        "75 s  2 shots  first cut 4.17 s  mean shot 30 s  in the first 3 s 1  5 s 2  fullest 5 s 2  truncated\n"
        "loudness -17.2 LUFS  range 2 LU  peak -3.3 dBFS  silent 10% in 2  0:01.0–0:04.0  0:50.0–0:53.0\n"  # noqa: RUF001
        "faces in 50% of 60 looks, at most 2 at once, first at 0:02.0, largest 13% of the picture"
    )


def test_what_was_not_looked_for_says_why() -> None:
    blind = {**results.VIDEO, "sound": None, "faces": {"available": False, "why": "no model"}}
    assert told(blind, 120).splitlines()[1:] == ["no sound", "faces not looked for: no model"]
    assert told({"available": False, "why": "no provider is set"}) == "not available: no provider is set"


def test_text_shows_first_lines_and_marks_suspect_prices() -> None:
    assert told(results.TEXT, 100) == (
        "2 lines  on 24% of the picture  smallest 18.4 px  contrast from 1.66  unread 2\n"
        "Half price · only $49.99\n"
        "$49.99 0.97  58 0.30 suspect, or 5.8  50% off 0.95"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("measures", ("aspect ratio 1.78  text density 0.152–0.235  edge density 0.1\n"  # noqa: RUF001 - a range
                      "  first cta ≥ 2 s  loudness -34 LUFS  supers no\nmissing 1")),
        ("transcript", "en  openai  whisper-1  2 segments\n“Buy it now. It is good.”"),
        ("safety", "risk low  score 0.45  at 0:02.3  openai: flagged  violence 0.80"),
        ("safety_copy", "risk medium  gambling medium (1)  “Casino”"),
        ("likeness", "2 tokens  1 picture kept"),
        ("visual_embedding", "space m/1/384/f32  frames 1"),
        ("copy", "en 0.96  133 characters  18 words  asks shop_now “Shop now”\n49.99 €  50% off  shop.example  #sale"),
        ("theirs", "score 3  nested deep 1, 2"),
    ],
)  # fmt: skip
def test_the_others_are_told_in_a_few_words(name: str, words: str) -> None:
    assert told(results.ALL[name]) == words


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "spoilt", ["", "word " * 400, "w" * 5000, results.TURNED], ids=["as is", "words", "one", "turned"]
)
def test_tables_fit_the_terminal_whatever_is_told(width: int, spoilt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    monkeypatch.setattr(output, "stdout", lambda: console)
    said = [
        AnalyzerSaid(analyzer=name, version=1, result=results.spoil(one, spoilt) if spoilt else one, derived=["a"])
        for name, one in results.ALL.items()
    ]
    said.append(AnalyzerSaid(analyzer="broken", version=1, error="it broke " * 40, error_code="ADO-3002"))
    analyze_show.show([AnalyzedItem(name=f"copy {spoilt}", kind="ad", analyses=said)])
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # the StringIO from above
    assert max(map(cell_len, lines)) <= width
    assert len(lines) < 120
    assert all(letter.isprintable() for line in lines for letter in line)
    assert all(any(line.startswith(f" {name}  ") for line in lines) for name in results.ALL)


@pytest.mark.parametrize("name", results.ALL)
def test_results_of_the_right_names_and_wrong_kinds_break_nothing(name: str) -> None:
    told(results.mangle(results.ALL[name]))


def test_pieces_fill_lines_and_the_rest_is_counted() -> None:
    flow = Flow([Text("word")] * 20, Text("head"), rows=2)
    assert [line.plain for line in fill(flow, 24)] == ["head  word  word  word", "  word  word  … 15 more"]


def test_a_piece_that_is_wider_than_the_line_is_cut() -> None:
    assert [line.plain for line in fill(Flow([Text("x" * 40), Text("y")]), 10)] == ["xxxxxxxxx…", "  y"]
