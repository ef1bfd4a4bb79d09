"""Films whose cuts are known, drawn frame by frame: what editors do, and what only looks like a cut."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Frame = NDArray[np.uint8]
Shot = Callable[[float], Frame]
"""What a camera sees `t` seconds after it began; (height, width, 3), RGB."""

WIDTH, HEIGHT = 320, 180
MARGIN = 1.6
"""Pictures are drawn so much larger than the film that a camera can move over them."""


@dataclass(frozen=True)
class Change:
    """A change of shot: within these times, seconds; equal for a hard cut."""

    begins_s: float
    ends_s: float


@dataclass(frozen=True)
class Film:
    """Frames to be encoded, and the truth about them."""

    kind: str
    frames: Sequence[Frame]
    fps: int
    changes: tuple[Change, ...]

    def write(self, path: Path, codec: str = "libx264", **options: str) -> Path:
        """Encode it; no sound."""
        with av.open(str(path), "w") as out:
            stream: Any = out.add_stream(codec, rate=self.fps)
            height, width, _ = self.frames[0].shape
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.options = options
            for frame in self.frames:
                out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            out.mux(stream.encode(None))
        return path


def picture(seed: int, width: int = int(WIDTH * MARGIN), height: int = int(HEIGHT * MARGIN)) -> Frame:
    """A scene with light, things and texture, another for every seed."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / height
    light = np.zeros((height, width, 3))
    for channel in range(3):
        a, b, c = rng.uniform(-1, 1, 3)
        light[:, :, channel] = rng.uniform(60, 190) + 50 * (a * x + b * y + 0.4 * np.sin(5 * c * x + 3 * a * y))
    image = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8), "RGB")
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(4, 16))):
        left, top = int(rng.integers(-20, width)), int(rng.integers(-20, height))
        size = rng.integers(height // 12, height // 2, 2)
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((left, top, left + int(size[0]), top + int(size[1])), fill=colour)
    grain = rng.normal(0, rng.uniform(1, 9), (height, width, 1))
    return np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)


def camera(base: Frame, seed: int, *, speed: float = 0.05, zoom: float = 1.0, width: int = WIDTH) -> Shot:
    """A view over a still picture that drifts by `speed` widths a second and swings back at its end."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi)
    start = rng.uniform(0.2, 0.8, 2)
    height, whole = base.shape[:2]
    wide = int(whole / MARGIN / zoom)
    high = int(height / MARGIN / zoom)
    size = (width, round(width * high / wide))

    def look(t: float) -> Frame:
        at = start + speed * t * np.array([np.cos(angle), np.sin(angle)]) * whole / MARGIN / np.array(
            [whole - wide, height - high]
        )
        at = np.abs((at % 2) - 1)  # there and back again
        left, top = int(at[0] * (whole - wide)), int(at[1] * (height - high))
        view = Image.fromarray(base[top : top + high, left : left + wide], "RGB")
        return np.asarray(view.resize(size, Image.Resampling.BILINEAR))

    return look


def noisy(shot: Shot, amount: float, seed: int = 0) -> Shot:
    """With a sensor's noise, different in every frame."""

    def look(t: float) -> Frame:
        rng = np.random.default_rng([seed, round(t * 10_000)])
        clean = shot(t)
        return np.clip(clean + rng.normal(0, amount, clean.shape), 0, 255).astype(np.uint8)

    return look


def join(kind: str, shots: Sequence[tuple[Shot, float]], fps: int, blend_s: float = 0.0) -> Film:
    """One after the other, each for so many seconds; a change takes `blend_s`."""
    frames: list[Frame] = []
    changes: list[Change] = []
    half = blend_s / 2
    ends = list(itertools.accumulate(length for _, length in shots))
    count = round(ends[-1] * fps)
    begins = [0.0, *ends[:-1]]
    for number in range(count):
        t = number / fps
        index = min(len(shots) - 1, int(np.searchsorted(ends, t + 1e-9, side="right")))
        frame = shots[index][0](t - begins[index] + half)
        into, left = t - begins[index], ends[index] - t
        if blend_s and index and into < half:
            old = shots[index - 1][0](t - begins[index - 1] + half)
            frame = mixed(old, frame, 0.5 + into / blend_s)
        elif blend_s and index + 1 < len(shots) and left <= half:
            new = shots[index + 1][0](t - ends[index] + half)
            frame = mixed(frame, new, 0.5 - left / blend_s)
        frames.append(frame)
    for end in ends[:-1]:
        at = np.ceil(end * fps - 1e-9) / fps
        changes.append(Change(at - half, at + half))
    return Film(kind, frames, fps, tuple(changes))


