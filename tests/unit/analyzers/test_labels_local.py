# ruff: noqa: RUF001 - copy in other scripts
from __future__ import annotations

import time
from typing import Any

import pytest

from adology import Ad
from adology_labels.local import Subject, label_many
from adology_labels.material import Material, of_ad, of_lines
from adology_labels.model import Label, Labels
from adology_labels.nearest import confidence_of
from adology_labels.rules import by_rules
from adology_labels.taxonomies import OF_COPY, OF_MEDIA
from adology_text.model import PicturePercent, PicturePrice, Span, TextFacts, TextLine


def copy(text: str, button: str = "", **more: Any) -> Material:
    return of_ad(Ad(id="1", bodies=(text,), cta=button, **more), 4000)


def lines(*texts: str, **facts: Any) -> TextFacts:
    return TextFacts(
        kind="image",
        width=1000,
        height=1000,
        lines=tuple(
            TextLine(
                text=text,
                box=(0.1, i / 20, 0.9, (i + 1) / 20),
                confidence=0.99,
                height_px=40.0,
                height_share=0.04,
                spans=(Span(start_s=float(i), end_s=9.0),),
            )
            for i, text in enumerate(texts)
        ),
        **facts,
    )


def found(material: Material, taxonomy: str, facts: TextFacts | None = None) -> dict[str, Label]:
    labels = sorted(by_rules(material, facts), key=lambda label: label.confidence)
    return {label.id: label for label in labels if label.taxonomy == taxonomy}


def best(material: Material, taxonomy: str) -> str:
    return next(reversed(found(material, taxonomy)), "unknown")


def label(text: str, button: str = "") -> Labels:
    (labels,) = label_many([Subject(material=copy(text, button))], OF_COPY)
    return labels


def ids(labels: Labels, taxonomy: str) -> list[str]:
    return [one.id for one in labels.labels if one.taxonomy == taxonomy]


@pytest.mark.parametrize(
    ("text", "hook"),
    [
        ("Tired feet? Our insoles help.", "question"),
        ("¿Cansado de esperar?", "question"),
        ("眠れない夜はありませんか？", "question"),
        ("7 reasons to switch banks", "listicle"),
        ("5 Gründe für unseren Tee", "listicle"),
        ("How to clean an oven without scrubbing", "how_to"),
        ("Comment choisir son matelas", "how_to"),
        ("Last chance: the sale ends tonight", "urgency"),
        ("Solo hoy, todo rebajado", "urgency"),
        ("Nur noch heute", "urgency"),
        ("本日限り、全品お得", "urgency"),
        ("Introducing the lighter tent", "news"),
        ("Vorher-Nachher: so sieht der Garten aus", "before_after"),
        ("“I never slept better” says Ann.", "testimonial"),
        ("Trusted by bakers everywhere", "social_proof"),
        ("The mistake that ruins roses", "mistake_warning"),
        ("Oubliez tout sur les aspirateurs", "contrarian"),
        ("A quiet room by the sea", "unknown"),
    ],
)
def test_a_hook_is_told_by_its_form_or_phrase(text: str, hook: str) -> None:
    assert best(copy(text), "hook") == hook


def test_a_hook_is_what_stands_first() -> None:
    late = "A long description of a bed, of its wood, its slats, its feet and all the people who made it by hand. " * 3
    assert best(copy(f"{late} Would you like one?"), "hook") != "question"


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        ("Save 20% on all rugs", {"percent_off"}),
        ("Jetzt 30 € Rabatt sichern", {"amount_off"}),
        ("Buy one, get one free", {"bogo"}),
        ("Envío gratis y 15 % de descuento", {"free_shipping", "percent_off"}),
        ("14-day free trial, then 0% APR", {"free_trial", "financing"}),
        ("Satisfait ou remboursé pendant 30 jours", {"guarantee"}),
        ("送料無料", {"free_shipping"}),
        ("Members only: earn points with each stay", {"loyalty"}),
        ("The clock has a steel case and a leather strap", {"none"}),
        ("Leather strap", set()),  # too little to say that there is none
        ("Free yourself from cables with our new clock", set()),  # "free" may be an offer
    ],
)
def test_offers_are_told_by_amounts_and_phrases(text: str, offers: set[str]) -> None:
    assert set(found(copy(text), "offer")) == offers


def test_evidence_says_where_the_words_stand() -> None:
    ad = Ad(id="1", bodies=("Rugs by hand.", "Everything must go"), titles=("Now with free shipping",))
    material = of_ad(ad, 4000)
    (evidence,) = found(material, "offer")["free_shipping"].evidence
    assert (evidence.kind, evidence.where, evidence.index, evidence.text) == ("copy", "title", 0, "free shipping")


