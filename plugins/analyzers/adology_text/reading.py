"""From what was seen in a picture or in the frames of a video to the facts that are stored."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from adology_copy.language import detect
from adology_media.sniff import Format
from adology_text import boxes, dates, ink, prices, spans
from adology_text.boxes import Pixels, Quad
from adology_text.decode import open_film, open_picture
from adology_text.look import Seen, look
from adology_text.model import Box, PictureDate, PicturePercent, PicturePrice, Point, Span, TextFacts, TextLine
from adology_text.prices import Line
from adology_text.recognise import Reads
from adology_text.rows import Piece
from adology_text.settings import TextSettings

T = TypeVar("T", PicturePrice, PicturePercent)

SMALL = 128
UNCHANGED = 1.5
"""Mean difference of grey values (of 255) up to which a frame shows what the one before showed."""

MOST_IN_A_SPOT = 10

AMBIGUOUS = 0.5
"""Most confidence in a date whose day and month cannot be told apart."""

PLACES = 4


def read_picture(path: Path, format_: Format, settings: TextSettings, reader: Reads) -> TextFacts:
    """The text in an image; of animations, in the first frame.

    Raises:
        MediaUnusableError: too large, broken or cut off.
    """
    return read_pixels(open_picture(path, format_, settings.max_pixels), settings, reader)


def read_pixels(picture: Pixels, settings: TextSettings, reader: Reads) -> TextFacts:
    """The text in a picture that is decoded already: RGB, upright."""
    height, width = picture.shape[:2]
    seen = _look(picture, settings, reader)
    lines = [_measured(picture, piece) for piece in seen.pieces]
    kept = lines[: settings.max_lines]
    facts = TextFacts(
        kind="image",
        width=width,
        height=height,
        lines=tuple(_line(line, width, height, 1.0) for line in kept),
        text_share=round(boxes.covered([piece.quad for piece in seen.pieces], width, height), PLACES),
        unread=seen.unread,
        scale=round(min(1.0, seen.scale), PLACES),
        truncated=len(lines) > len(kept),
    )
    return _summed(facts, [(picture, kept, list(range(len(kept))))], reader)


def read_film(path: Path, format_: Format, settings: TextSettings, reader: Reads) -> TextFacts:
    """The text in a video, lines with the times at which they stand.

    Raises:
        MediaUnusableError: too large, too long, without pictures, or none decodes.
    """
    film = open_film(path, format_, settings)
    pictures = [np.asarray(moment.picture, dtype=np.uint8) for moment in film.moments]
    times = [moment.time_s for moment in film.moments]
    seen = _look_through(pictures, settings, reader)
    height, width = pictures[0].shape[:2]
    tracks = spans.merge([one.pieces for one in seen])
    kept = tracks[: settings.max_lines]
    best = [track.best for track in kept]
    lines = [_measured(pictures[one.frame], one.piece) for one in best]
    zoom = film.height / height
    shares = [boxes.covered([piece.quad for piece in one.pieces], width, height) for one in seen]
    facts = TextFacts(
        kind="video",
        width=film.width,
        height=film.height,
        lines=tuple(
            _line(line, width, height, zoom, track.spans(times)) for line, track in zip(lines, kept, strict=True)
        ),
        text_share=round(max(shares), PLACES),
        mean_text_share=round(float(np.mean(shares)), PLACES),
        unread=max(one.unread for one in seen),
        sampled_s=tuple(times),
        scale=round(min(1.0, 1 / zoom, *(one.scale for one in seen)), PLACES),
        truncated=len(tracks) > len(kept),
    )
    frames = sorted({one.frame for one in best})
    groups = [[at for at, one in enumerate(best) if one.frame == frame] for frame in frames]
    return _summed(
        facts,
        [(pictures[frame], [lines[at] for at in group], group) for frame, group in zip(frames, groups, strict=True)],
        reader,
    )


def _look(picture: Pixels, settings: TextSettings, reader: Reads) -> Seen:
    return look(
        picture,
        reader,
        most_pixels=settings.read_pixels,
        least_confidence=settings.min_confidence,
        second_look=settings.second_look,
    )


def _look_through(pictures: Sequence[Pixels], settings: TextSettings, reader: Reads) -> list[Seen]:
    """Each frame looked at, unless it shows what the one before showed.

    Frames are looked at again only if that is asked for: few people read fine print that moves.
    """
    if settings.second_look == "small":
        settings = structs.replace(settings, second_look="never")
    seen: list[Seen] = []
    before: NDArray[np.int16] | None = None
    for picture in pictures:
        small = _small(picture)
        if before is not None and _is_same(small, before):
            seen.append(seen[-1])
        else:
            seen.append(_look(picture, settings, reader))
            before = small
    return seen


def _small(picture: Pixels) -> NDArray[np.int16]:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (SMALL, SMALL), interpolation=cv2.INTER_AREA), dtype=np.int16)


def _is_same(a: NDArray[np.int16], b: NDArray[np.int16]) -> bool:
    """No spot differs much either: a small line may come and go on a picture that stands still."""
    difference = np.abs(a - b)
    return float(difference.mean()) <= UNCHANGED and int(difference.max()) <= MOST_IN_A_SPOT


def _measured(picture: Pixels, piece: Piece) -> Line:
    found = ink.measure(boxes.slice_out(picture, piece.quad))
    return Line(piece=piece, height_px=found.height * boxes.size(piece.quad)[1], contrast=found.contrast)


def _line(line: Line, width: int, height: int, zoom: float, times: tuple[Span, ...] = ()) -> TextLine:
    quad = line.piece.quad
    return TextLine(
        text=unicodedata.normalize("NFKC", line.piece.reading.text),
        box=_box(quad, width, height),
        confidence=round(line.piece.reading.confidence, 3),
        height_px=round(line.height_px * zoom, 1),
        height_share=round(line.height_px / height, PLACES),
        contrast=line.contrast,
        corners=() if boxes.is_level(quad) else _corners(quad, width, height),
        spans=times,
    )


def _box(quad: Quad, width: int, height: int) -> Box:
    left, top, right, bottom = boxes.bounds(quad)
    return (_share(left, width), _share(top, height), _share(right, width), _share(bottom, height))


def _corners(quad: Quad, width: int, height: int) -> tuple[Point, ...]:
    return tuple((_share(float(x), width), _share(float(y), height)) for x, y in quad)


def _share(at: float, whole: int) -> float:
    return round(min(1.0, max(0.0, at / whole)), PLACES)


def _summed(
    facts: TextFacts, looked: Sequence[tuple[Pixels, Sequence[Line], Sequence[int]]], reader: Reads
) -> TextFacts:
    """The facts with what all lines together say. `looked`: a picture, its lines, and their numbers."""
    if not facts.lines:
        return facts
    language = detect("\n".join(line.text for line in facts.lines)).code
    money: list[PicturePrice] = []
    off: list[PicturePercent] = []
    for picture, lines, numbers in looked:
        found, percents = prices.find(picture, lines, reader, language)
        money += [_renumbered(one, numbers) for one in found]
        off += [_renumbered(one, numbers) for one in percents]
    contrasts = [line.contrast for line in facts.lines if line.contrast is not None]
    return structs.replace(
        facts,
        smallest_height_px=min(line.height_px for line in facts.lines),
        smallest_height_share=min(line.height_share for line in facts.lines),
        lowest_contrast=min(contrasts, default=None),
        prices=tuple(sorted(money, key=lambda one: one.line)),
        percents=tuple(sorted(off, key=lambda one: one.line)),
        dates=tuple(_dates(facts.lines)),
    )


def _renumbered(one: T, numbers: Sequence[int]) -> T:
    return structs.replace(one, line=numbers[one.line])


def _dates(lines: Sequence[TextLine]) -> list[PictureDate]:
    return [
        PictureDate(
            values=found.values,
            raw=found.raw,
            line=number,
            confidence=min(line.confidence, AMBIGUOUS) if len(found.values) > 1 else line.confidence,
        )
        for number, line in enumerate(lines)
        for found in dates.find(line.text)
    ]
