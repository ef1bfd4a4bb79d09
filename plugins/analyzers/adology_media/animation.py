"""Frames and running time of animated pictures, read from the container without decoding.

Pillow counts GIF frames only by walking the whole file, and knows durations only after
decoding every frame: a 50 MB file of empty frames would take minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from adology import Struct
from adology.errors import MediaUnusableError

HASTY_MS = 10
HASTY_SHOWN_MS = 100
"""Browsers show frames of 10 ms or less for 100 ms; so do we, or ads would look 10 times shorter."""


PADDING = 4096
"""Stray bytes between GIF blocks after which the rest is not looked at."""


class Animation(Struct, frozen=True, kw_only=True):
    """Number of frames, and the sum of their times where the container states them."""

    frames: int = 1
    duration_s: float | None = None


class _Tally:
    """Frames so far, against the limit."""

    def __init__(self, limit: int) -> None:
        self.frames = 0
        self.total_ms = 0.0
        self._limit = limit

    def frame(self) -> None:
        self.frames += 1
        if self.frames > self._limit:
            raise MediaUnusableError(
                f"the animation has more than {self._limit} frames",
                hint="The limit is the media analyzer's setting max_frames.",
            )

    def delay(self, milliseconds: float) -> None:
        self.total_ms += milliseconds if milliseconds > HASTY_MS else HASTY_SHOWN_MS

    def result(self) -> Animation:
        if self.frames <= 1:
            return Animation()
        return Animation(frames=self.frames, duration_s=round(self.total_ms / 1000, 3))


def count_frames(path: Path, format_name: str, *, limit: int) -> Animation:
    """The animation in the file; one frame for formats and files that do not move.

    Raises:
        MediaUnusableError: more than `limit` frames, or the file ends inside one.
    """
    walk = WALKERS.get(format_name)
    if walk is None:
        return Animation()
    tally = _Tally(limit)
    with path.open("rb") as file:
        walk(file, tally)
    return tally.result()


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise MediaUnusableError(f"the file is cut off: it ends {size - len(data)} bytes inside a frame")
    return data


def _walk_gif(file: BinaryIO, tally: _Tally) -> None:
    """Blocks of GIF89a, sections 20 to 27."""
    head = _exactly(file, 13)
    _skip_colours(file, head[10])
    delay_ms = padding = 0
    while introducer := file.read(1):
        if introducer == b"\x21":
            label = _exactly(file, 1)
            if label == b"\xf9":
                block = _exactly(file, 1)
                data = _exactly(file, block[0])
                delay_ms = 10 * int.from_bytes(data[1:3], "little")
            _skip_blocks(file)
        elif introducer == b"\x2c":
            tally.frame()
            tally.delay(delay_ms)
            delay_ms = 0
            _skip_colours(file, _exactly(file, 9)[8])
            _exactly(file, 1)
            _skip_blocks(file)
        elif introducer == b"\x3b" or padding > PADDING:
            return
        else:
            # Padding, which decoders skip as well.
            padding += 1


def _skip_colours(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        _exactly(file, 3 << ((flags & 0x07) + 1))


def _skip_blocks(file: BinaryIO) -> None:
    while size := _exactly(file, 1)[0]:
        _exactly(file, size)


def _walk_webp(file: BinaryIO, tally: _Tally) -> None:
    """RIFF chunks; every ANMF is a frame whose duration is 24 bits at offset 12."""
    end = 8 + int.from_bytes(_exactly(file, 12)[4:8], "little")
    size = file.seek(0, 2)
    if size < end:
        raise MediaUnusableError(f"the file is cut off: it says that it has {end} bytes, {size} are there")
    file.seek(12)
    while len(header := file.read(8)) == 8:  # noqa: PLR2004 - name and size
        size = int.from_bytes(header[4:], "little")
        if header[:4] == b"ANMF":
            tally.frame()
            data = _exactly(file, 16)
            tally.delay(int.from_bytes(data[12:15], "little"))
            size = max(0, size - 16)
        file.seek(size + size % 2, 1)


def _walk_png(file: BinaryIO, tally: _Tally) -> None:
    """Chunks; every fcTL is a frame with its delay as a fraction of seconds."""
    file.seek(8)
    while len(header := file.read(8)) == 8:  # noqa: PLR2004 - size and name
        size, name = int.from_bytes(header[:4], "big"), header[4:]
        if name == b"IEND":
            return
        if name == b"fcTL" and size >= 24:  # noqa: PLR2004 - up to the delay
            data = _exactly(file, 24)
            tally.frame()
            tally.delay(1000 * int.from_bytes(data[20:22], "big") / (int.from_bytes(data[22:24], "big") or 100))
            size -= 24
        file.seek(size + 4, 1)
    if tally.frames > 1:
        raise MediaUnusableError(f"the file is cut off: no end chunk follows its {tally.frames} frames")


WALKERS: dict[str, Callable[[BinaryIO, _Tally], None]] = {"gif": _walk_gif, "webp": _walk_webp, "png": _walk_png}
