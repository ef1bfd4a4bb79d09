"""Every measure that a rule can name: its unit, its range, what it is."""

from __future__ import annotations

from typing import Literal

from adology import Struct

Kind = Literal["image", "video", "ad"]
Unit = Literal[
    "share", "ratio", "distance", "px", "s", "count", "characters", "characters/s", "LUFS", "index", "flag", "level",
]  # fmt: skip

PICTURES: tuple[Kind, ...] = ("image", "video")
FILMS: tuple[Kind, ...] = ("video",)
COPY: tuple[Kind, ...] = ("ad",)

LEVELS = ("none", "low", "medium", "high")

NO_BRAND = "it takes the brand's names and logo, which a creative alone does not have"
NO_PRODUCT = "no analyzer finds products in pictures"


class Measure(Struct, frozen=True, kw_only=True):
    """One measure. `low` and `high` bound its values, None where nothing does.

    `why_not`: nothing of ours measures it, so rules about it never pass and never fail.
    """

    name: str
    unit: Unit
    kinds: tuple[Kind, ...]
    low: float | None
    high: float | None
    says: str
    why_not: str = ""


def _m(
    name: str, unit: Unit, kinds: tuple[Kind, ...], low: float | None, high: float | None, says: str, why_not: str = ""
) -> Measure:
    return Measure(name=name, unit=unit, kinds=kinds, low=low, high=high, says=says, why_not=why_not)


_ALL = (
    _m("aspect_ratio", "ratio", PICTURES, 0, None, "Shown width over height."),
    _m("aspect_distance", "distance", PICTURES, 0, None, "How far ln(w/h) is from that of the pack's nearest aspect."),
    _m("text_density", "share", PICTURES, 0, 1, "Area under text, overlaps once; of a video in its fullest frame."),
    _m("text_cells", "share", PICTURES, 0, 1, "Cells of a grid of 5 by 5 that text touches, over 25."),
    _m("text_level", "level", PICTURES, None, None, "none (no text), low (density ≤ 0.1), medium (≤ 0.2), high."),
    _m("text_lines", "count", PICTURES, 0, None, "Lines of text, of a video all that it shows."),
    _m("text_blocks", "count", PICTURES, 0, None, "Groups of neighbouring lines; of a video in its fullest frame."),
    _m("text_outside_zone", "share", PICTURES, 0, 1, "Text area outside the pack's free zone, over all text area."),
    _m("text_contrast", "ratio", PICTURES, 1, 21, "Lowest WCAG 2 contrast of a line with what is around it."),
    _m("text_contrast_margin", "ratio", PICTURES, 0, 7, "Lowest contrast over what WCAG asks: 4.5, large letters 3.0."),
    _m("text_size_px", "px", PICTURES, 0, None, "Smallest type size on a phone: the picture at most 390 px wide."),
    _m("cta_in_picture", "flag", PICTURES, None, None, "A line says a known call to action."),
    _m("cta_share", "share", PICTURES, 0, 1, "Area of the largest such line's box over the picture's."),
    _m("cta_contrast", "ratio", PICTURES, 1, 21, "WCAG 2 contrast of that line's letters with what is around them."),
    _m("colourfulness", "index", PICTURES, 0, None, "Hasler and Süsstrunk's M: 0 grey, 15 slight, 59 quite, 109 very."),
    _m("edge_density", "share", PICTURES, 0, 1, "Pixels on an edge (Canny), the picture 256 px long."),
    _m("luminance_contrast", "index", PICTURES, 0, 0.5, "Standard deviation of luma in [0, 1]."),
    _m("saliency_entropy", "share", PICTURES, 0, 1, "Entropy of the saliency map over the highest possible: 1 = even."),
    _m("saliency_text_share", "share", PICTURES, 0, 1, "Saliency within boxes of text over all of it."),
    _m("saliency_cta_share", "share", PICTURES, 0, 1, "Saliency within the box of the call to action over all of it."),
    _m("duration_s", "s", FILMS, 0, None, "Length."),
    _m("shots", "count", FILMS, 1, None, "Shots."),
    _m("first_shot_s", "s", FILMS, 0, None, "Length of the first shot."),
    _m("mean_shot_s", "s", FILMS, 0, None, "Length over number of shots."),
    _m("shots_in_first_3s", "count", FILMS, 0, None, "Shots that start before 3 s."),
    _m("shots_in_first_5s", "count", FILMS, 0, None, "Shots that start before 5 s."),
    _m("most_shots_in_5s", "count", FILMS, 0, None, "Most shots within 5 s in a row."),
    _m("supers", "flag", FILMS, None, None, "Some frame shows readable text; it may be part of the scene."),
    _m("first_text_s", "s", FILMS, 0, None, "When readable text is first seen, between two frames looked at."),
    _m("text_time_share", "share", FILMS, 0, 1, "Frames looked at that show readable text, over all of them."),
    _m("caption_cps", "characters/s", FILMS, 0, None, "Fastest text: its characters over the time it stands."),
    _m("first_cta_s", "s", FILMS, 0, None, "When a call to action is first seen, between two frames looked at."),
    _m("sound_present", "flag", FILMS, None, None, "There is a sound track louder than -50 LUFS."),
    _m("loudness_lufs", "LUFS", FILMS, -70, 10, "Integrated loudness, EBU R 128."),
    _m("silent_share", "share", FILMS, 0, 1, "Time of silence over length."),
    _m("first_speech_s", "s", FILMS, 0, None, "When speech begins."),
    _m("cta_in_speech", "flag", FILMS, None, None, "A known call to action is spoken."),
    _m("supers_spoken", "share", FILMS, 0, 1, "Lines of text, of two words or more, whose words are spoken as well."),
    _m("sound_off_readability", "share", FILMS, 0, 1, "Time of speech whose words stand on the screen, over all."),
    _m("face_share", "share", FILMS, 0, 1, "Largest box of a face over the frame."),
    _m("first_face_s", "s", FILMS, 0, None, "When a face is first seen, between two frames looked at."),
    _m("first_person_s", "s", FILMS, 0, None, "When a person is first seen: no later than the first face."),
    _m("brand_share", "share", PICTURES, 0, 1, "Largest box of logo or brand name over the frame.", NO_BRAND),
    _m("brand_early", "flag", FILMS, None, None, "Logo or brand name is seen early.", NO_BRAND),
    _m("brand_late", "flag", FILMS, None, None, "Logo or brand name is seen in the last seconds.", NO_BRAND),
    _m("brand_time_share", "share", FILMS, 0, 1, "Time with logo or brand name over length.", NO_BRAND),
    _m("brand_spoken", "flag", FILMS, None, None, "The brand's name is spoken.", NO_BRAND),
    _m("product_shown", "flag", PICTURES, None, None, "The product is seen.", NO_PRODUCT),
    _m("product_spoken", "flag", FILMS, None, None, "The product is named in speech.", NO_PRODUCT),
    _m("primary_text_chars", "characters", COPY, 0, None, "Longest body, characters as people see them."),
    _m("headline_chars", "characters", COPY, 0, None, "Longest title."),
    _m("description_chars", "characters", COPY, 0, None, "Longest description."),
    _m("cta_button", "flag", COPY, None, None, "The ad has a button that asks for something."),
    _m("cta_in_copy", "flag", COPY, None, None, "Button or copy say a known call to action."),
)  # fmt: skip

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}
