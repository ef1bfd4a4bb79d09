"""The question that OpenAI answers: a form whose ids are those of the taxonomies, and nothing else.

`question_of` makes it. `ask` has it answered by a call; `to_batch` and `from_batch` by a batch,
later and in another process. Both read answers with `_labels`.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from adology import BatchRequest, Context, Struct
from adology.vendors import openai
from adology_labels import orders, prompt
from adology_labels.answers import Besides, read
from adology_labels.local import Subject, known_labels
from adology_labels.material import Material
from adology_labels.model import Labels
from adology_labels.rules import language_labels
from adology_labels.settings import CopyLabelsSettings
from adology_labels.taxonomies import CTA_FAMILY, FORMAT, LANGUAGE, Taxonomy

ENDPOINT = "/v1/responses"
LIMIT = "longest_answer"
"""The setting that holds the longest answer."""
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


class Question(NamedTuple):
    """A request about one subject, and what its answer is read with."""

    form: openai.Form
    besides: Besides


def question_of(
    settings: CopyLabelsSettings,
    subject: Subject,
    pictures: list[tuple[float | None, bytes]],
    taxonomies: tuple[Taxonomy, ...],
    detail: Literal["low", "high"] = "low",
) -> Question:
    """What OpenAI is asked about one subject: its texts, and pictures with their times in seconds."""
    questions = asked(taxonomies)
    material = subject.material
    cleaned, stretches = orders.without_orders(material)
    suspects = _suspects(material, cleaned)
    request = openai.json_form(
        settings.model,
        prompt.instructions(questions),
        prompt.parts_of(material, pictures, suspects),
        schema=form(questions),
        schema_name="AdLabels",
        max_output_tokens=settings.longest_answer,
        detail=detail,
    )
    besides = Besides(
        lines=tuple(part.quoted for part in material.parts),
        suspects=suspects,
        times=tuple(time_s for time_s, _ in pictures),
        known=(*known_labels(subject), *language_labels(cleaned)),
        ignored=tuple(material.evidence(start, end) for start, end in stretches),
    )
    return Question(request, besides)


async def ask(ctx: Context[Any], question: Question, taxonomies: tuple[Taxonomy, ...]) -> Labels:
    """The labels of one subject from one paid call.

    Raises:
        RefusedError: the model refuses.
        IncompleteError: its answer ends early.
        UnusableAnswerError: it is no such form: no JSON, ids of no list, a confidence outside [0, 1].
    """
    answer = await openai.ask_form(ctx, question.form, schema=form(asked(taxonomies)), limit_setting=LIMIT)
    return _labels(ctx, answer, question.besides, taxonomies)


def to_batch(settings: CopyLabelsSettings, question: Question) -> BatchRequest:
    """The same question as a request of a batch."""
    request, besides = question
    return BatchRequest(
        endpoint=ENDPOINT,
        body=request.body,
        model=settings.model,
        units=request.units,
        info=msgspec.to_builtins(besides),
    )


def from_batch(ctx: Context[Any], info: Any, answer: bytes, taxonomies: tuple[Taxonomy, ...]) -> Labels:
    """The labels from a batch's answer; `info` is that of the request.

    Raises:
        RefusedError, IncompleteError, UnusableAnswerError: as `ask`.
    """
    said = openai.read_json(ctx, answer, ctx.settings.model, schema=form(asked(taxonomies)), limit_setting=LIMIT)
    return _labels(ctx, said, msgspec.convert(info, Besides), taxonomies)


def _labels(
    ctx: Context[Any], answer: openai.Answered[Any], besides: Besides, taxonomies: tuple[Taxonomy, ...]
) -> Labels:
    settings: CopyLabelsSettings = ctx.settings
    return read(answer.value, besides, taxonomies=taxonomies, least=settings.least_confidence, model=answer.model)


def _suspects(material: Material, cleaned: Material) -> tuple[int, ...]:
    """The indexes of parts that hold nothing but orders: a part that says more stays evidence."""
    kept = {(part.evidence.line, part.evidence.where, part.evidence.index) for part in cleaned.parts}
    return tuple(
        index
        for index, part in enumerate(material.parts)
        if (part.evidence.line, part.evidence.where, part.evidence.index) not in kept
    )