def mixed(old: Frame, new: Frame, share: float) -> Frame:
    """A frame of a dissolve: `share` of the new picture."""
    return np.clip(old * (1 - share) + new * share, 0, 255).astype(np.uint8)


def paint_over(film: Film, kind: str, paint: Callable[[Frame, float], Frame]) -> Film:
    """The same film with something over it; the truth stays."""
    painted = [paint(frame, number / film.fps) for number, frame in enumerate(film.frames)]
    return Film(kind, painted, film.fps, film.changes)


def lengths(rng: np.random.Generator, count: int, low: float, high: float) -> list[float]:
    """Shots of so many seconds."""
    return [float(v) for v in rng.uniform(low, high, count)]


Scenes = Callable[[int], Frame]
"""A large picture for every number."""


def drawn_films(seed: int, fps: int, scenes: Scenes = picture) -> Iterator[Film]:
    """One film of each kind."""
    rng = np.random.default_rng(seed)
    first = seed * 100

    def shots(count: int, low: float, high: float, speed: float = 0.05) -> list[tuple[Shot, float]]:
        return [
            (camera(scenes(first + i), i, speed=speed), length)
            for i, length in enumerate(lengths(rng, count, low, high))
        ]

    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    calm = join("calm", [(camera(scenes(first + 50), 50, speed=0.04), 4.0)], fps)
    yield join("hard cuts", shots(6, 0.6, 2.0), fps)
    yield join("hard cuts, moving camera", shots(6, 0.6, 1.5, speed=0.5), fps)
    yield join("quick cuts", shots(12, 0.25, 0.4), fps)
    yield join("dissolves", shots(4, 1.6, 2.2), fps, blend_s=0.4)
    yield join("slow dissolves", shots(3, 2.4, 3.0), fps, blend_s=1.0)
    yield _through_black(shots(3, 1.6, 2.0), fps, black)
    yield _letterboxed(join("", shots(5, 0.7, 1.5), fps), scenes(first + 60))
    yield paint_over(join("", shots(5, 0.7, 1.5), fps), "hard cuts under captions", Captions(seed))
    yield paint_over(calm, "flashes", lambda frame, t: np.full_like(frame, 250) if (t * 1.3) % 1 < 0.09 else frame)
    yield join("fast pan", [(camera(scenes(first + 51), 51, speed=1.6), 3.0)], fps)
    yield join("whip pan", [(_whip(scenes(first + 52)), 3.0)], fps)
    yield join("still picture", [(camera(scenes(first + 53), 53, speed=0.0), 3.0)], fps)
    yield join("talking head, noise", [(noisy(_head(scenes(first + 54)), 12, seed), 4.0)], fps)
    yield paint_over(calm, "captions", Captions(seed))
    yield paint_over(calm, "picture in picture", _window([scenes(first + 70 + i) for i in range(6)]))
    yield paint_over(
        calm, "light changes", lambda f, t: np.clip(f * (1 + 0.35 * np.sin(4 * t)), 0, 255).astype(np.uint8)
    )
    yield join("zoom", [(_zoom(scenes(first + 55)), 3.0)], fps)
    yield paint_over(calm, "graphics come in", Graphics(seed))


def _through_black(shots: list[tuple[Shot, float]], fps: int, black: Frame) -> Film:
    parts: list[tuple[Shot, float]] = []
    for shot, length in shots:
        parts += [(shot, length), (lambda _t: black, 0.5)]
    whole = join("through black", parts[:-1], fps, blend_s=0.4)
    pairs = zip(whole.changes[::2], whole.changes[1::2], strict=True)
    return Film(whole.kind, whole.frames, fps, tuple(Change(a.begins_s, b.ends_s) for a, b in pairs))


