"""What the measures analyzer says. Stored as it is: fields are only ever added.

Each field is one measure of `catalogue.MEASURES`, which gives its unit, range and definition.
"""

from __future__ import annotations

from typing import Literal

from adology import Struct
from adology_scores.evidence import Box, Range

TextLevel = Literal["none", "low", "medium", "high"]


class Missing(Struct, frozen=True, kw_only=True):
    """A measure without a value, and why."""

    measure: str
    why: str


class Seen(Struct, frozen=True, kw_only=True):
    """What a measure rests on: a line of text (its number in the text analyzer's result), a place, a time."""

    measure: str
    text: str = ""
    line: int | None = None
    box: Box | None = None
    time_s: float | None = None


class Measures(Struct, frozen=True, kw_only=True):
    """Measurements of one creative; they say nothing of good or bad.

    None: not available, `missing` says why; measures of videos are simply None for images.
    `evidence` tells what the measures of text rest on.
    """

    kind: Literal["image", "video"]
    aspect_ratio: float | None = None
    text_density: Range | None = None
    text_cells: float | None = None
    text_level: TextLevel | None = None
    text_lines: int | None = None
    text_blocks: int | None = None
    text_contrast: Range | None = None
    text_contrast_margin: Range | None = None
    text_size_px: Range | None = None
    cta_in_picture: bool | None = None
    cta_share: float | None = None
    cta_contrast: Range | None = None
    colourfulness: float | None = None
    edge_density: float | None = None
    luminance_contrast: float | None = None
    saliency_entropy: float | None = None
    saliency_text_share: float | None = None
    saliency_cta_share: float | None = None
    duration_s: float | None = None
    shots: int | None = None
    first_shot_s: float | None = None
    mean_shot_s: float | None = None
    shots_in_first_3s: int | None = None
    shots_in_first_5s: int | None = None
    most_shots_in_5s: int | None = None
    supers: bool | None = None
    first_text_s: Range | None = None
    text_time_share: float | None = None
    caption_cps: Range | None = None
    first_cta_s: Range | None = None
    sound_present: bool | None = None
    loudness_lufs: float | None = None
    silent_share: float | None = None
    first_speech_s: float | None = None
    cta_in_speech: bool | None = None
    supers_spoken: float | None = None
    sound_off_readability: float | None = None
    face_share: float | None = None
    first_face_s: Range | None = None
    first_person_s: Range | None = None
    missing: tuple[Missing, ...] = ()
    evidence: tuple[Seen, ...] = ()
