"""Which decoder reads the file: decided by its first bytes, since names and content types lie."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from adology import Struct
from adology.errors import MediaUnusableError
from adology.fetch.sniff import SNIFF_BYTES
from adology.fetch.sniff import sniff as find_type

PICTURES = "JPEG, PNG, GIF, WebP, AVIF, BMP, TIFF"
FILMS = "MP4, MOV, WebM, Matroska, AVI, MPEG, MPEG-TS, FLV, Ogg, ASF"


class Format(Struct, frozen=True, kw_only=True):
    """A format that we read; `reader` is Pillow's name for it, or FFmpeg's demuxer."""

    kind: Literal["image", "video"]
    name: str
    mime: str
    reader: str


def _picture(name: str, reader: str) -> Format:
    return Format(kind="image", name=name, mime=f"image/{name}", reader=reader)


def _film(name: str, mime: str, reader: str) -> Format:
    return Format(kind="video", name=name, mime=f"video/{mime}", reader=reader)


MP4 = _film("mp4", "mp4", "mov")
FORMATS: dict[str, Format] = {
    "image/jpeg": _picture("jpeg", "JPEG"),
    "image/png": _picture("png", "PNG"),
    "image/gif": _picture("gif", "GIF"),
    "image/webp": _picture("webp", "WEBP"),
    "image/avif": _picture("avif", "AVIF"),
    "image/bmp": _picture("bmp", "BMP"),
    "image/tiff": _picture("tiff", "TIFF"),
    "video/mp4": MP4,
    "video/x-m4v": MP4,
    "video/3gpp": MP4,
    "video/quicktime": _film("mov", "quicktime", "mov"),
    "video/webm": _film("webm", "webm", "matroska"),
    "video/x-matroska": _film("matroska", "x-matroska", "matroska"),
    "video/x-msvideo": _film("avi", "x-msvideo", "avi"),
    "video/mpeg": _film("mpeg", "mpeg", "mpeg"),
    "video/mp2t": _film("mpegts", "mp2t", "mpegts"),
    "video/x-flv": _film("flv", "x-flv", "flv"),
    "video/ogg": _film("ogg", "ogg", "ogg"),
    "video/x-ms-asf": _film("asf", "x-ms-asf", "asf"),
}
"""By the type that the fetch guard finds."""
BARE_MPEG = b"\0\0\x01\xb3"
"""MPEG video without the container around it, which has a demuxer of its own."""
HTML = "text/html"


def sniff(path: Path) -> Format:
    """The format of the file.

    Raises:
        MediaUnusableError: it is none of the formats that we read; says what it looks like.
    """
    with path.open("rb") as file:
        head = file.read(SNIFF_BYTES)
    found = find_type(head)
    if found is None:
        raise _refused(f"of no known format, it begins with {head[:12].hex(' ')}" if head else "empty")
    format_ = FORMATS.get(found.content_type)
    if format_ is None:
        often = " (an expired address often answers with an HTML page)" if found.content_type == HTML else ""
        raise _refused(f"{found.content_type}{often}")
    return msgspec.structs.replace(format_, reader="mpegvideo") if head.startswith(BARE_MPEG) else format_


def _refused(seen: str) -> MediaUnusableError:
    return MediaUnusableError(
        f"not a creative that is read: the file is {seen}", hint=f"Pictures are read as {PICTURES}; videos as {FILMS}."
    )
