"""Each rule of each pack just passes, just fails, or lacks data; and what adherence is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adology import Ad
from adology_copy import CopyFacts
from adology_copy.model import Cta, Language
from adology_scores import Facts, Pack, Range, Report, Rule, Value, Zone, built_in, evaluate, facts_of_copy
from adology_scores.catalogue import LEVELS, MEASURES
from adology_scores.evaluate import compare, is_for, threshold
from adology_scores.inputs import Line, Text

STEP = 1e-6
BY_PACK = {"aspect_distance", "text_outside_zone"}


def rules() -> Iterator[Any]:
    for pack in built_in():
        for rule in pack.rules:
            yield pytest.param(pack, rule, id=f"{pack.name}:{rule.id}")


def verdict(report: Report, rule: str) -> Any:
    return next(one for one in report.rules if one.rule == rule)


def values(rule: Rule) -> Iterator[tuple[Any, str]]:
    """Values at and beside every bound, with the verdict that they get."""
    if rule.equals is not None:
        yield from ((rule.equals, "pass"), (not rule.equals, "fail"))
    for level in LEVELS if rule.one_of else ():
        yield level, "pass" if level in rule.one_of else "fail"
    if rule.at_most is not None:
        yield from ((rule.at_most, "pass"), (rule.at_most + STEP, "fail"))
    if rule.at_least is not None:
        yield from ((rule.at_least, "pass"), (rule.at_least - STEP, "fail"))
    if rule.below is not None:
        yield from ((rule.below - STEP, "pass"), (rule.below, "fail"))
    if rule.above is not None:
        yield from ((rule.above + STEP, "pass"), (rule.above, "fail"))


@pytest.mark.parametrize(("pack", "rule"), list(rules()))
def test_every_rule_of_ours_just_passes_just_fails_and_lacks_data(pack: Pack, rule: Rule) -> None:
    kind = (rule.kinds or pack.kinds)[-1]
    measure = MEASURES[rule.measure]
    absent = verdict(evaluate(pack, Facts(kind=kind, missing={rule.measure: "it was not there"})), rule.id)
    assert absent.verdict == "insufficient"
    assert absent.why
    if measure.why_not:
        present = Facts(kind=kind, values={rule.measure: Value(value=True)})
        assert verdict(evaluate(pack, present), rule.id).why == measure.why_not
        return
    if rule.measure in BY_PACK:
        return  # their own tests are below
    for value, wanted in values(rule):
        found = verdict(evaluate(pack, Facts(kind=kind, values={rule.measure: Value(value=value)})), rule.id)
        assert (found.verdict, found.seen, found.source) == (wanted, value, rule.source)
        assert found.why == ""


def rule(**bounds: Any) -> Rule:
    return Rule(id="r", says="r", measure="duration_s", source="s", basis="own", **bounds)


@pytest.mark.parametrize(
    ("bounds", "low", "high", "wanted"),
    [
        ({"at_most": 5}, 0, 5, "pass"),
        ({"at_most": 5}, 4.9, 5.1, "insufficient"),
        ({"at_most": 5}, 5.1, 6, "fail"),
        ({"at_most": 5}, 5, 6, "insufficient"),
        ({"at_most": 5}, 6, None, "fail"),
        ({"at_most": 5}, 1, None, "insufficient"),
        ({"at_least": 5}, 5, None, "pass"),
        ({"at_least": 5}, 4, 5, "insufficient"),
        ({"at_least": 5}, 4, 4.9, "fail"),
        ({"below": 5}, 5, 6, "fail"),
        ({"below": 5}, 4, 5, "insufficient"),
        ({"above": 5}, 4, 5, "fail"),
        ({"above": 5}, 5, 6, "insufficient"),
        ({"at_least": 6, "at_most": 12}, 6, 12, "pass"),
        ({"at_least": 6, "at_most": 12}, 1, 20, "insufficient"),
        ({"at_least": 6, "at_most": 12}, 1, 2, "fail"),
        ({"at_least": 6, "at_most": 12}, 13, None, "fail"),
    ],
)
def test_a_range_passes_where_all_of_it_does_and_fails_where_none_does(
    bounds: dict[str, float], low: float, high: float | None, wanted: str
) -> None:
    assert compare(rule(**bounds), Range(low=low, high=high)) == wanted


@given(
    st.floats(0, 100), st.floats(0, 100), st.floats(0, 1), st.sampled_from(["at_most", "at_least", "above", "below"])
)
def test_the_verdict_on_a_range_holds_for_every_value_within(a: float, b: float, at: float, bound: str) -> None:
    low, high = sorted((a, b))
    within = min(high, max(low, low + at * (high - low)))
    for edge in (low, high, within, 50.0):
        one = rule(**{bound: edge})
        told = compare(one, Range(low=low, high=high))
        assert told in (compare(one, within), "insufficient")


def test_a_rough_value_says_why_it_decides_nothing() -> None:
    pack = pack_of(rule(at_most=5.0))
    found = evaluate(pack, Facts(kind="video", values={"duration_s": Value(value=Range(low=4, high=6))})).rules[0]
    assert (found.seen, found.seen_to, found.ranged) == (4, 6, True)
    assert "on both sides of the threshold" in found.why


def pack_of(*rules: Rule, **more: Any) -> Pack:
    fields: dict[str, Any] = {"id": "p", "date": date(2026, 1, 1), "title": "P", "network": "meta", "placement": "feed",
                              "kinds": ("image", "video")}  # fmt: skip
    return Pack(rules=rules, **(fields | more))


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"at_most": 0.02}, "≤ 0.02"),
        ({"at_least": 6, "at_most": 12}, "≥ 6 and ≤ 12"),
        ({"below": 3}, "< 3"),
        ({"above": 0}, "> 0"),
        ({"equals": True}, "yes"),
        ({"equals": False}, "no"),
        ({"one_of": ("none", "low")}, "none or low"),
    ],
)
def test_thresholds_are_told_in_few_words(bounds: dict[str, Any], words: str) -> None:
    assert threshold(rule(**bounds)) == words


SHAPE = Rule(id="shape", says="s", measure="aspect_distance", source="s", basis="vendor", at_most=0.02)


@pytest.mark.parametrize(
    ("ratio", "wanted"),
    [(0.8, "pass"), (0.8 * math.exp(0.0199), "pass"), (0.8 * math.exp(0.0202), "fail"), (1.0, "pass"), (0.9, "fail")],
)
def test_a_shape_is_held_against_the_nearest_that_the_pack_allows(ratio: float, wanted: str) -> None:
    pack = pack_of(SHAPE, aspects=("4:5", "1:1"))
    found = evaluate(pack, Facts(kind="image", values={"aspect_ratio": Value(value=ratio)})).rules[0]
    assert found.verdict == wanted
    assert "nearest allowed" in found.evidence[0].text


INSIDE = Rule(id="zone", says="s", measure="text_outside_zone", source="s", basis="vendor", at_most=0)
ZONE = Zone(aspect="9:16", top=0.1, bottom=0.2, left=0.05, right=0.05)


def read(*boxes: tuple[float, float, float, float], width: int = 1080, height: int = 1920, unread: int = 0) -> Text:
    lines = (Line(text="Sale", box=box, confidence=0.9, height_px=0.8 * (box[3] - box[1]) * height, height_share=0.1)
             for box in boxes)  # fmt: skip
    return Text(width=width, height=height, lines=tuple(lines), unread=unread)


def zone_verdict(text: Text | None) -> Any:
    facts = Facts(kind="image", text=text, why_no_text="it was not read")
    return evaluate(pack_of(INSIDE, zone=ZONE), facts).rules[0]


def test_text_within_the_free_zone_passes_up_to_its_edge() -> None:
    found = zone_verdict(read((0.05, 0.1, 0.95, 0.15), (0.1, 0.75, 0.9, 0.8)))
    assert (found.verdict, found.seen, found.evidence) == ("pass", 0.0, ())


def test_text_outside_fails_and_is_shown() -> None:
    found = zone_verdict(read((0.1, 0.3, 0.9, 0.4), (0.1, 0.05, 0.9, 0.09)))
    assert found.verdict == "fail"
    assert [(one.line, one.box) for one in found.evidence] == [(1, (0.1, 0.05, 0.9, 0.09))]


def test_only_the_margin_around_letters_reaching_out_decides_nothing() -> None:
    found = zone_verdict(read((0.1, 0.098, 0.9, 0.15)))
    assert (found.verdict, found.seen) == ("insufficient", 0.0)
    assert found.seen_to > 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "it was not read"),
        (read(), "no text was found"),
        (read(unread=2), "no text was found, 2 places that look like it could not be read"),
        (read((0.1, 0.3, 0.9, 0.4), width=1080, height=1080), "the zone is that of 9:16, the picture is 1080 x 1080"),
    ],
)
def test_without_text_or_in_another_shape_the_zone_says_nothing(text: Text | None, why: str) -> None:
    found = zone_verdict(text)
    assert (found.verdict, found.why) == ("insufficient", why)


def test_rules_for_other_kinds_are_left_out() -> None:
    pack = pack_of(msgspec.structs.replace(rule(at_most=15.0), kinds=("video",)), SHAPE, aspects=("1:1",))
    assert [one.rule for one in evaluate(pack, Facts(kind="image")).rules] == ["shape"]
    # A measure that pictures do not have needs no `kinds`.
    assert not is_for(rule(at_most=15.0), pack_of(rule(at_most=15.0)), Facts(kind="image"))


def test_where_nothing_was_evaluated_there_is_no_adherence() -> None:
    report = evaluate(pack_of(rule(at_most=5.0), SHAPE, aspects=("1:1",)), Facts(kind="video"))
    assert (report.passed, report.evaluated, report.insufficient, report.adherence, report.band) == (0, 0, 2, None, "")


NAMES = st.sampled_from(sorted(name for name, one in MEASURES.items() if "video" in one.kinds and one.unit != "level"))
NUMBERS = st.floats(0, 30, allow_nan=False)
VALUES = st.one_of(
    st.booleans(), NUMBERS, st.tuples(NUMBERS, st.none() | NUMBERS).map(
        lambda p: Range(low=p[0], high=None if p[1] is None else p[0] + p[1])
    )
)  # fmt: skip


@given(
    st.sampled_from(built_in()), st.dictionaries(NAMES, VALUES, max_size=30), st.sampled_from(["image", "video", "ad"])
)
def test_adherence_is_what_passed_over_what_was_evaluated(pack: Pack, found: dict[str, Any], kind: Any) -> None:
    fit = {n: v for n, v in found.items() if isinstance(v, bool) == (MEASURES[n].unit == "flag")}
    facts = Facts(kind=kind, values={name: Value(value=value) for name, value in fit.items()})
    report = evaluate(pack, facts)
    judged = [one.verdict for one in report.rules]
    assert report.passed == judged.count("pass")
    assert report.evaluated == judged.count("pass") + judged.count("fail")
    assert report.evaluated + report.insufficient == len(judged)
    assert (report.adherence is None) == (report.evaluated == 0)
    if report.adherence is not None:
        assert report.adherence == pytest.approx(report.passed / report.evaluated, abs=1e-4)
        assert 0 <= report.adherence <= 1
    assert all(bool(one.why) == (one.verdict == "insufficient") for one in report.rules)
    assert evaluate(pack, facts) == report
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


@given(st.sampled_from(built_in()), st.dictionaries(NAMES, VALUES, max_size=30))
def test_one_more_value_never_changes_another_rules_verdict(pack: Pack, found: dict[str, Any]) -> None:
    fit = {n: v for n, v in found.items() if isinstance(v, bool) == (MEASURES[n].unit == "flag")}
    whole = evaluate(pack, Facts(kind="video", values={n: Value(value=v) for n, v in fit.items()}))
    for name in fit:
        less = {n: Value(value=v) for n, v in fit.items() if n != name}
        others = evaluate(pack, Facts(kind="video", values=less))
        for one, other in zip(whole.rules, others.rules, strict=True):
            assert one == other or one.measure == name or (name == "aspect_ratio" and one.measure == "aspect_distance")


@pytest.mark.parametrize(
    ("passed", "failed", "lacking", "band"),
    [
        (8, 2, 0, "excellent"),
        (7, 3, 0, "may improve"),
        (6, 4, 0, "needs review"),
        (9, 0, 3, "excellent"),
        (8, 0, 3, ""),
    ],
)
def test_a_band_is_the_packs_own_word_where_enough_was_evaluated(
    passed: int, failed: int, lacking: int, band: str
) -> None:
    bands = next(pack.bands for pack in built_in() if pack.id == "youtube-abcd")
    counts = [("at_most", 1.0)] * passed + [("above", 1.0)] * failed
    judged = [msgspec.structs.replace(rule(**{bound: edge}), id=f"r{at}") for at, (bound, edge) in enumerate(counts)]
    lack = [msgspec.structs.replace(rule(at_most=1.0), id=f"l{at}", measure="shots") for at in range(lacking)]
    pack = pack_of(*judged, *lack, bands=bands)
    assert evaluate(pack, Facts(kind="video", values={"duration_s": Value(value=1.0)})).band == band


def ad(**fields: Any) -> Ad:
    return Ad(id="1", **fields)


def copy_report(subject: Ad, cta: Cta | None = None, pack: str = "meta-feed-copy") -> Report:
    facts = CopyFacts(language=Language(), chars=0, words=0, sentences=0, lines=0, cta=cta)
    return evaluate(next(one for one in built_in() if one.id == pack), facts_of_copy(subject, facts))


@pytest.mark.parametrize(
    ("pack", "field", "rule_id", "most"),
    [
        ("meta-feed-copy", "bodies", "primary-text", 125),
        ("meta-feed-copy", "titles", "headline", 27),
        ("meta-feed-copy", "descriptions", "description", 25),
        ("meta-stories-copy", "titles", "headline", 40),
        ("meta-reels-copy", "bodies", "primary-text", 72),
        ("meta-reels-copy", "titles", "headline", 10),
        ("google-search-copy", "titles", "headline", 30),
        ("google-search-copy", "descriptions", "description", 90),
    ],
)
def test_the_longest_text_of_a_kind_is_held_against_the_placement(
    pack: str, field: str, rule_id: str, most: int
) -> None:
    family = "👩‍👩‍👧"  # one character to people
    fits = copy_report(ad(**{field: ("short", family + "x" * (most - 1))}), pack=pack)
    assert (verdict(fits, rule_id).verdict, verdict(fits, rule_id).seen) == ("pass", most)
    long = verdict(copy_report(ad(**{field: ("short", "x" * (most + 1))}), pack=pack), rule_id)
    assert (long.verdict, long.seen, long.evidence[0].index) == ("fail", most + 1, 1)
    none = verdict(copy_report(Ad(id="1", cta="SHOP_NOW"), pack=pack), rule_id)
    assert none.verdict == "insufficient"
    assert none.why.startswith("the ad has no ")


@pytest.mark.parametrize(
    ("cta", "wanted"),
    [
        (Cta(id="shop_now", family="purchase", text="SHOP_NOW", where="cta"), "pass"),
        (Cta(id="no_button", family="none", text="NO_BUTTON", where="cta"), "fail"),
        (Cta(id="shop_now", family="purchase", text="Shop now", where="body"), "fail"),
        (None, "fail"),
    ],
)
def test_a_button_must_ask_for_something(cta: Cta | None, wanted: str) -> None:
    assert verdict(copy_report(Ad(id="1", bodies=("x",)), cta), "cta").verdict == wanted


def test_without_the_copy_analyzer_the_button_is_unknown() -> None:
    pack = next(one for one in built_in() if one.id == "meta-feed-copy")
    found = verdict(evaluate(pack, facts_of_copy(Ad(id="1", bodies=("x",)), None, "it failed")), "cta")
    assert (found.verdict, found.why) == ("insufficient", "it failed")
