"""From changes to shots, and the numbers of their pace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adology_video.changes import Change
from adology_video.model import Shot

WINDOW_S = 5.0
EARLY_S = (3.0, 5.0)
SHORTEST_END_S = 0.1
"""A change so near the end opens no shot: cut films often carry a frame too many."""


def shots_of(changes: Sequence[Change], end_s: float) -> tuple[Shot, ...]:
    """The shots between the changes, without frames; one where there is no change."""
    kept = [change for change in changes if SHORTEST_END_S < change.time_s < end_s - SHORTEST_END_S]
    starts = [0.0, *(round(change.time_s, 3) for change in kept)]
    ways = ["start", *(change.kind for change in kept)]
    ends = [*starts[1:], round(end_s, 3)]
    return tuple(
        Shot(start_s=start, end_s=end, begins_with=way)  # type: ignore[arg-type]  # of the same literals
        for start, end, way in zip(starts, ends, ways, strict=True)
    )


def pace(shots: Sequence[Shot], end_s: float) -> dict[str, Any]:
    """The fields of `VideoFacts` that are numbers about shots."""
    starts = [shot.start_s for shot in shots]
    first_three, first_five = (sum(start < early for start in starts) for early in EARLY_S)
    return {
        "first_cut_s": starts[1] if len(starts) > 1 else None,
        "shots_in_first_3s": first_three,
        "shots_in_first_5s": first_five,
        "most_shots_in_5s": max(sum(start <= other < start + WINDOW_S for other in starts) for start in starts),
        "mean_shot_s": round(end_s / len(shots), 3),
    }
