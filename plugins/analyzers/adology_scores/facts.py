"""What rules are held against: values by measure, each with its evidence, and reasons of what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from adology import Ad, Struct
from adology_copy.counts import characters
from adology_copy.model import CopyFacts
from adology_scores.catalogue import MEASURES, Kind
from adology_scores.evidence import Evidence, Range
from adology_scores.inputs import Text, take
from adology_scores.measures_model import Measures

NOT_MEASURED = "the measures analyzer gave no value"
MOST_TEXT = 200


class Value(Struct, frozen=True, kw_only=True):
    """One measured value, or the range that it lies in."""

    value: float | bool | str | Range
    evidence: tuple[Evidence, ...] = ()


class Facts(Struct, frozen=True, kw_only=True):
    """Everything known of one creative or copy.

    `text` is what the text analyzer said, for rules about where text stands; `why_no_text` why
    there is none.
    """

    kind: Kind
    values: dict[str, Value] = msgspec.field(default_factory=dict)
    missing: dict[str, str] = msgspec.field(default_factory=dict)
    text: Text | None = None
    why_no_text: str = "there is no result of the analyzer text"


def facts_of_creative(results: Mapping[str, Any], kind: Kind) -> Facts:
    """The facts of an image or video from the results of `measures` and `text` (name → plain data)."""
    measures, why = take(results, "measures", Measures)
    text, why_no_text = take(results, "text", Text)
    if measures is None:
        missing = dict.fromkeys(MEASURES, why)
        return Facts(kind=kind, missing=missing, text=text, why_no_text=why_no_text)
    return facts_of_measures(measures, text, why_no_text)


def facts_of_measures(measures: Measures, text: Text | None, why_no_text: str = "") -> Facts:
    """The same from the results themselves."""
    values: dict[str, Value] = {}
    for name in MEASURES:
        value = getattr(measures, name, None)
        if value is not None:
            seen = (one for one in measures.evidence if one.measure == name)
            evidence = tuple(Evidence(text=s.text, line=s.line, box=s.box, time_s=s.time_s) for s in seen)
            values[name] = Value(value=value, evidence=evidence)
    missing = {one.measure: one.why for one in measures.missing if one.measure not in values}
    return Facts(kind=measures.kind, values=values, missing=missing, text=text, why_no_text=why_no_text)


def facts_of_copy(ad: Ad, copy: CopyFacts | None, why: str = "") -> Facts:
    """The facts of an ad's copy; `copy` is what the copy analyzer said, `why` why it said nothing."""
    fields = (("primary_text_chars", "body", ad.bodies), ("headline_chars", "title", ad.titles),
              ("description_chars", "description", ad.descriptions))  # fmt: skip
    values: dict[str, Value] = {}
    missing: dict[str, str] = {}
    for measure, where, texts in fields:
        if not any(text.strip() for text in texts):
            missing[measure] = f"the ad has no {where}"
            continue
        index = max(range(len(texts)), key=lambda at: (characters(texts[at]), -at))
        evidence = Evidence(text=texts[index][:MOST_TEXT], where=where, index=index)
        values[measure] = Value(value=characters(texts[index]), evidence=(evidence,))
    if copy is None:
        missing |= {"cta_button": why, "cta_in_copy": why}
    else:
        values |= _asking(copy)
    return Facts(kind="ad", values=values, missing=missing)


def _asking(copy: CopyFacts) -> dict[str, Value]:
    cta = copy.cta
    asks = cta is not None and cta.family != "none"
    said = (Evidence(text=cta.text[:MOST_TEXT], where=cta.where),) if cta is not None and asks else ()
    button = cta is not None and asks and cta.where == "cta"
    return {
        "cta_button": Value(value=button, evidence=said if button else ()),
        "cta_in_copy": Value(value=asks, evidence=said),
    }
