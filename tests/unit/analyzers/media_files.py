"""Real media, made by Pillow and PyAV."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from adology_media import MediaFacts


@dataclass(frozen=True)
class Look:
    """What the analyzer said, and the files that it made by name."""

    facts: MediaFacts
    derived: dict[str, Path]

    def picture(self, name: str) -> Image.Image:
        with Image.open(self.derived[name]) as image:
            return image.convert("RGB")


def scene(width: int = 400, height: int = 300, seed: int = 0) -> Image.Image:
    """A picture with structure, other for every seed: shapes on a gradient."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 120, width, dtype=np.uint8)
    image = Image.fromarray(np.stack([np.tile(ramp, (height, 1))] * 3, axis=2), "RGB")
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = (int(v) for v in (rng.integers(0, width), rng.integers(0, height)))
        size = int(rng.integers(min(width, height) // 8 + 1, min(width, height) // 2 + 2))
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        draw.ellipse((x - size // 2, y - size // 2, x + size // 2, y + size // 2), fill=colour)
    return image


def red_corner(width: int = 90, height: int = 60) -> Image.Image:
    """White with a red top left quarter: shows which way is up."""
    image = Image.new("RGB", (width, height), "white")
    image.paste((255, 0, 0), (0, 0, width // 2, height // 2))
    return image


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def animation(path: Path, form: str, frames: Sequence[Image.Image], ms: int) -> Path:
    frames[0].save(path, form, save_all=True, append_images=frames[1:], duration=ms, loop=0)
    return path


def film(
    path: Path,
    pictures: Iterable[Image.Image],
    *,
    fps: int = 10,
    codec: str = "libx264",
    sound: NDArray[np.float32] | None = None,
    rotate: int = 0,
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
    pixel: Fraction | None = None,
) -> Path:
    """A video of the pictures, all of one size. `sound`: float (channels, samples) at 48 kHz."""
    with av.open(str(path), "w", options=options or {}) as container:
        # PyAV's stubs do not know which kind of stream a codec's name gives.
        audio: Any = None
        video: Any = None
        if sound is not None:
            audio = container.add_stream("libopus" if path.suffix == ".webm" else "aac", rate=48_000)
            audio.layout = "mono" if len(sound) == 1 else "stereo"
            audio.bit_rate = 192_000
        for picture in pictures:
            if video is None:
                video = container.add_stream(codec, rate=fps)
                video.width, video.height, video.pix_fmt = picture.width, picture.height, "yuv420p"
                video.options = codec_options or {}
                if pixel is not None:
                    video.codec_context.sample_aspect_ratio = pixel
                if rotate:
                    video.set_display_rotation(rotate)
            container.mux(video.encode(_frame(picture)))
        if video is not None:
            container.mux(video.encode(None))
        if audio is not None and sound is not None:
            for frame in sound_frames(sound):
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def _frame(picture: Image.Image) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")


def sound_frames(sound: NDArray[np.float32], block: int = 1024) -> Iterable[av.AudioFrame]:
    layout = "mono" if len(sound) == 1 else "stereo"
    for at in range(0, sound.shape[1], block):
        part = np.ascontiguousarray(sound[:, at : at + block])
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
        yield frame


def sine(dbfs: float, seconds: float, *, hertz: float = 1000.0, channels: int = 2) -> NDArray[np.float32]:
    """A sine whose peak is at `dbfs`, the same on all channels, 48 kHz."""
    t = np.arange(int(48_000 * seconds)) / 48_000
    wave = (10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * t)).astype(np.float32)
    return np.stack([wave] * channels)
