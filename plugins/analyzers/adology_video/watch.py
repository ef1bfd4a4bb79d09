"""The one pass over a film: small pictures of all frames, stills to choose from, looks for faces."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from adology.errors import MediaUnusableError
from adology_media.containers import open_video, short, video_stream
from adology_media.moments import TURNS, shown_size
from adology_media.opening import too_large
from adology_media.sniff import Format
from adology_media.whole import check_whole
from adology_video.compare import SIDE
from adology_video.faces import Eyes
from adology_video.settings import VideoSettings
from adology_video.stills import Stills

MICROSECONDS = 1_000_000
MOST_ERRORS = 500
STEP_S = 1 / 31
"""Frames that follow faster are passed over: 60 frames a second show no more cuts than 30."""
DEFAULT_FRAME_S = 0.04
LONGEST_FRAME_S = 10.0


@dataclass
class Watched:
    """What one pass over a film gave. `times` and `small` belong together; see `adology_video.changes`."""

    duration_s: float
    times: NDArray[np.float64]
    small: NDArray[np.uint8]
    stills: Stills
    eyes: Eyes
    looked_s: float
    truncated: bool
    errors: int


def watch(path: Path, format_: Format, settings: VideoSettings) -> Watched:
    """Decode the film from its start, as far as the limits allow.

    Raises:
        MediaUnusableError: too large, too long, cut off, without pictures, or none decodes.
    """
    check_whole(path, format_.reader)
    try:
        with open_video(path, format_) as container:
            return _Pass(container, video_stream(container), format_, settings).run()
    except (av.FFmpegError, ValueError, ArithmeticError) as error:
        # Arithmetic: damaged headers hold times and sizes that no number can.
        raise MediaUnusableError(f"the {format_.name} video cannot be decoded: {short(error)}") from error


@dataclass
class _Pass:
    container: InputContainer
    stream: VideoStream
    format_: Format
    settings: VideoSettings
    errors: int = 0
    truncated: bool = False
    last_s: float = -1.0
    frame_s: float = DEFAULT_FRAME_S
    times: list[float] = field(default_factory=list)
    small: list[NDArray[np.uint8]] = field(default_factory=list)

    def run(self) -> Watched:
        settings, context = self.settings, self.stream.codec_context
        stated_s = _stated_duration(self.container, self.stream)
        self._check(context.width * context.height, stated_s)
        context.thread_count = 1
        # The decoder itself refuses a picture that grows in mid-stream.
        context.options = {"max_pixels": str(settings.max_pixels)}
        stills = Stills(settings.frame_side, settings.jpeg_quality)
        eyes = Eyes(settings, stated_s or settings.look_s)
        for time_s, frame in self._timed():
            small = small_picture(frame)
            self.times.append(time_s)
            self.small.append(small)
            if stills.wants(time_s, small):
                stills.keep(time_s, small, upright(frame, self.stream, settings.frame_side))
            if eyes.wants(time_s):
                eyes.look(time_s, upright(frame, self.stream, eyes.side))
        if not self.times:
            raise MediaUnusableError(
                f"no frame of the {self.format_.name} video can be decoded ({self.errors} packets damaged)"
            )
        seen_s = self.last_s + self.frame_s
        # Headers of cut and joined files promise more than there is; the pictures themselves count.
        duration_s = max(stated_s, seen_s) if self.truncated else seen_s
        return Watched(
            duration_s=round(duration_s, 3),
            times=np.array(self.times),
            small=np.stack(self.small),
            stills=stills,
            eyes=eyes,
            looked_s=round(min(seen_s, duration_s), 3),
            truncated=self.truncated,
            errors=self.errors,
        )

    def _timed(self) -> Iterator[tuple[float, VideoFrame]]:
        """Frames within the limits, not too close to each other, with rising times from 0."""
        begin: float | None = None
        pixels, kept_s = 0, -1.0
        for frame in self._decoded():
            if frame.width * frame.height > self.settings.max_pixels:
                raise too_large(f"{frame.width} x {frame.height} pixels", self.settings.max_pixels, "video")
            at = _seconds(frame)
            begin = at if begin is None else begin
            time_s = self.last_s + self.frame_s if at is None or begin is None else at - begin
            if begin is None and self.last_s < 0:
                time_s = 0.0
            if pixels > self.settings.decode_megapixels * MICROSECONDS or time_s >= self.settings.look_s:
                self.truncated = True
                return
            pixels += frame.width * frame.height
            if time_s <= self.last_s or not math.isfinite(time_s):
                continue
            if self.last_s >= 0:
                self.frame_s = min(LONGEST_FRAME_S, time_s - self.last_s)
            self.last_s = time_s
            if kept_s < 0 or time_s - kept_s >= STEP_S:
                kept_s = time_s
                yield round(time_s, 4), frame

    def _decoded(self) -> Iterator[VideoFrame]:
        """Frames over packets that cannot be decoded."""
        packets = self.container.demux(self.stream)
        while self.errors < MOST_ERRORS:
            try:
                frames = next(packets).decode()
            except (StopIteration, av.EOFError):
                return
            except (av.FFmpegError, ValueError):
                self.errors += 1
                continue
            for frame in frames:
                if isinstance(frame, VideoFrame):
                    self.errors += frame.is_corrupt
                    yield frame

    def _check(self, pixels: int, duration_s: float) -> None:
        if pixels > self.settings.max_pixels:
            raise too_large(f"{pixels} pixels", self.settings.max_pixels, "video")
        if duration_s > self.settings.max_duration_s:
            raise MediaUnusableError(
                f"the video lasts {duration_s:.0f} s, {self.settings.max_duration_s:.0f} s are allowed",
                hint="The limit is the video analyzer's setting max_duration_s.",
            )


def _stated_duration(container: InputContainer, stream: VideoStream) -> float:
    """Seconds as the stream says, else the container; 0 where neither does."""
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / MICROSECONDS
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _seconds(frame: VideoFrame) -> float | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return float(frame.pts * frame.time_base)


def small_picture(frame: VideoFrame) -> NDArray[np.uint8]:
    """The whole frame on SIDE x SIDE pixels, YUV: (3, SIDE, SIDE)."""
    small = frame.reformat(width=SIDE, height=SIDE, format="yuv444p", interpolation="AREA").to_ndarray()
    return np.asarray(small, dtype=np.uint8)


def upright(frame: VideoFrame, stream: VideoStream, side: int) -> Image.Image:
    """RGB as people see it, longest side at most `side`. Of interlaced frames one half, or moving edges would fray."""
    width, height = shown_size(frame.width, frame.height, _pixel(stream))
    scale = min(1.0, side / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if frame.interlaced_frame and frame.height > size[1] and frame.height > 2:  # noqa: PLR2004 - one line a half
        lines = frame.reformat(width=size[0], height=frame.height, format="rgb24", interpolation="AREA").to_ndarray()
        picture = Image.fromarray(np.ascontiguousarray(lines[::2]), "RGB").resize(size, Image.Resampling.BOX)
    else:
        made = frame.reformat(width=size[0], height=size[1], format="rgb24", interpolation="AREA")
        picture = Image.fromarray(made.to_ndarray(), "RGB")
    angle = round(frame.rotation / 90) * 90 % 360
    return picture.transpose(TURNS[angle]) if angle else picture


def _pixel(stream: VideoStream) -> Fraction | None:
    return stream.sample_aspect_ratio
