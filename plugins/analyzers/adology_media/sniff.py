"""What the bytes are, by their first ones: names and content types lie."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from adology import Struct
from adology.errors import MediaUnusableError

HEAD_BYTES = 512
MPEG_TS_PACKET = 188

PICTURES = "JPEG, PNG, GIF, WebP, AVIF, BMP, TIFF"
FILMS = "MP4, MOV, WebM, Matroska, AVI, MPEG, FLV, Ogg, ASF"


class Format(Struct, frozen=True, kw_only=True):
    """A format that we read; `reader` is Pillow's name for it, or FFmpeg's demuxer."""

    kind: Literal["image", "video"]
    name: str
    mime: str
    reader: str


def _picture(name: str, reader: str) -> Format:
    return Format(kind="image", name=name, mime=f"image/{name}", reader=reader)


def _film(name: str, mime: str, reader: str) -> Format:
    return Format(kind="video", name=name, mime=mime, reader=reader)


MP4 = _film("mp4", "video/mp4", "mov")
MOV = _film("mov", "video/quicktime", "mov")
AVIF = _picture("avif", "AVIF")

STARTS: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", _picture("jpeg", "JPEG")),
    (b"\x89PNG\r\n\x1a\n", _picture("png", "PNG")),
    (b"GIF87a", _picture("gif", "GIF")),
    (b"GIF89a", _picture("gif", "GIF")),
    (b"BM", _picture("bmp", "BMP")),
    (b"II*\0", _picture("tiff", "TIFF")),
    (b"MM\0*", _picture("tiff", "TIFF")),
    (b"II+\0", _picture("tiff", "TIFF")),
    (b"FLV\x01", _film("flv", "video/x-flv", "flv")),
    (b"OggS", _film("ogg", "video/ogg", "ogg")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _film("asf", "video/x-ms-asf", "asf")),
    (b"\0\0\x01\xba", _film("mpeg", "video/mpeg", "mpeg")),
    (b"\0\0\x01\xb3", _film("mpeg", "video/mpeg", "mpegvideo")),
)

REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"8BPS", "a Photoshop file"),
    (b"ID3", "MP3 audio"),
    (b"\xff\xfb", "MP3 audio"),
    (b"\xff\xf3", "MP3 audio"),
    (b"fLaC", "FLAC audio"),
    (b"#EXTM3U", "a playlist"),
    (b"\0\0\x01\0", "an icon"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"%!PS", "PostScript"),
)

AVIF_BRANDS = frozenset({b"avif", b"avis"})
HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"mif3", b"msf1"})
OLD_QUICKTIME = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})


def sniff(path: Path) -> Format:
    """The format of the file.

    Raises:
        MediaUnusableError: it is none of the formats that we read; says what it looks like.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    found = identify(head)
    if isinstance(found, str):
        raise MediaUnusableError(
            f"not a creative: the file is {found}", hint=f"Pictures are read as {PICTURES}; videos as {FILMS}."
        )
    return found


def identify(head: bytes) -> Format | str:
    """The format that begins with `head`, else in words what it looks like."""
    if not head:
        return "empty"
    for start, format_ in STARTS:
        if head.startswith(start):
            return format_
    if head[4:8] == b"ftyp":
        return _base_media(head)
    if head[:4] == b"RIFF":
        return _riff(head)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _matroska(head)
    if head[4:8] in OLD_QUICKTIME:
        return MOV
    if head[0] == 0x47 and len(head) > MPEG_TS_PACKET and head[MPEG_TS_PACKET] == 0x47:  # noqa: PLR2004 - sync byte
        return _film("mpegts", "video/mp2t", "mpegts")
    return _describe(head)


def _base_media(head: bytes) -> Format | str:
    size = int.from_bytes(head[:4], "big")
    major = head[8:12]
    brands = {major, *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))}
    if brands & AVIF_BRANDS:
        return AVIF
    if brands & HEIF_BRANDS:
        return "an HEIC/HEIF picture"
    return MOV if major == b"qt  " else MP4


def _riff(head: bytes) -> Format | str:
    kind = head[8:12]
    if kind == b"WEBP":
        return _picture("webp", "WEBP")
    if kind == b"AVI ":
        return _film("avi", "video/x-msvideo", "avi")
    return "WAV audio" if kind == b"WAVE" else f"a RIFF file of type {kind!r}"


def _matroska(head: bytes) -> Format:
    if b"webm" in head[:64]:
        return _film("webm", "video/webm", "matroska")
    return _film("matroska", "video/x-matroska", "matroska")


def _describe(head: bytes) -> str:
    for start, words in REFUSED:
        if head.startswith(start):
            return words
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page (an expired address often answers with one)"
    if text.startswith(b"<?xml"):
        return "XML"
    if text.startswith((b"{", b"[")):
        return "JSON or other text"
    return f"of no known format, it begins with {head[:12].hex(' ')}"
