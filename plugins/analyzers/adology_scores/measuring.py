"""One creative measured: from pictures and what other analyzers said to `Measures`; no files, no server."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from adology_scores import captions, layout
from adology_scores.captions import measure_captions, measure_speech
from adology_scores.inputs import Line, Media, Text, Transcript, Video, take
from adology_scores.layout import measure_layout
from adology_scores.lines import asks, counted, ink_box, shown_at
from adology_scores.measures_model import Measures
from adology_scores.pacing import measure_faces, measure_pacing, measure_sound
from adology_scores.sheet import Sheet

if TYPE_CHECKING:
    from PIL import Image

    from adology_scores.evidence import Box
    from adology_scores.looks import Looks

SALIENT = ("saliency_entropy", "saliency_text_share", "saliency_cta_share")
FLAT = "the picture is flat: nothing stands out"

Pictures = Sequence[tuple["Image.Image", float | None]]
"""Upright RGB pictures with their times in a video; None for stills."""


def measure(kind: Literal["image", "video"], pictures: Pictures, results: Mapping[str, Any]) -> Measures:
    """Everything that the pictures and the results of other analyzers (name → plain data) allow.

    `pictures`: an image's only one, or some frames of a video.
    """
    sheet = Sheet()
    text, why_no_text = take(results, "text", Text)
    media, why_no_media = take(results, "media", Media)
    _shape(text, media, why_no_media, sheet)
    if text is None:
        sheet.lack((*layout.TEXT_MEASURES, *(captions.TIMED if kind == "video" else ())), why_no_text)
    else:
        measure_layout(text, sheet)
    _looks(pictures, text, why_no_text, sheet)
    if kind == "video":
        _film(results, text, why_no_text, media, sheet)
    return sheet.close(kind)


def _shape(text: Text | None, media: Media | None, why: str, sheet: Sheet) -> None:
    if media is not None:
        sheet.put("aspect_ratio", media.aspect_ratio)
    elif text is not None and text.height > 0:
        sheet.put("aspect_ratio", round(text.width / text.height, 4))
    else:
        sheet.lack(("aspect_ratio",), why)


def _film(results: Mapping[str, Any], text: Text | None, why_no_text: str, media: Media | None, sheet: Sheet) -> None:
    video, why_no_video = take(results, "video", Video)
    length = video.duration_s if video is not None else media.duration_s if media is not None else None
    if length is None:
        sheet.lack(("duration_s",), "neither the video nor the media analyzer knows the length")
    else:
        sheet.put("duration_s", length)
    measure_pacing(video, why_no_video, sheet)
    measure_sound(video, media, sheet)
    if text is not None:
        measure_captions(text, length, sheet)
    transcript, why_not = take(results, "transcript", Transcript)
    if transcript is None:
        sheet.lack(captions.SPOKEN, why_not)
    else:
        measure_speech(transcript, text, why_no_text, sheet)
    measure_faces(video, why_no_video, sheet)


def _looks(pictures: Pictures, text: Text | None, why_no_text: str, sheet: Sheet) -> None:
    from adology_scores.looks import entropy, measure_looks  # noqa: PLC0415 - OpenCV is heavy

    seen = [(measure_looks(picture), time_s) for picture, time_s in pictures]
    for name, digits in (("colourfulness", 2), ("edge_density", 4), ("luminance_contrast", 4)):
        sheet.put(name, round(statistics.median(getattr(looks, name) for looks, _ in seen), digits))
    maps = [looks.saliency for looks, _ in seen if looks.saliency is not None]
    if not maps:
        sheet.lack(SALIENT, FLAT)
        return
    sheet.put("saliency_entropy", round(statistics.median(entropy(found) for found in maps), 4))
    if text is None:
        sheet.lack(SALIENT[1:], why_no_text)
    else:
        _salient_text(seen, text, sheet)


def _salient_text(seen: Sequence[tuple[Looks, float | None]], text: Text, sheet: Sheet) -> None:
    """Median over the pictures that show such text."""
    from adology_scores.looks import mass  # noqa: PLC0415 - as above

    shares: dict[str, list[float]] = {"saliency_text_share": [], "saliency_cta_share": []}
    for looks, time_s in seen:
        if looks.saliency is None:
            continue
        lines = [line for _, line in _lines_at(text, time_s)]
        for name, boxes in (
            ("saliency_text_share", [_box(line, text) for line in lines]),
            ("saliency_cta_share", [_box(line, text) for line in lines if asks(line.text)]),
        ):
            if boxes:
                shares[name].append(mass(looks.saliency, boxes))
    for name, found in shares.items():
        if found:
            sheet.put(name, round(statistics.median(found), 4))
        else:
            what = "call to action" if "cta" in name else "text"
            sheet.lack((name,), f"no {what} was found in the pictures that were measured")


def _box(line: Line, text: Text) -> Box:
    return ink_box(line, text.width, text.height)


def _lines_at(text: Text, time_s: float | None) -> Sequence[tuple[int, Line]]:
    """The lines that stand there: those of the frame read that is nearest in time."""
    lines = counted(text)
    if time_s is None or not text.sampled_s:
        return lines
    return shown_at(lines, min(text.sampled_s, key=lambda at: abs(at - time_s)))
