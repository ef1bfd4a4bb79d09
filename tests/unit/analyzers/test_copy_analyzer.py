from __future__ import annotations

import json
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adology import Ad, AdItem, Context, Skip
from adology_copy import CopyAnalyzer, CopyFacts, CopySettings


def read(ad: Ad, **over: int) -> CopyFacts:
    facts = CopyAnalyzer().analyze(Context("copy", CopySettings(**over)), AdItem(ad=ad))
    assert isinstance(facts, CopyFacts)
    return facts


RICH = Ad(
    id="1",
    bodies=("🔥 Entdecke die neue {{product.name}}!\nJetzt ab 19,99 € statt 29,99 €, bis zu 30 % Rabatt. #Sale @acme",),
    titles=("Nur heute: gratis Versand", "Nur heute: gratis Versand"),
    captions=("acme.de",),
    descriptions=("Mehr auf https://acme.de/neu",),
    cta="SHOP_NOW",
    landing_url="https://www.acme.de/neu?utm_source=fb",
)


def test_everything_that_an_ad_says_is_found() -> None:
    facts = read(RICH)

    assert facts.language.code == "de"
    assert [(p.amount, p.currency, p.starting) for p in facts.prices] == [
        ("19.99", "EUR", True),
        ("29.99", "EUR", False),
    ]
    assert [(d.percent, d.up_to) for d in facts.discounts] == [("30", True)]
    assert (facts.hashtags, facts.mentions) == (("Sale",), ("acme",))
    assert (facts.emoji, facts.emoji_count) == (("🔥",), 1)
    assert (facts.domains, facts.landing_domain) == (("acme.de",), "acme.de")
    assert [link.url for link in facts.links] == ["acme.de", "https://acme.de/neu"]
    assert facts.placeholders == ("{{product.name}}",)
    assert facts.cta is not None
    assert (facts.cta.id, facts.cta.family) == ("shop_now", "purchase")
    assert (facts.title_chars, facts.lines, facts.truncated) == (25, 5, False)


def test_the_result_depends_on_nothing_but_the_copy() -> None:
    other = msgspec.structs.replace(
        RICH, id="2", languages=("en",), countries=("US",), advertiser="Somebody", status="stopped", raw={"a": 1}
    )

    assert other.copy_hash() == RICH.copy_hash()
    assert read(other) == read(RICH)


def test_facts_survive_the_wire() -> None:
    facts = read(RICH)

    assert msgspec.convert(msgspec.to_builtins(facts), CopyFacts) == facts
    assert msgspec.json.decode(msgspec.json.encode(facts), type=CopyFacts) == facts


def test_an_ad_without_copy_is_skipped() -> None:
    with pytest.raises(Skip, match="ad 7 has no copy"):
        read(Ad(id="7", bodies=("  ", ""), titles=("\n",)))


def test_a_button_or_landing_page_alone_is_copy() -> None:
    assert read(Ad(id="1", cta="Learn More")).cta is not None
    assert read(Ad(id="1", landing_url="https://x.com")).landing_domain == "x.com"


def test_repeated_texts_of_a_carousel_count_once() -> None:
    once, often = Ad(id="1", bodies=("Buy now",)), Ad(id="1", bodies=("Buy now",) * 10)

    assert read(once) == read(often)


def test_long_copy_is_cut_and_says_so() -> None:
    facts = read(Ad(id="1", bodies=("word " * 100, "$5")), max_chars=300)

    assert (facts.truncated, facts.words, facts.prices) == (True, 60, ())
    assert not read(Ad(id="1", bodies=("x" * 300,)), max_chars=300).truncated


def test_lists_are_bounded() -> None:
    facts = read(Ad(id="1", bodies=(" ".join(f"#tag{i}x ${i}" for i in range(50)),)), max_found=10)

    assert (len(facts.hashtags), len(facts.prices)) == (10, 10)


@settings(deadline=None)
@given(st.lists(st.text(), max_size=4), st.text(), st.text())
def test_any_text_has_facts(bodies: list[str], cta: str, landing_url: str) -> None:
    try:
        facts = read(Ad(id="1", bodies=tuple(bodies), cta=cta, landing_url=landing_url))
    except Skip:
        return
    assert msgspec.json.decode(msgspec.json.encode(facts), type=CopyFacts) == facts
    assert min(facts.chars, facts.words, facts.sentences, facts.lines) >= 0


@pytest.mark.parametrize(
    "unit",
    [
        "$1,",
        "a.",
        "1,2",
        "{{",
        "@",
        "http://",
        "save ",
        "1 ",
        "👨‍👩‍👧",
        "a@a.",
        "-",
        "% ",
        ". ",
        "50% ",
        "\u0301",
        "mehr ",
    ],
)
def test_time_is_bounded_for_text_that_tempts_patterns(unit: str) -> None:
    started = time.process_time()

    read(Ad(id="1", bodies=(unit * (20_000 // len(unit)),)))

    assert time.process_time() - started < 5


def test_real_english_ads_are_english(shared_data: Path) -> None:
    records = json.loads((shared_data / "meta" / "ads_archive" / "dev_us2020_page01.json").read_text())["data"]
    codes = []
    for record in records:
        bodies = tuple(record.get("ad_creative_bodies") or [record.get("ad_creative_body") or ""])
        try:
            codes.append(read(Ad(id="1", bodies=bodies)).language.code)
        except Skip:
            continue

    assert len(codes) > 20
    assert set(codes) == {"en"}
