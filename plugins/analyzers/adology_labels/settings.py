"""Settings of the labelling analyzers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from adology import Operational
from adology.vendors import OpenAISettings

Provider = Annotated[
    Literal["local", "openai"],
    Meta(description="Who labels: `local` (rules and the local text model) or `openai` (paid)."),
]
Model = Annotated[str, Meta(description="OpenAI's model, one that takes pictures.", min_length=1)]
Table = Annotated[
    str,
    Operational(),
    Meta(description="Path of IAB's published table; empty: tier one only. What counts is its content."),
]
Least = Annotated[float, Meta(description="Labels less sure than this are left out.", ge=0, le=1)]
Chars = Annotated[int, Meta(description="Characters of text read per creative or ad.", ge=100, le=8000)]
Threads = Annotated[
    int, Operational(), Meta(description="Threads of the local text model; the labels are the same.", ge=1, le=16)
]
# Operational: an answer that was not cut is the same with any limit. Who raises it pays for the cut ones alone.
Most = Annotated[
    int,
    Operational(),
    Meta(description="Longest answer of OpenAI, tokens, its reasoning included.", ge=500, le=32_000),
]

MODEL = "gpt-5-mini"


class CopyLabelsSettings(OpenAISettings, frozen=True, kw_only=True):
    """Who labels copy, and how sure a label must be."""

    provider: Provider = "local"
    model: Model = MODEL
    iab_table: Table = ""
    least_confidence: Least = 0.7
    max_chars: Chars = 4000
    longest_answer: Most = 4000
    threads: Threads = 1


class LabelsSettings(CopyLabelsSettings, frozen=True, kw_only=True):
    """Who labels creatives, and how much of them a model is shown."""

    frames: Annotated[int, Meta(description="Frames of a video that OpenAI is shown, at most.", ge=1, le=12)] = 4
    side: Annotated[int, Meta(description="Longest side of pictures sent to OpenAI, pixels.", ge=64, le=640)] = 512
    detail: Annotated[
        Literal["low", "high"], Meta(description="How closely OpenAI looks at pictures; decides what they cost.")
    ] = "low"
    max_pixels: Annotated[int, Meta(description="Most pixels that an image or a video frame may have.", ge=1)] = (
        64_000_000
    )
