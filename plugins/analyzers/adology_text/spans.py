"""The same line over several frames of a video as one line with its times."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from adology_text import boxes
from adology_text.model import Span
from adology_text.rows import Piece

ALIKE = 0.8
"""Similarity of two texts (difflib's ratio) from which they may be one line read twice."""

NEAR = 0.3
"""Overlap over the smaller box from which alike texts stand in the same place."""

FAR_ALIKE = 0.9
"""From this on, moving text counts as the same wherever it stands."""


@dataclass(frozen=True)
class Sighting:
    """A line in frame number `frame`."""

    frame: int
    piece: Piece


@dataclass
class Track:
    """One line over time; its best reading stands for it."""

    sightings: list[Sighting]

    @property
    def best(self) -> Sighting:
        """The surest reading; of equal ones the longest, then the first."""
        return max(self.sightings, key=lambda s: (s.piece.reading.confidence, len(s.piece.reading.text), -s.frame))

    def spans(self, times: Sequence[float]) -> tuple[Span, ...]:
        """Stretches of neighbouring frames that show the line."""
        frames = sorted({sighting.frame for sighting in self.sightings})
        stretches: list[list[int]] = []
        for frame in frames:
            if stretches and frame == stretches[-1][-1] + 1:
                stretches[-1].append(frame)
            else:
                stretches.append([frame])
        return tuple(Span(start_s=times[one[0]], end_s=times[one[-1]]) for one in stretches)


def merge(frames: Sequence[Sequence[Piece]]) -> list[Track]:
    """Tracks in order of first appearance, in each frame in reading order."""
    tracks: list[Track] = []
    for number, pieces in enumerate(frames):
        taken: set[int] = set()
        for piece in pieces:
            at = _track_of(piece, tracks, taken)
            if at is None:
                tracks.append(Track([]))
                at = len(tracks) - 1
            taken.add(at)
            tracks[at].sightings.append(Sighting(number, piece))
    return tracks


def _track_of(piece: Piece, tracks: Sequence[Track], taken: set[int]) -> int | None:
    """The track that this line goes on; one frame gives a track one line at most."""
    best, found = 0.0, None
    for at, track in enumerate(tracks):
        if at in taken:
            continue
        last = track.sightings[-1].piece
        alike = _alike(piece.reading.text, last.reading.text)
        near = boxes.overlap(piece.quad, last.quad)
        if (alike >= FAR_ALIKE or (alike >= ALIKE and near >= NEAR)) and alike + near > best:
            best, found = alike + near, at
    return found


def _alike(a: str, b: str) -> float:
    """Similarity in [0, 1]; different digits make different lines, as in countdowns and prices."""
    first, second = a.casefold(), b.casefold()
    if first == second:
        return 1.0
    if [c for c in first if c.isdigit()] != [c for c in second if c.isdigit()]:
        return 0.0
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()
