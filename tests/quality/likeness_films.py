"""Videos changed as advertisers and platforms change them, and cuts of one film that are no duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

Frames = list[Image.Image]
FPS = 10
SIDE = 360
LONGEST_S = 9
SCENES_APART = ("cockatoo.mp4", "mdn-frog.webm", "mdn-pig.webm", "mdn-rabbit320.mp4", "v2s.mov")
"""Clips that move enough for their first and last third to be different films."""


def frames_of(path: Path) -> Frames:
    """The film at 10 frames a second, longest side 360 pixels, 9 seconds at most."""
    frames: Frames = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            if frame.time is None or frame.time * FPS < len(frames):
                continue
            picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # PyAV has no stub for it
            picture.thumbnail((SIDE, SIDE))
            frames.append(picture.crop((0, 0, picture.width // 2 * 2, picture.height // 2 * 2)))
            if len(frames) == LONGEST_S * FPS:
                break
    return frames


def write(path: Path, frames: Sequence[Image.Image], *, quality: int = 23) -> Path:
    """The frames as H.264; `quality` is its CRF, more is worse."""
    width, height = (side // 2 * 2 for side in frames[0].size)
    with av.open(str(path), "w") as container:
        # PyAV's stubs do not know which kind of stream a codec's name gives.
        stream: Any = container.add_stream("libx264", rate=FPS, options={"crf": str(quality), "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, FPS)
        for number, picture in enumerate(frames):
            cut = picture.convert("RGB").crop((0, 0, width, height))
            frame = av.VideoFrame.from_image(cut)  # type: ignore[no-untyped-call]  # as above
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _written(words: str) -> Callable[[Frames], Frames]:
    """Words on a bar for most of the film: what is said in another language."""

    def change(frames: Frames) -> Frames:
        changed = []
        for number, frame in enumerate(frames):
            picture = frame.copy()
            if number % 30 > 3:
                drawing = ImageDraw.Draw(picture)
                top = round(0.72 * picture.height)
                drawing.rectangle((0, top, picture.width, round(0.9 * picture.height)), fill=(10, 10, 10))
                font = ImageFont.load_default(round(0.1 * picture.height))
                drawing.text((round(0.05 * picture.width), top), words, fill="white", font=font)
            changed.append(picture)
        return changed

    return change


def _each(change: Callable[[Image.Image], Image.Image]) -> Callable[[Frames], Frames]:
    return lambda frames: [change(frame) for frame in frames]


def _boxed(frame: Image.Image) -> Image.Image:
    """In the middle of a black upright screen."""
    screen = Image.new("RGB", (SIDE * 9 // 16 // 2 * 2, SIDE))
    return _on(screen, frame)


def _on(screen: Image.Image, frame: Image.Image) -> Image.Image:
    small = ImageOps.contain(frame, screen.size)
    screen.paste(small, ((screen.width - small.width) // 2, (screen.height - small.height) // 2))
    return screen


def _cropped(frame: Image.Image) -> Image.Image:
    x, y = round(frame.width * 0.1), round(frame.height * 0.06)
    return frame.crop((x, y, frame.width - x, frame.height - y))


CHANGES: dict[str, Callable[[Frames], Frames]] = {
    "half the size, strongly compressed": _each(lambda frame: frame.resize((frame.width // 2, frame.height // 2))),
    "trimmed": lambda frames: frames[len(frames) // 4 : len(frames) * 3 // 4],
    "letterboxed upright": _each(_boxed),
    "cropped": _each(_cropped),
    "mirrored": _each(ImageOps.mirror),
    "faster by a quarter": lambda frames: [frame for i, frame in enumerate(frames) if i % 5 != 4],
    "grey": _each(lambda frame: ImageOps.grayscale(frame).convert("RGB")),
    "words": _written("Sale ends on Sunday"),
}
LANGUAGES = (_written("Sale ends on Sunday"), _written("Solo hasta el domingo"))


def slideshow(pictures: Sequence[Image.Image]) -> Frames:
    """Each picture for a second and a half."""
    size = (SIDE, SIDE)
    return [_on(Image.new("RGB", size, "white"), picture) for picture in pictures for _ in range(FPS * 3 // 2)]


def framed(frames: Frames, words: str) -> Frames:
    """A film within the frame of a template: head line above, button below."""
    made = []
    for frame in frames:
        screen = Image.new("RGB", (SIDE * 4 // 5, SIDE), (24, 40, 92))
        small = ImageOps.fit(frame, (SIDE * 4 // 5 - 24, SIDE // 2))
        screen.paste(small, (12, SIDE // 4))
        drawing = ImageDraw.Draw(screen)
        drawing.text((16, 24), words, fill="white", font=ImageFont.load_default(30))
        drawing.rectangle((60, SIDE - 64, SIDE * 4 // 5 - 60, SIDE - 20), fill=(250, 200, 40))
        drawing.text((84, SIDE - 56), "Shop now", fill="black", font=ImageFont.load_default(22))
        made.append(screen)
    return made


def moments(frames: Frames, count: int) -> Iterator[tuple[float, Image.Image]]:
    """Evenly spread frames with their times."""
    for at in np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int):
        yield at / FPS, frames[at]
