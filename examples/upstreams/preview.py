"""Preview pictures of videos: made when first asked for, as a CDN does."""

from __future__ import annotations

import io
from pathlib import Path

import av
from PIL import Image

SUFFIX = ".preview.jpg"


def preview_of(file: str) -> str:
    """The name under which the media server serves the preview of the video `file`."""
    return file + SUFFIX


def render_preview(video: Path) -> bytes:
    """The first frame as JPEG; a grey picture when the file has no readable frame."""
    image = _first_frame(video) or Image.new("RGB", (320, 180), (128, 128, 128))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _first_frame(video: Path) -> Image.Image | None:
    try:
        with av.open(str(video)) as container:
            frame = next(container.decode(video=0), None)
            return _to_image(frame) if frame is not None else None
    except (av.FFmpegError, IndexError):
        return None


def _to_image(frame: av.VideoFrame) -> Image.Image:
    pixels = frame.reformat(format="rgb24").to_ndarray()
    return Image.fromarray(pixels)