def _letterboxed(film: Film, around: Frame) -> Film:
    """A wide film within a tall one, as feeds show it; around it a picture that stands still."""
    tall = np.asarray(Image.fromarray(around, "RGB").resize((WIDTH, round(WIDTH * 16 / 9 / 2) * 2)))
    top = (tall.shape[0] - HEIGHT) // 2

    def paint(frame: Frame, _t: float) -> Frame:
        canvas = tall.copy()
        canvas[top : top + HEIGHT] = frame
        return canvas

    return paint_over(film, "cuts within a still frame", paint)


class Captions:
    """A line of blocks like letters in the lower third, another every 0.7 seconds."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, frame: Frame, t: float) -> Frame:
        rng = np.random.default_rng([self._seed, int(t / 0.7)])
        image = Image.fromarray(frame, "RGB")
        draw = ImageDraw.Draw(image)
        width, height = image.size
        draw.rectangle((width * 0.08, height * 0.74, width * 0.92, height * 0.92), fill=(15, 15, 15))
        x = width * 0.1
        while x < width * 0.88:
            step = float(rng.uniform(0.02, 0.06)) * width
            draw.rectangle((x, height * 0.77, x + step * 0.7, height * 0.89), fill=(250, 250, 250))
            x += step
        return np.asarray(image)


class Graphics:
    """A coloured panel comes in every second and stays: over a third of the picture at the end."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._colours = rng.integers(0, 256, (4, 3))

    def __call__(self, frame: Frame, t: float) -> Frame:
        painted = frame.copy()
        height, width = frame.shape[:2]
        for index in range(min(4, int(t))):
            left = int(width * (0.05 + 0.24 * index))
            painted[int(height * 0.3) : int(height * 0.7), left : left + int(width * 0.2)] = self._colours[index]
        return painted


def _window(inner: list[Frame]) -> Callable[[Frame, float], Frame]:
    def paint(frame: Frame, t: float) -> Frame:
        painted = frame.copy()
        height, width = frame.shape[0] // 2, frame.shape[1] // 2
        seen = Image.fromarray(inner[int(t / 0.7) % len(inner)], "RGB").resize((width, height))
        painted[8 : 8 + height, 8 : 8 + width] = np.asarray(seen)
        return painted

    return paint


def _whip(base: Frame) -> Shot:
    """Stands still, tears across the picture in a quarter of a second, stands still."""
    height, width = base.shape[:2]
    wide, high = int(width / MARGIN), int(height / MARGIN)

    def look(t: float) -> Frame:
        share = float(np.clip((t - 1.4) / 0.25, 0, 1))
        left = int(share * (width - wide))
        view = Image.fromarray(base[20 : 20 + high, left : left + wide], "RGB")
        return np.asarray(view.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))

    return look


def _head(base: Frame) -> Shot:
    """A round face that nods before a still background."""
    small = np.asarray(Image.fromarray(base, "RGB").resize((WIDTH, HEIGHT)))

    def look(t: float) -> Frame:
        image = Image.fromarray(small, "RGB")
        draw = ImageDraw.Draw(image)
        x, y = 160 + 10 * np.sin(2.1 * t), 90 + 6 * np.sin(3.3 * t)
        draw.ellipse((x - 45, y - 60, x + 45, y + 60), fill=(205, 160, 130))
        draw.ellipse((x - 18, y + 20, x + 18, y + 24 + 8 * abs(np.sin(9 * t))), fill=(120, 40, 40))
        return np.asarray(image)

    return look


def _zoom(base: Frame) -> Shot:
    height, width = base.shape[:2]

    def look(t: float) -> Frame:
        scale = 1 / (1 + 0.35 * t)
        wide, high = int(width * scale), int(height * scale)
        left, top = (width - wide) // 2, (height - high) // 2
        view = Image.fromarray(base[top : top + high, left : left + wide], "RGB")
        return np.asarray(view.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))

    return look
