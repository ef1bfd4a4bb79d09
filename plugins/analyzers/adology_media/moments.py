"""Evenly spaced pictures of a video, without reading the whole of it.

For each wanted moment: seek to the key frame before it, unless decoding on from the moment before
is nearer, then decode to the moment itself as far as the pixel budget reaches. Two encodings of
one film have their key frames in different places, so stopping at them would make equal films
look different. The budget counts pixels, not seconds, so that the same file always gives the same
pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from adology import Struct
from adology.errors import MediaUnusableError

MAX_ERRORS = 64
"""Undecodable packets per moment after which we take what there is."""

WIDEST_PIXEL = 10
EPSILON_S = 0.001
LATE_S = 0.25
BEFORE_ALL = -(2**40)
"""A time stamp that no key frame is before."""

TURNS: dict[int, Image.Transpose] = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}
"""By FFmpeg's angle, which is anticlockwise as Pillow's is."""


class Moment(Struct, frozen=True, kw_only=True):
    """One upright RGB picture, `time_s` from the start."""

    time_s: float
    picture: Image.Image


class Look(Struct, frozen=True, kw_only=True):
    """What looking into a video gave. `turned` is the display rotation, clockwise degrees."""

    moments: tuple[Moment, ...]
    turned: int
    errors: int


class Scout:
    """Finds out, in a container of its own, which key frame seeking would lead to; decodes nothing."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._container = container
        self._stream = stream

    def key_frame(self, offset: int) -> int | None:
        """Time stamp of the key frame before `offset`; None where that cannot be told."""
        try:
            self._container.seek(offset, stream=self._stream, backward=True)
            return next(self._container.demux(self._stream)).pts
        except (av.FFmpegError, OverflowError, StopIteration):
            return None


class Watcher:
    """Takes moments out of one stream; `side` bounds the pictures, `budget` the decoded pixels."""

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        scout: Scout,
        *,
        side: int,
        budget: int,
        max_pixels: int,
    ) -> None:
        self._container = container
        self._stream = stream
        self._scout = scout
        self._side = side
        self._budget = budget
        self._max_pixels = max_pixels
        self._errors = 0
        self._turned = 0
        self._frames: Iterator[VideoFrame] = iter(())
        self._last: VideoFrame | None = None
        context = stream.codec_context
        context.thread_count = 1
        # The decoder itself refuses a picture that grows in mid-stream.
        context.options = {"max_pixels": str(max_pixels)}

    def look(self, duration_s: float, count: int) -> Look:
        """Up to `count` different moments in the middles of equal parts, in order of time."""
        targets = [(i + 0.5) * duration_s / count for i in range(count)] if duration_s > 0 else [0.0]
        found: dict[float, Image.Image] = {}
        for left, target in zip(range(len(targets), 0, -1), targets, strict=True):
            frame = self._find(target, self._budget // left)
            if frame is not None:
                found.setdefault(self._time(frame), self._picture(frame))
        moments = tuple(Moment(time_s=time, picture=picture) for time, picture in sorted(found.items()))
        return Look(moments=moments, turned=self._turned, errors=self._errors)

    def _find(self, target_s: float, budget: int) -> VideoFrame | None:
        """The first frame at or after the moment, else the last that the budget or the file allows."""
        base = self._stream.time_base or Fraction(1, av.time_base)
        offset = max(0, round((target_s + EPSILON_S) / base) + (self._stream.start_time or 0))
        frame = self._walk(offset, target_s, budget)
        if frame is not None and self._time(frame) <= target_s + LATE_S:
            return frame
        # Edit lists make seeking overshoot: then the way from the very beginning may be nearer.
        other = self._walk(BEFORE_ALL, target_s, budget)
        found = [f for f in (frame, other) if f is not None]
        return min(found, key=lambda f: abs(self._time(f) - target_s), default=None)

    def _walk(self, offset: int, target_s: float, budget: int) -> VideoFrame | None:
        """The frame at the moment, from the key frame before `offset` or from where we are."""
        if not self._is_ahead(offset):
            try:
                self._container.seek(offset, stream=self._stream, backward=True)
            except (av.FFmpegError, OverflowError):
                return None
            self._frames, self._last = self._decode(), None
        for frame in self._frames:
            self._last = frame
            budget -= frame.width * frame.height
            self._budget -= frame.width * frame.height
            if self._time(frame) >= target_s - EPSILON_S or budget <= 0:
                break
        return self._last

    def _is_ahead(self, offset: int) -> bool:
        """Whether we are between the key frame and `offset` already: decoding on is the shorter way."""
        if self._last is None or self._last.pts is None or self._last.pts > offset:
            return False
        key = self._scout.key_frame(offset)
        return key is not None and key <= self._last.pts

    def _decode(self) -> Iterator[VideoFrame]:
        """Frames from here on, over packets that cannot be decoded."""
        errors = 0
        packets = self._container.demux(self._stream)
        while errors < MAX_ERRORS:
            try:
                packet = next(packets)
                frames = packet.decode()
            except (StopIteration, av.EOFError):
                return
            except (av.FFmpegError, ValueError):
                errors += 1
                self._errors += 1
                continue
            for frame in frames:
                if isinstance(frame, VideoFrame):
                    self._check(frame)
                    self._errors += frame.is_corrupt
                    yield frame

    def _check(self, frame: VideoFrame) -> None:
        if frame.width * frame.height > self._max_pixels:
            raise MediaUnusableError(
                f"a frame has {frame.width} x {frame.height} pixels, {self._max_pixels} are allowed",
                hint="The limit is the media analyzer's setting max_pixels.",
            )

    def _time(self, frame: VideoFrame) -> float:
        """Seconds from the stream's start."""
        if frame.pts is None or frame.time_base is None:
            return 0.0
        return round(float((frame.pts - (self._stream.start_time or 0)) * frame.time_base), 3)

    def _picture(self, frame: VideoFrame) -> Image.Image:
        width, height = shown_size(frame.width, frame.height, self._stream.sample_aspect_ratio)
        scale = min(1.0, self._side / max(width, height))
        small = frame.reformat(
            width=max(1, round(width * scale)),
            height=max(1, round(height * scale)),
            format="rgb24",
            interpolation="AREA",
        )
        picture = Image.fromarray(small.to_ndarray(), "RGB")
        angle = round(frame.rotation / 90) * 90 % 360
        self._turned = -angle % 360
        return picture.transpose(TURNS[angle]) if angle else picture


def shown_size(width: int, height: int, pixel: Fraction | None) -> tuple[int, int]:
    """Width and height as shown, given the shape of a pixel; impossible shapes count as square."""
    if not pixel or not Fraction(1, WIDEST_PIXEL) <= pixel <= WIDEST_PIXEL:
        return width, height
    return max(1, round(width * pixel)), height
