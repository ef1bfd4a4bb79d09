"""From a model's answer to labels: what it points at is looked up, what does not exist is dropped."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from adology import Struct
from adology_copy.cta_table import FAMILY_OF
from adology_labels.found import MOST_EVIDENCE, chosen, unanswered
from adology_labels.model import Evidence, Label, Labels, OtherLabel
from adology_labels.taxonomies import CTA, CTA_FAMILY, Taxonomy

LONGEST_OTHER = 60
THIRD = round(1 / 3, 4)
TWO_THIRDS = round(2 / 3, 4)
COLUMNS = {"left": (0.0, THIRD), "right": (TWO_THIRDS, 1.0)}
ROWS = {"top": (0.0, THIRD), "bottom": (TWO_THIRDS, 1.0)}


class Besides(Struct, frozen=True, kw_only=True):
    """What an answer is read with, besides the settings. Plain data: in batches it waits where the request does.

    `lines` are the texts of the question as evidence, `suspects` the indexes of those that are orders;
    `times` are those of the pictures, seconds, None for one that is still. `known` was told without
    asking, `ignored` are the orders.
    """

    lines: tuple[Evidence, ...] = ()
    suspects: tuple[int, ...] = ()
    times: tuple[float | None, ...] = ()
    known: tuple[Label, ...] = ()
    ignored: tuple[Evidence, ...] = ()


def read(answer: Any, besides: Besides, *, taxonomies: tuple[Taxonomy, ...], least: float, model: str) -> Labels:
    """The labels of a filled-in form.

    Lines and pictures that do not exist are dropped. A label whose only evidence are suspects is
    dropped as well: it would be what the ad asked for.
    """
    picks = [
        (taxonomy, pick)
        for taxonomy in taxonomies
        for given in [getattr(answer, taxonomy.name, ())]
        for pick in (given if isinstance(given, tuple) else (given,))
    ]
    found = [
        *besides.known,
        *(
            _label(taxonomy, pick, tuple(_evidence(pick, besides)))
            for taxonomy, pick in picks
            if pick.id not in ("unknown", "other") and not _only_suspects(pick, besides.suspects)
        ),
    ]
    others = [
        OtherLabel(taxonomy=taxonomy.name, text=said)
        for taxonomy, pick in picks
        if pick.id == "other" and (said := _one_line(pick.other))
    ]
    found += _family(found)
    kept = chosen(found, taxonomies, least)
    return Labels(
        provider="openai",
        model=model,
        labels=kept,
        unknown=unanswered(kept, taxonomies),
        others=tuple(dict.fromkeys(others)),
        ignored=besides.ignored,
        valence=round(answer.valence, 2),
        arousal=round(answer.arousal, 2),
    )


def box_of(region: str) -> tuple[float, float, float, float] | None:
    """A ninth of the picture as left, top, right, bottom; None for the whole."""
    if region == "whole":
        return None
    words = region.split("_")
    left, right = next((COLUMNS[word] for word in words if word in COLUMNS), (THIRD, TWO_THIRDS))
    top, bottom = next((ROWS[word] for word in words if word in ROWS), (THIRD, TWO_THIRDS))
    return left, top, right, bottom


def _label(taxonomy: Taxonomy, pick: Any, evidence: tuple[Evidence, ...]) -> Label:
    return Label(
        taxonomy=taxonomy.name,
        version=taxonomy.version,
        id=pick.id,
        name=taxonomy.name_of(pick.id),
        confidence=round(pick.confidence, 2),
        evidence=evidence[:MOST_EVIDENCE],
    )


def _only_suspects(pick: Any, suspects: Collection[int]) -> bool:
    return bool(pick.lines) and not pick.pictures and all(line in suspects for line in pick.lines)


def _evidence(pick: Any, besides: Besides) -> Iterator[Evidence]:
    for line in dict.fromkeys(pick.lines):
        if 0 <= line < len(besides.lines) and line not in besides.suspects:
            yield besides.lines[line]
    for seen in dict.fromkeys(pick.pictures):
        if 0 <= seen.picture < len(besides.times):
            box = box_of(seen.region)
            yield Evidence(kind="region" if box else "frame", time_s=besides.times[seen.picture], box=box)


def _family(found: Iterable[Label]) -> list[Label]:
    """The family of the call to action, by the copy analyzer's table."""
    return [
        Label(
            taxonomy=CTA_FAMILY.name,
            version=CTA_FAMILY.version,
            id=FAMILY_OF[label.id],
            confidence=label.confidence,
            evidence=label.evidence,
        )
        for label in found
        if label.taxonomy == CTA.name and label.id in FAMILY_OF
    ]


def _one_line(text: str) -> str:
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text)
    return " ".join(plain.split())[:LONGEST_OTHER].strip()
