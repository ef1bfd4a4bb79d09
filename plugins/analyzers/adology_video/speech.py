"""The sound of a film as a small file that a transcriber takes: mono, 16 kHz, Opus."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer, OutputContainer

from adology.errors import MediaUnusableError
from adology_media.containers import AUDIO_CODECS, codec_of, open_video, short
from adology_media.sniff import sniff
from adology_video.sound import Listener

RATE = 16_000
BIT_RATE = 24_000
MICROSECONDS = 1_000_000
NO_SOUND = "the film has no sound"
SILENT = "the film is silent"
DAMAGED = "the film's sound cannot be decoded"


def extract_speech(path: str, limit_s: float, max_duration_s: float, silence_dbfs: float) -> dict[str, Any]:
    """``audio`` (Ogg with Opus), ``seconds`` and ``truncated``; or ``why`` there is nothing to transcribe.

    Plain arguments and result: this runs in a child process. The same film always gives the same bytes.

    Raises:
        MediaUnusableError: it is no film, is cut off, or longer than `max_duration_s`.
    """
    file = Path(path)
    format_ = sniff(file)
    if format_.kind == "image":
        return {"why": NO_SOUND}
    with open_video(file, format_) as container:
        lasts_s = (container.duration or 0) / MICROSECONDS
        if lasts_s > max_duration_s:
            raise MediaUnusableError(
                f"the video lasts {lasts_s:.0f} s, {max_duration_s:.0f} s are allowed",
                hint="The limit is the transcript analyzer's setting max_duration_s.",
            )
        if not container.streams.audio:
            return {"why": NO_SOUND}
        if codec_of(container.streams.audio[0]) not in AUDIO_CODECS:
            return {"why": DAMAGED}
        try:
            return _encode(container, limit_s, silence_dbfs)
        except (av.FFmpegError, ValueError, ArithmeticError) as error:
            raise MediaUnusableError(f"the sound of the {format_.name} video cannot be read: {short(error)}") from error


def _encode(container: InputContainer, limit_s: float, silence_dbfs: float) -> dict[str, Any]:
    track = Listener(container, container.streams.audio[0])
    buffer = io.BytesIO()
    # Bit-exact: else every file would carry a random serial number, and look new to whoever counts by content.
    with av.open(buffer, "w", format="ogg", options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream("libopus", rate=RATE)
        stream.bit_rate = BIT_RATE
        stream.layout = "mono"
        samples, more = _write(out, stream, _resampled(track), math.ceil(limit_s * RATE))
    if track.damaged or not samples:
        return {"why": DAMAGED if track.damaged else NO_SOUND}
    if max(track.energies()) < 10 ** (silence_dbfs / 10):
        return {"why": SILENT}
    return {"audio": buffer.getvalue(), "seconds": round(samples / RATE, 3), "truncated": more}


def _write(out: OutputContainer, stream: Any, frames: Iterator[AudioFrame], most: int) -> tuple[int, bool]:
    """Samples written, and whether there were more."""
    samples = 0
    for frame in frames:
        if samples >= most:
            break
        frame.pts, frame.time_base = samples, Fraction(1, RATE)
        samples += frame.samples
        out.mux(stream.encode(frame))
    else:
        out.mux(stream.encode(None))
        return samples, False
    out.mux(stream.encode(None))
    return samples, True


def _resampled(track: Listener) -> Iterator[AudioFrame]:
    """Frames of mono at 16 kHz; ends where the format changes in mid-stream."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    for frame in track.frames():
        try:
            yield from resampler.resample(frame)
        except ValueError:
            return
    yield from resampler.resample(None)
