"""When a video shows and says what: shots, text, faces, speech and silences along its time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from adology.cli.analyze_shapes import OF_ANOTHER_KIND, entries, inner, shape_of
from adology.cli.analyze_words import clock, cut
from adology.cli.page_parts import plain, words

_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
_MOST_TICKS = 8
_MOST_TEXTS = 6
_TITLE = 60


class Piece(NamedTuple):
    """A stretch of time and what it is, as HTML."""

    start_s: float
    end_s: float
    told: str


def timeline(results: Iterable[Any]) -> str:
    """The tracks; empty where nothing says how long the video is."""
    try:
        return _timeline(results)
    except OF_ANOTHER_KIND:
        return ""


def _timeline(results: Iterable[Any]) -> str:
    by_shape = {shape_of(result): result for result in results}
    video = by_shape.get("video")
    if not isinstance(video, Mapping) or not video.get("duration_s"):
        return ""
    length_s = float(video["duration_s"])
    shots = [
        Piece(one.get("start_s", 0), one.get("end_s", 0), plain(f"shot {number}, {one.get('begins_with', 'start')}"))
        for number, one in enumerate(entries(video, "shots"), 1)
    ]
    sound, faces = inner(video, "sound"), inner(video, "faces")
    tracks = [_track("shots", shots, length_s, "shot")]
    tracks += _texts(by_shape.get("text"), length_s)
    tracks.append(_track("faces", _stretches(entries(faces, "spans"), "faces"), length_s, "face"))
    spoken = by_shape.get("transcript")
    tracks.append(_track("speech", _stretches(entries(spoken, "segments"), "") if spoken else [], length_s, "speech"))
    tracks.append(_track("silence", _stretches(entries(sound, "silences"), "silence"), length_s, "silence"))
    return "".join(tracks) + _axis(length_s)


def _stretches(found: Sequence[Mapping[str, Any]], name: str) -> list[Piece]:
    return [Piece(one.get("start_s", 0), one.get("end_s", 0), words(one.get("text") or name, _TITLE)) for one in found]


def _texts(text: Any, length_s: float) -> list[str]:
    """A track for each of the lines that stand longest, in order of appearance."""
    if not isinstance(text, Mapping):
        return []
    lines = [line for line in entries(text, "lines") if entries(line, "spans")]
    lines = sorted(lines, key=lambda line: -_standing(line))[:_MOST_TEXTS]
    lines.sort(key=lambda line: entries(line, "spans")[0].get("start_s", 0))
    tracks = []
    for line in lines:
        pieces = [
            Piece(one.get("start_s", 0), one.get("end_s", 0), words(line.get("text", ""), _TITLE))
            for one in entries(line, "spans")
        ]
        tracks.append(_track(f"“{cut(str(line.get('text', '')), 9)}”", pieces, length_s, "text"))
    return tracks


def _standing(line: Mapping[str, Any]) -> float:
    return sum(float(one.get("end_s", 0)) - float(one.get("start_s", 0)) for one in entries(line, "spans"))


def _track(name: str, pieces: Sequence[Piece], length_s: float, style: str) -> str:
    if not pieces:
        return ""
    drawn = "".join(
        f'<i class="{style}{" odd" if number % 2 and style == "shot" else ""}" '
        f'style="left:{_at(one.start_s, length_s)};'
        f'width:{_at(one.end_s - one.start_s, length_s)}" title="{_title(one)}"></i>'
        for number, one in enumerate(pieces)
    )
    return f'<div class="track"><span>{words(name, 12)}</span><div>{drawn}</div></div>'


def _title(piece: Piece) -> str:
    """`told` is escaped already; tags mean nothing within an attribute."""
    told = piece.told.replace("<bdi>", "").replace("</bdi>", "")
    return f"{clock(piece.start_s)}–{clock(piece.end_s)} {told}"  # noqa: RUF001 - a range


def _axis(length_s: float) -> str:
    step = next((step for step in _STEPS_S if length_s / step <= _MOST_TICKS), length_s / _MOST_TICKS)
    ticks = [step * n for n in range(int(length_s / step) + 1)]
    if length_s - ticks[-1] < step / 2 and len(ticks) > 1:
        ticks.pop()
    ticks.append(length_s)
    told = "".join(
        f'<span style="left:{_at(tick, length_s)}">{clock(tick).removesuffix(".0")}</span>' for tick in ticks
    )
    return f'<div class="track axis"><span></span><div>{told}</div></div>'


def _at(seconds: float, length_s: float) -> str:
    return f"{max(0.0, min(1.0, seconds / length_s)):.2%}"
