# ruff: noqa: RUF001 - copy in other scripts
from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from adology import Ad, AdItem, Context, Skip
from adology.testing import AnalyzerConformance
from adology_copy.model import Piece
from adology_safety import CopySafety, CopySafetyAnalyzer, CopySafetySettings, words
from adology_safety.copy_analyzer import judge
from adology_safety.fold import fold
from adology_safety.rules import find


def safety(text: str) -> CopySafety:
    return judge([Piece(where="body", index=0, text=text)])


def categories(text: str) -> dict[str, str]:
    return {risk.category: risk.level for risk in safety(text).risks}


def analyze(settings: dict[str, Any] | None = None, **ad: Any) -> CopySafety:
    context = Context("safety_copy", CopySafetySettings(**(settings or {})), section="analyzers")
    return asyncio.run(CopySafetyAnalyzer().analyze(context, AdItem(ad=Ad(id="1", **ad))))


@pytest.mark.anyio
class TestCopySafety(AnalyzerConformance):
    plugin = CopySafetyAnalyzer


@pytest.mark.parametrize(
    ("text", "category", "level"),
    [
        ("Spin the roulette wheel tonight", "gambling", "medium"),
        ("Die besten Sportwetten im Netz", "gambling", "medium"),
        ("Juega a las tragaperras", "gambling", "medium"),
        ("Les meilleures machines à sous", "gambling", "medium"),
        ("オンラインカジノで勝とう", "gambling", "medium"),
        ("Craft beers, brewed next door", "alcohol", "medium"),
        ("Une bonne bière fraîche", "alcohol", "medium"),
        ("Наша водка самая чистая", "alcohol", "medium"),
        ("今晚来一杯啤酒", "alcohol", "medium"),
        ("Disposable vapes, free shipping", "tobacco", "medium"),
        ("Neue E-Zigaretten im Angebot", "tobacco", "medium"),
        ("Try our eliquid flavours", "tobacco", "medium"),
        ("Licensed cannabis, delivered", "cannabis", "medium"),
        ("Buy magic mushrooms", "drugs", "high"),
        ("Ammunition in stock", "weapons", "medium"),
        ("Armas de fuego y munición", "weapons", "medium"),
        ("Defend abortion rights", "social_issue", "medium"),
        ("Register to vote today", "politics", "medium"),
        ("Hot singles in your area", "adult", "high"),
        ("Juguetes sexuales con descuento", "adult", "high"),
        ("Ausländer raus", "hate", "high"),
        ("This is bullshit", "obscenity", "high"),
    ],
)
def test_a_clear_phrase_names_its_subject(text: str, category: str, level: str) -> None:
    assert categories(text) == {category: level}


@pytest.mark.parametrize(
    "text",
    [
        "Zapatillas de deporte para deportistas",  # deport*
        "Emergency hazard lights for your car",  # hazard: gambling in Polish
        "Link ci-dessous",
        "Postuler : candidatez maintenant",
        "Waffeln und Kaffee",
        "Climbing carabiners and ropes",
        "Nationale Nederlanden, nazionale italiana",
        "White power bank, 20,000 mAh",
        "A massage gun for tired legs",
        "Hot glue guns for crafting",
        "Alcohol-free beer for athletes",
        "Cerveza sin alcohol",
        "Only three time slots left",
        "Cocktail dresses from $39",
        "Cetyl alcohol softens the skin",
        "T-shirts up to size XXXL",
        "Essex, Sussex and Middlesex",
        "Scunthorpe United tickets",
        "Shiitake mushrooms with rice",
        "Read our return policy",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert safety(text).level == "none", safety(text).hits


def test_one_ambiguous_word_is_a_hint_and_two_different_ones_tell() -> None:
    assert categories("A wine for every evening") == {"alcohol": "low"}
    assert categories("Wine, wine and wine") == {"alcohol": "low"}
    assert categories("Wine and cocktails") == {"alcohol": "medium"}


def test_a_harmless_use_does_not_excuse_another() -> None:
    assert categories("Massage guns and handguns") == {"weapons": "medium"}


@pytest.mark.parametrize("text", ["ＣＡＳＩＮＯ", "c\u00ada\u200bsino", "CÁSINO", "caſino", "\u202ecasino"])
def test_a_word_is_not_hidden_by_its_characters(text: str) -> None:
    (hit,) = safety(f"Play: {text}!").hits
    assert hit.phrase.strip("\u202e") == text.strip("\u202e")


def test_the_evidence_says_where_the_phrase_stands() -> None:
    result = analyze(bodies=("Nothing here", "Une BIÈRE, s'il vous plaît"), titles=("Play poker",), cta="BET_NOW")
    told = [(hit.where, hit.index, hit.start, hit.phrase, hit.category, hit.language) for hit in result.hits]
    assert told == [
        ("body", 1, 4, "BIÈRE", "alcohol", "fr"),
        ("title", 0, 5, "poker", "gambling", "mul"),
        ("cta", 0, 0, "BET_NOW", "gambling", "en"),
    ]


def test_every_hit_is_cut_out_of_the_text_as_written() -> None:
    text = "ﷺ Ｖｏｄｋａ\u0301 — und Glücksspiele, ﬁne wines…"
    for found in find(text):
        assert fold(text[found.start : found.end])[0]
    assert [text[f.start : f.end] for f in find(text)] == ["Ｖｏｄｋａ", "Glücksspiele", "ﬁne wines"]


def test_all_hits_count_but_only_the_first_are_kept() -> None:
    result = analyze({"max_hits": 3}, bodies=("casino " * 10,))
    assert (len(result.hits), result.risks[0].hits) == (3, 10)


def test_an_ad_without_copy_is_skipped() -> None:
    with pytest.raises(Skip, match="ad 1 has no copy"):
        analyze()


def test_long_copy_is_cut_and_says_so() -> None:
    assert analyze({"max_chars": 100}, bodies=("x " * 100 + "casino",)) == CopySafety(
        rules=words.VERSION, level="none", truncated=True
    )


def test_the_version_of_the_lists_is_part_of_the_fingerprint_and_of_the_result() -> None:
    assert CopySafetyAnalyzer.needs(CopySafetySettings()).uses == (f"rules/{words.VERSION}",)
    assert safety("x").rules == words.VERSION


def test_every_listed_phrase_is_found_as_it_is_listed() -> None:
    """No entry is dead: covered by a harmless use, or written in a way that folding changes."""
    for category, languages in words.RULES.items():
        for lists in languages.values():
            for phrase in "|".join(filter(None, lists)).split("|"):
                written = phrase.replace("*", "")
                assert category in {found.category for found in find(written)}, f"{category}: {phrase}"


def test_no_harmless_use_is_listed_in_vain() -> None:
    """Each would be a hit of its category, or begins with what would be, were it not listed."""
    for category, listed in words.HARMLESS.items():
        for phrase in listed.split("|"):
            assert category not in categories(phrase.replace("*", "")), f"{category}: {phrase}"


def test_the_longest_copy_is_read_in_a_moment() -> None:
    text = ("sale wine casin gun-" * 1000)[:20_000]
    began = time.process_time()
    list(find(text))
    assert time.process_time() - began < 3
