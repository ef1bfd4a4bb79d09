"""What the media analyzer says. Stored as it is: fields are only ever added."""

from __future__ import annotations

from typing import Literal

from adology import Struct

AspectClass = Literal[
    "square",
    "portrait_4_5",
    "portrait_2_3",
    "portrait_3_4",
    "story_9_16",
    "landscape_16_9",
    "landscape_1_91_1",
    "landscape_4_3",
    "landscape_3_2",
    "banner",
    "skyscraper",
    "other",
]


class Colour(Struct, frozen=True, kw_only=True):
    """One colour of the palette: `#rrggbb` and its share of the picture in [0, 1]."""

    hex: str
    share: float


class KeyFrame(Struct, frozen=True, kw_only=True):
    """One moment of a video. `name` is the derived file, `phash` as in `MediaFacts`."""

    time_s: float
    phash: str
    name: str
    flat: bool = False


class AudioTrack(Struct, frozen=True, kw_only=True):
    """The first audio track.

    `loudness_lufs` is the integrated loudness by ITU-R BS.1770-4 over the first `measured_s`
    seconds; None where nothing is louder than the absolute gate (-70 LUFS: silence) or nothing
    could be decoded.
    """

    codec: str
    sample_rate: int = 0
    channels: int = 0
    loudness_lufs: float | None = None
    measured_s: float = 0.0


class MediaFacts(Struct, frozen=True, kw_only=True):
    """Measured facts of one image or video.

    `width` and `height` are what people see: after EXIF orientation or display rotation.
    `rotated` is the clockwise turn that was applied, in degrees, `mirrored` whether it was also
    flipped left to right first. `aspect_ratio` is shown width over height, so pixels that are
    not square count. Colours, `luminance` (mean, [0, 1]) and `phash` are those of the picture
    on white, of the first frame for animations and of the thumbnail for videos.

    `phash` is a 64-bit DCT hash, 16 hex digits: compare by Hamming distance. `flat` says that
    the picture has next to no contrast; its hash then only says that.
    """

    kind: Literal["image", "video"]
    format: str
    mime: str
    width: int
    height: int
    size_bytes: int
    aspect_ratio: float
    aspect_class: AspectClass
    phash: str
    thumbnail: str
    rotated: Literal[0, 90, 180, 270] = 0
    mirrored: bool = False
    color_mode: str = ""
    transparent: bool = False
    flat: bool = False
    luminance: float = 0.0
    palette: tuple[Colour, ...] = ()
    animated: bool = False
    frame_count: int | None = None
    duration_s: float | None = None
    fps: float | None = None
    video_codec: str = ""
    pixel_format: str = ""
    audio: AudioTrack | None = None
    keyframes: tuple[KeyFrame, ...] = ()
    decode_errors: int = 0
    """Packets and frames, of those that were looked at, that were damaged."""
