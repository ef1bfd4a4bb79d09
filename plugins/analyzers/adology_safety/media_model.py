"""What the safety analyzer says of creatives. Stored as it is: fields are only ever added."""

from __future__ import annotations

from adology import Struct
from adology_safety.levels import Level
from adology_safety.moderation_model import Moderated


class FrameScore(Struct, frozen=True, kw_only=True):
    """The model's probability of pornographic content, in [0, 1], for one frame `time_s` seconds from the start."""

    time_s: float
    score: float


class MediaSafety(Struct, frozen=True, kw_only=True):
    """How likely a creative shows pornographic content; of other subjects `moderation` alone says something.

    `score` is the highest of the pictures that were looked at, in [0, 1], and `time_s` when that one
    is shown, None for stills. `level` is "high", "medium" or "low" from the settings of that name
    on, else "none". Between the frames nothing was seen: `looked_at` pictures of `duration_s`
    seconds (None for stills and where unknown). `damaged`: parts could not be decoded. `model`
    names the classifier and its version. `moderation` is a vendor's verdict on the same pictures,
    None without one: it changes none of the other fields.
    """

    model: str
    score: float
    level: Level
    time_s: float | None = None
    looked_at: int = 1
    duration_s: float | None = None
    damaged: bool = False
    frames: tuple[FrameScore, ...] = ()
    moderation: Moderated | None = None
