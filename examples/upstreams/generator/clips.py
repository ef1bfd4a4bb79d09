"""Short video ads: two to four scenes with slow zooms, hard cuts, and sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import msgspec
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from upstreams.generator.fonts import Typeface
from upstreams.generator.layout import Box, Words, layout_for, place, write_words
from upstreams.generator.scenes import Palette, Rng, add_thing, draw_scene
from upstreams.generator.words import Shape

SIZES = {"9:16": (448, 800), "1:1": (448, 448), "16:9": (704, 400)}
"""Multiples of 64 and 16: encoders read the padding of other sizes, which is whatever memory held."""
FPS = 24
CODECS = ("libx264", "libopenh264", "mpeg4")
"""The first that the installed FFmpeg can encode is taken."""
_RATE = 44_100
_ZOOM = 0.12


class Clip(msgspec.Struct, frozen=True):
    """What was filmed."""

    duration_s: float
    frames: int
    cuts_s: tuple[float, ...]
    boxes: dict[str, Box]


def film(
    path: Path, seed: list[int], size: tuple[int, int], words: Words, shape: Shape, hue: float, typeface: Typeface,
    *, sound: bool,
) -> Clip:  # fmt: skip
    """Write a clip; the words stand still in every scene."""
    rng = np.random.default_rng(seed)
    lengths = [int(rng.integers(FPS, FPS * 2)) for _ in range(int(rng.integers(2, 5)))]
    # Three to six seconds in all.
    lengths[-1] += max(0, FPS * 3 - sum(lengths))
    cuts = np.cumsum(lengths)[:-1] / FPS
    overlay, boxes = _draw_overlay(rng, size, words, hue, typeface)
    with av.open(str(path), "w", options={"movflags": "+faststart", "fflags": "+bitexact"}) as out:
        video = _add_video(out, size)
        audio = _add_audio(out) if sound else None
        at = 0
        for number, length in enumerate(lengths):
            scene = _draw_shot(rng, size, shape, hue + 0.29 * number)
            for step in range(length):
                frame = VideoFrame.from_ndarray(_compose(scene, overlay, size, step / length), format="rgb24")
                frame.pts = at
                out.mux(video.encode(frame))
                at += 1
        out.mux(video.encode(None))
        if audio is not None:
            _write_sound(out, audio, rng, at / FPS, cuts)
    return Clip(at / FPS, at, tuple(float(round(cut, 4)) for cut in cuts), boxes)


def _draw_shot(rng: Rng, size: tuple[int, int], shape: Shape, hue: float) -> Image.Image:
    """A scene a little larger than the frame, to zoom into."""
    large = (int(size[0] * (1 + _ZOOM)), int(size[1] * (1 + _ZOOM)))
    palette = Palette(rng, hue)
    picture = draw_scene(rng, large, palette)
    add_thing(picture, shape, place(layout_for(size).thing, large), palette.thing)
    return picture


def _draw_overlay(
    rng: Rng, size: tuple[int, int], words: Words, hue: float, typeface: Typeface
) -> tuple[NDArray[np.uint8], dict[str, Box]]:
    """The words on nothing: premultiplied colour and opacity."""
    black, white = Image.new("RGB", size), Image.new("RGB", size, (255, 255, 255))
    palette = Palette(rng, hue)
    boxes = write_words(black, words, palette, typeface)
    write_words(white, words, palette, typeface)
    return np.stack([np.asarray(black), np.asarray(white)]), boxes


def _compose(
    scene: Image.Image, overlay: NDArray[np.uint8], size: tuple[int, int], progress: float
) -> NDArray[np.uint8]:
    """One frame. What is black on black and white on white lets all of the scene through."""
    inset_x = int((scene.width - size[0]) / 2 * progress)
    inset_y = int((scene.height - size[1]) / 2 * progress)
    window = (inset_x, inset_y, scene.width - inset_x, scene.height - inset_y)
    pixels = np.asarray(scene.resize(size, Image.Resampling.BILINEAR, window), np.uint16)
    through = overlay[1].astype(np.uint16) - overlay[0]
    frame: NDArray[np.uint8] = (overlay[0] + (pixels * through >> 8)).astype(np.uint8)
    return frame


def _add_video(out: OutputContainer, size: tuple[int, int]) -> VideoStream:
    for codec in CODECS:
        try:
            stream = out.add_stream(codec, rate=FPS)
        except (ValueError, av.FFmpegError):
            continue
        if not isinstance(stream, VideoStream):
            continue
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        # One thread: the same bytes on machines with more or fewer cores.
        stream.codec_context.thread_count = 1
        if codec == "libx264":
            # Measured: with macroblock trees the same frames give different bytes from run to run.
            stream.options = {"preset": "veryfast", "crf": "26", "x264-params": "mbtree=0"}
        else:
            stream.bit_rate = 900_000
        return stream
    raise RuntimeError(f"this FFmpeg encodes none of {', '.join(CODECS)}")


def _add_audio(out: OutputContainer) -> AudioStream:
    stream = out.add_stream("aac", rate=_RATE, options={"flags": "+bitexact"})
    if not isinstance(stream, AudioStream):
        raise TypeError("the AAC encoder makes no audio stream")
    stream.layout = "mono"
    stream.bit_rate = 64_000
    return stream


def _write_sound(
    out: OutputContainer, stream: AudioStream, rng: Rng, seconds: float, cuts: NDArray[np.float64]
) -> None:
    """A chord that changes at each cut, over a little noise."""
    time = np.arange(int(seconds * _RATE)) / _RATE
    root = 220 * 2 ** (np.searchsorted(cuts, time, side="right") * 5 / 12)
    wave = sum(np.sin(2 * np.pi * root * ratio * time) for ratio in (1.0, 1.25, 1.5)) / 3
    signal = 0.35 * wave * (0.6 + 0.4 * np.sin(2 * np.pi * 2 * time)) + 0.03 * rng.standard_normal(time.size)
    samples = np.clip(signal * 32_000, -32_000, 32_000).astype(np.int16)[None, :]
    frame = AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = _RATE
    frame.pts = 0
    frame.time_base = Fraction(1, _RATE)
    out.mux(stream.encode(frame))
    out.mux(stream.encode(None))
