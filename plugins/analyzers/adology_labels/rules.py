# ruff: noqa: RUF001 - punctuation of other scripts
"""Labels that phrases, amounts and facts tell. Pure: the same material gives the same labels.

Confidences lie a little below the shares of right answers on the ads that the lists were made with;
`docs/analyzers/labels.md` has what they reach on others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from adology_copy import money
from adology_copy.cta import find_cta
from adology_copy.language import detect
from adology_copy.model import Piece
from adology_labels import wordings
from adology_labels.material import Material
from adology_labels.model import Evidence, Label
from adology_labels.phrases import compiled
from adology_labels.taxonomies import ANGLE, CTA, CTA_FAMILY, FUNNEL, HOOK, LANGUAGE, OFFER, Taxonomy
from adology_text.model import TextFacts

BEGINNING_CHARS = 110
"""What counts as read first: the hook is looked for here, to the end of the sentence."""
LEAST_WORDS_FOR_NONE = 6

LANGUAGE_TOLD, HALF_SURE = 0.9, 0.5
BY_PHRASE = 0.9
BY_NUMBER = 0.9
NO_OFFER = 0.85
HOOK_BY_PHRASE = 0.8
HOOK_QUESTION = 0.9
HOOK_OFFER = 0.75
HOOK_STATISTIC = 0.7
ANGLE_BY_PHRASE = 0.75
ANGLE_BY_OFFER = 0.75
FUNNEL_BY_CTA = 0.85
FUNNEL_BY_OFFER = 0.7
RETENTION = 0.85

CONVERSION = frozenset({"purchase", "app", "offer", "donate", "event", "game", "book"})
CONSIDERATION = frozenset({"learn", "lead", "quote", "contact", "message", "media", "follow"})
QUESTION = re.compile(r"[?？؟]")
SENTENCE = re.compile(r"[.!?。！？؟](?=\s|$|[\"'”»」])|\n")
NUMBER = re.compile(r"(?<![\w$€£¥.,])\d[\d.,]*\s+(?!%)[^\W\d_]{2,}")


def by_rules(material: Material, facts: TextFacts | None = None) -> list[Label]:
    """All labels that rules tell of the material; `facts` where it is the text of a creative."""
    offers = list(offer_labels(material, facts))
    call = list(cta_labels(material))
    return [
        *language_labels(material),
        *call,
        *offers,
        *hook_labels(material, offers),
        *angle_labels(material, offers),
        *funnel_labels(material, offers, call),
    ]


def language_labels(material: Material) -> Iterator[Label]:
    """The language of the text as the copy analyzer tells it."""
    found = detect(material.prose or material.text)
    if found.code != "und":
        share = Evidence(kind="measure", text=f"language {found.code}, confidence {found.confidence:g}")
        # The detector's own number is careful: of those it is half sure of, all were right.
        sure = max(found.confidence, LANGUAGE_TOLD) if found.confidence >= HALF_SURE else found.confidence
        yield _label(LANGUAGE, found.code, sure, share)


def cta_labels(material: Material) -> Iterator[Label]:
    """The call to action and its family: the button, else the first known phrase."""
    pieces = [
        Piece(where="body", index=index, text=part.text)
        for index, part in enumerate(material.parts)
        if part.where != "cta"
    ]
    button = next((part.text for part in material.parts if part.where == "cta"), "")
    found = find_cta(button, pieces)
    if found is None:
        return
    evidence = _evidence_of(material, found.text, button=found.where == "cta")
    if found.id in CTA.ids:
        yield _label(CTA, found.id, BY_PHRASE, evidence)
    if found.family in CTA_FAMILY.ids:
        yield _label(CTA_FAMILY, found.family, BY_PHRASE, evidence)


def offer_labels(material: Material, facts: TextFacts | None) -> Iterator[Label]:
    """What is offered, by amounts and phrases; "none" where much is said and nothing sounds like an offer."""
    some = False
    for name, evidence in _amounts(material, facts):
        some = True
        yield _label(OFFER, name, BY_NUMBER, evidence)
    for name, phrases in wordings.OFFERS.items():
        match = compiled(phrases).search(material.folded)
        if match:
            some = True
            yield _label(OFFER, name, BY_PHRASE, material.evidence(*match.span()))
    complete = facts is None or (not facts.unread and not facts.truncated)
    words = (
        len(material.text.split()) + len(re.findall(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", material.text)) // 2
    )
    if not some and complete and words >= LEAST_WORDS_FOR_NONE and not compiled(wordings.FREE).search(material.folded):
        yield _label(OFFER, "none", NO_OFFER, Evidence(kind="measure", text=f"{words} words, none of an offer"))


def hook_labels(material: Material, offers: Sequence[Label]) -> Iterator[Label]:
    """What stands first: by its form, then by phrases in the order of the table."""
    folded = material.folded
    end = _beginning(folded)
    first = SENTENCE.search(folded)
    first_end = first.end() if first else len(folded)
    if folded.lstrip()[:1] in wordings.QUOTES and compiled(wordings.FIRST_PERSON).search(folded, 0, end):
        yield _label(HOOK, "testimonial", HOOK_BY_PHRASE, material.evidence(0, min(first_end, end)))
    asked = QUESTION.search(folded, 0, end)
    for rank, (name, phrases) in enumerate(wordings.HOOKS.items()):
        match = compiled(phrases).search(folded, 0, end) if phrases.strip() else None
        if match:
            confidence = HOOK_BY_PHRASE - rank / 1000
            yield _label(HOOK, name, confidence, material.evidence(*match.span()))
    if asked:
        yield _label(
            HOOK, "question", HOOK_QUESTION, material.evidence(_sentence_start(folded, asked.start()), asked.end())
        )
    number = NUMBER.search(folded, 0, min(end, first_end))
    if number:
        yield _label(HOOK, "statistic", HOOK_STATISTIC, material.evidence(*number.span()))
    for offer in offers:
        evidence = offer.evidence[0]
        if offer.id != "none" and evidence.text and evidence.text in material.text[: material.place(end)]:
            yield _label(HOOK, "offer_first", HOOK_OFFER, evidence)
            break


def angle_labels(material: Material, offers: Sequence[Label]) -> Iterator[Label]:
    """Motives by phrases, and savings by what is taken off."""
    cheaper = next((o for o in offers if o.id in ("percent_off", "amount_off", "bogo", "bundle")), None)
    if cheaper:
        yield _label(ANGLE, "savings", ANGLE_BY_OFFER + 0.05, *cheaper.evidence)
    for rank, (name, phrases) in enumerate(wordings.ANGLES.items()):
        match = compiled(phrases).search(material.folded)
        if match:
            yield _label(ANGLE, name, ANGLE_BY_PHRASE - rank / 1000, material.evidence(*match.span()))


def funnel_labels(material: Material, offers: Sequence[Label], call: Sequence[Label]) -> Iterator[Label]:
    """The step by whom it speaks to, what it asks for, what it offers. Awareness has no words of its own."""
    back = compiled(wordings.RETENTION).search(material.folded)
    if back:
        yield _label(FUNNEL, "retention", RETENTION + 0.01, material.evidence(*back.span()))
    family = next((label for label in call if label.taxonomy == CTA_FAMILY.name), None)
    if family and family.id in CONVERSION | CONSIDERATION:
        step = "conversion" if family.id in CONVERSION else "consideration"
        yield _label(FUNNEL, step, FUNNEL_BY_CTA, *family.evidence)
        return
    offer = next((label for label in offers if label.id != "none"), None)
    if offer:
        yield _label(FUNNEL, "conversion", FUNNEL_BY_OFFER, *offer.evidence)


def _amounts(material: Material, facts: TextFacts | None) -> Iterator[tuple[str, Evidence]]:
    """What is taken off: as the text analyzer read it in the picture, else as the copy analyzer does."""
    if facts is not None:
        kept = {part.evidence.line: part.evidence for part in material.parts}
        for percent in facts.percents:
            if percent.line in kept:
                yield "percent_off", quoted(kept[percent.line], percent.raw)
        for price in facts.prices:
            if price.off and price.line in kept:
                yield "amount_off", quoted(kept[price.line], price.raw)
        return
    language = detect(material.prose).code
    for part in material.parts:
        _, discounts = money.find([Piece(where="body", index=0, text=part.text)], language)
        for discount in discounts:
            yield ("percent_off" if discount.percent else "amount_off"), quoted(part.evidence, discount.raw)


def quoted(evidence: Evidence, text: str) -> Evidence:
    """The same place with another text."""
    return msgspec.structs.replace(evidence, text=text)


def _evidence_of(material: Material, text: str, *, button: bool) -> Evidence:
    for part in material.parts:
        if (part.where == "cta") == button and text in part.text:
            return quoted(part.evidence, text)
    return Evidence(kind="copy", text=text)


def _beginning(folded: str) -> int:
    """The end of what is read first: at least one sentence, at most the limit and the rest of its sentence."""
    if len(folded) <= BEGINNING_CHARS:
        return len(folded)
    match = SENTENCE.search(folded, BEGINNING_CHARS)
    return min(match.end() if match else len(folded), 2 * BEGINNING_CHARS)


def _sentence_start(folded: str, at: int) -> int:
    start = 0
    for match in SENTENCE.finditer(folded, 0, at):
        start = match.end()
    return start


def _label(taxonomy: Taxonomy, id_: str, confidence: float, *evidence: Evidence) -> Label:
    return Label(
        taxonomy=taxonomy.name,
        version=taxonomy.version,
        id=id_,
        confidence=round(confidence, 3),
        evidence=evidence,
    )
