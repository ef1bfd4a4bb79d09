"""What the video analyzer says. Stored as it is: fields are only ever added."""

from __future__ import annotations

from typing import Literal

from adology import Struct

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of width and height, in [0, 1]."""


class Shot(Struct, frozen=True, kw_only=True):
    """One shot, seconds from the start of the film; a shot begins where the one before ends.

    `frame` is a derived picture from its middle, empty where the shot has none: there are at most
    `max_frames` of them. `begins_with` says how the shot comes in: a hard cut, a dissolve (its
    middle counts), a fade through black or white (the return of the picture counts).
    """

    start_s: float
    end_s: float
    frame: str = ""
    begins_with: Literal["start", "cut", "dissolve", "fade"] = "start"


class Tile(Struct, frozen=True, kw_only=True):
    """A picture of the storyboard: of the film at `time_s`, at `box` of the sheet."""

    time_s: float
    box: Box


class Stretch(Struct, frozen=True, kw_only=True):
    """A stretch of time, seconds from the start."""

    start_s: float
    end_s: float


class Sound(Struct, frozen=True, kw_only=True):
    """The first audio track, over its first `measured_s` seconds.

    `lufs` is the integrated loudness by EBU R 128, None where nothing is louder than -70 LUFS;
    `range_lu` the loudness range by EBU Tech 3342 in LU, None for tracks shorter than 3 s or as
    quiet as that; `peak_dbfs` the highest sample in dB of full scale (not the true peak between
    samples), None where all is zero. `silences` are stretches below the setting `silence_dbfs`
    and at least `silence_s` long, `silent_share` their share of the measured time. All numbers are
    None, and `damaged` is true, where more than a tenth of the track could not be decoded.
    """

    lufs: float | None = None
    range_lu: float | None = None
    peak_dbfs: float | None = None
    silences: tuple[Stretch, ...] = ()
    silent_share: float = 0.0
    measured_s: float = 0.0
    damaged: bool = False


class FaceSpan(Struct, frozen=True, kw_only=True):
    """Neighbouring looks that show a face, and the most faces that one of them shows."""

    start_s: float
    end_s: float
    most: int = 1


class Faces(Struct, frozen=True, kw_only=True):
    """Human faces over time. `available` is false, and `why` says so, where nothing looked for them.

    The film was looked at `looks` times, evenly; between the looks nothing was seen. `share_of_time`
    is the share of looks with a face, `largest_share` the largest face's box over the picture's
    area, at `largest_s` in `largest_box`. `model` names the detector.
    """

    available: bool
    why: str = ""
    model: str = ""
    looks: int = 0
    spans: tuple[FaceSpan, ...] = ()
    share_of_time: float = 0.0
    most_at_once: int = 0
    first_s: float | None = None
    largest_share: float = 0.0
    largest_s: float | None = None
    largest_box: Box | None = None


class TextTimes(Struct, frozen=True, kw_only=True):
    """When the film shows text, from the text analyzer, which looks at a frame a second at most.

    `first_s` is the first look that shows any, None where none does; `share_of_time` the share of
    looks with text.
    """

    first_s: float | None = None
    share_of_time: float = 0.0
    lines: int = 0


class VideoFacts(Struct, frozen=True, kw_only=True):
    """Shots, pace, sound, faces of one video.

    `looked_s` seconds of `duration_s` were looked at; all of `shots` and the numbers about them are
    about that part. `truncated`: it is less than the whole, by the settings' limits. `first_cut_s`
    is the start of the second shot, None where there is none. `shots_in_first_3s` and `_5s` count
    the shots that start before, the first one among them; `most_shots_in_5s` those that start
    within the fullest 5 seconds. `mean_shot_s` is looked_s over shots. `storyboard` is a derived
    sheet of `tiles`. `sound` is None without an audio track that can be decoded. `text` is None
    where the text analyzer said nothing. `damaged`: parts could not be decoded.
    """

    duration_s: float
    looked_s: float
    shots: tuple[Shot, ...]
    first_cut_s: float | None = None
    shots_in_first_3s: int
    shots_in_first_5s: int
    most_shots_in_5s: int
    mean_shot_s: float
    storyboard: str = ""
    tiles: tuple[Tile, ...] = ()
    sound: Sound | None = None
    faces: Faces
    text: TextTimes | None = None
    truncated: bool = False
    damaged: bool = False