def test_evidence_in_a_picture_is_a_line_with_its_box_and_time() -> None:
    facts = lines("Handmade rugs", "Buy one,", "get one free")
    (evidence,) = found(of_lines(facts, 4000), "offer", facts)["bogo"].evidence
    assert (evidence.kind, evidence.line, evidence.time_s) == ("line", 1, 1.0)
    assert evidence.box == (0.1, 0.05, 0.9, 0.1)
    assert evidence.text == "Buy one, get one", "a phrase may go over lines"


def test_what_is_taken_off_in_a_picture_is_what_the_text_analyzer_read() -> None:
    facts = lines(
        "Rugs -30%",
        "was $49.99",
        percents=(PicturePercent(percent="30", raw="-30%", line=0, confidence=0.9),),
        prices=(PicturePrice(amount="49.99", currency="USD", raw="$49.99", line=1, confidence=0.9),),
    )
    assert set(found(of_lines(facts, 4000), "offer", facts)) == {"percent_off"}


def test_no_offer_is_not_claimed_where_text_could_not_be_read() -> None:
    texts = ("A clock with a steel case", "and a strap of leather")
    assert set(found(of_lines(lines(*texts), 4000), "offer", lines(*texts))) == {"none"}
    facts = lines(*texts, unread=1)
    assert not found(of_lines(facts, 4000), "offer", facts)


def test_the_call_to_action_has_a_family_and_decides_about_the_funnel() -> None:
    material = copy("A clock.", "SHOP_NOW")
    assert best(material, "cta") == "shop_now"
    assert best(material, "cta_family") == "purchase"
    assert best(material, "funnel") == "conversion"
    assert best(copy("A clock.", "LEARN_MORE"), "funnel") == "consideration"
    assert best(copy("Welcome back! Your cart waits.", "SHOP_NOW"), "funnel") == "retention"


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Mountain bikes and helmets for the trail, tested by riders", "1524"),
        ("Versichern Sie Ihr Auto: Kfz-Versicherung mit günstigen Beiträgen", "1335"),
        ("Reserva tu vuelo y hotel para las vacaciones en la playa", "1529"),
        ("Des croquettes saines pour votre chien et votre chat", "1123"),
        ("大学のオンライン講座で学位を取得しよう", "1295"),
    ],
)
def test_the_product_is_told_in_any_language(text: str, category: str) -> None:
    labels = label(text)
    assert ids(labels, "iab_product") == [category]
    (one,) = [each for each in labels.labels if each.taxonomy == "iab_product"]
    assert 0.6 <= one.confidence <= 1
    assert [evidence.kind for evidence in one.evidence] == ["copy", "measure"]


@pytest.mark.parametrize(
    "text", ["Just be yourself.", "Only today!", "{{product.name}}", "https://example.com/a-bike", "★★★★★"]
)
def test_what_names_no_product_is_unknown(text: str) -> None:
    assert "iab_product" in label(text).unknown


def test_what_text_does_not_tell_is_never_guessed() -> None:
    facts = lines("Our founder, a doctor, laughs with joy about the new studio film", "Meet the expert today")
    (labels,) = label_many([Subject(material=of_lines(facts, 4000), facts=facts, moves=False)], OF_MEDIA)
    assert {"emotion", "schwartz", "production", "persona"} <= set(labels.unknown)
    assert (labels.valence, labels.arousal) == (None, None)


def test_a_creative_without_text_has_a_format_and_nothing_else() -> None:
    (labels,) = label_many([Subject(material=Material(()), facts=lines(), moves=True)], OF_MEDIA)
    assert [(one.taxonomy, one.id) for one in labels.labels] == [("format", "video")]
    assert len(labels.unknown) == len(OF_MEDIA) - 1


def test_labels_do_not_depend_on_company_and_are_the_same_again() -> None:
    texts = ["Mountain bikes and helmets for the trail", "Rent a flat near the station, viewings daily", "Only today!"]
    subjects = [Subject(material=copy(text)) for text in texts]
    assert label_many(subjects, OF_COPY) == [label(text) for text in texts]


def test_labels_less_sure_than_asked_are_left_out() -> None:
    subject = Subject(material=copy("Mountain bikes and helmets for the trail", "Shop Now"))
    (strict,) = label_many([subject], OF_COPY, least=0.95)
    assert "cta" in strict.unknown
    assert all(one.confidence >= 0.95 for one in strict.labels)


def test_long_and_odd_texts_are_read_in_time() -> None:
    for text in ("ignore " * 600, "how i " * 700, "1 " * 2000, '"' * 4000, "x:" * 2000, "a?" * 2000):
        started = time.process_time()
        by_rules(copy(text))
        assert time.process_time() - started < 2


def test_confidence_rises_with_likeness_and_lead() -> None:
    assert confidence_of(0.2, 0.01) < confidence_of(0.3, 0.01) < confidence_of(0.3, 0.1)
