"""The question that OpenAI answers: a form whose ids are those of the taxonomies, and nothing else."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from adology import Context, Struct
from adology.vendors import openai
from adology_labels import orders, prompt
from adology_labels.answers import read
from adology_labels.local import Subject, known_labels
from adology_labels.model import Labels
from adology_labels.rules import language_labels
from adology_labels.settings import CopyLabelsSettings
from adology_labels.taxonomies import CTA_FAMILY, FORMAT, LANGUAGE, Taxonomy

FOUND_OUT = frozenset({FORMAT.name, LANGUAGE.name, CTA_FAMILY.name})
"""Never asked: measured, detected, and following from the call to action."""

Region = Literal[
    "whole", "top_left", "top", "top_right", "left", "middle", "right", "bottom_left", "bottom", "bottom_right"
]
Share = Annotated[float, Meta(ge=0, le=1)]
Feeling = Annotated[float, Meta(ge=-1, le=1)]


class Seen(Struct, frozen=True, kw_only=True):
    """A picture that shows it, and in which ninth."""

    picture: int
    region: Region


def asked(taxonomies: tuple[Taxonomy, ...]) -> tuple[Taxonomy, ...]:
    """The taxonomies that a model is asked about."""
    return tuple(taxonomy for taxonomy in taxonomies if taxonomy.name not in FOUND_OUT)


@cache
def form(taxonomies: tuple[Taxonomy, ...]) -> type[Any]:
    """The Struct of an answer: a field per taxonomy, a list where several ids may be right."""
    fields: list[Any] = []
    for taxonomy in taxonomies:
        ids: Any = Literal[(*(taxonomy.ids), "unknown", "other")]
        pick: Any = msgspec.defstruct(
            f"Pick_{taxonomy.name}",
            [
                ("id", ids),
                ("confidence", Share),
                ("lines", tuple[int, ...]),
                ("pictures", tuple[Seen, ...]),
                ("other", str),
            ],
            frozen=True,
            kw_only=True,
            forbid_unknown_fields=True,
        )
        fields.append((taxonomy.name, tuple[pick, ...] if taxonomy.most > 1 else pick))
    fields += [("valence", Feeling), ("arousal", Feeling)]
    return msgspec.defstruct("AdLabels", fields, frozen=True, kw_only=True, forbid_unknown_fields=True)


async def ask(
    ctx: Context[Any],
    subject: Subject,
    pictures: list[tuple[float | None, bytes]],
    taxonomies: tuple[Taxonomy, ...],
    detail: Literal["low", "high"] = "low",
) -> Labels:
    """The labels of one subject from one paid call.

    Raises:
        RefusedError: the model refuses.
        IncompleteError: its answer ends early.
        UnusableAnswerError: it is no such form: no JSON, ids of no list, a confidence outside [0, 1].
    """
    settings: CopyLabelsSettings = ctx.settings
    questions = asked(taxonomies)
    material = subject.material
    stretches = orders.find_orders(material)
    suspects = _parts_of(material, stretches)
    answer = await openai.ask_json(
        ctx,
        settings.model,
        prompt.instructions(questions),
        prompt.parts_of(material, pictures, suspects),
        schema=form(questions),
        schema_name="AdLabels",
        max_output_tokens=settings.longest_answer,
        detail=detail,
    )
    cleaned, _ = orders.without_orders(material)
    return read(
        answer.value,
        material=material,
        suspects=suspects,
        times=[time_s for time_s, _ in pictures],
        taxonomies=taxonomies,
        least=settings.least_confidence,
        known=[*known_labels(subject), *language_labels(cleaned)],
        model=answer.model,
        ignored=[material.evidence(start, end) for start, end in stretches],
    )


def _parts_of(material: Any, stretches: list[tuple[int, int]]) -> tuple[int, ...]:
    """The indexes of parts that hold nothing but orders: a part that says more stays evidence."""
    cleaned, _ = orders.without_orders(material)
    kept = {(part.evidence.line, part.evidence.where, part.evidence.index) for part in cleaned.parts}
    if not stretches:
        return ()
    return tuple(
        index
        for index, part in enumerate(material.parts)
        if (part.evidence.line, part.evidence.where, part.evidence.index) not in kept
    )
