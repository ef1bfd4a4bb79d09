"""What a file is, by its first bytes. Names and vendors' headers are not asked.

Only leading magic counts: in a polyglot the format that comes first wins, the type that we
store is that format's, and whatever else hides in the file is never served under its own type.
Formats with a short magic (BMP, ICO, MPEG-TS) must show more of their structure.
"""

from __future__ import annotations

import codecs
import re
from typing import Literal

from adology.types import Struct

SNIFF_BYTES = 4096
"""As much of the beginning as `sniff` wants to see."""


class Sniffed(Struct, frozen=True, kw_only=True):
    """A recognised format. `kind` is "other" for what is certainly no creative."""

    kind: Literal["image", "video", "other"]
    content_type: str
    extension: str


def _image(subtype: str, extension: str) -> Sniffed:
    return Sniffed(kind="image", content_type=f"image/{subtype}", extension=extension)


def _video(subtype: str, extension: str) -> Sniffed:
    return Sniffed(kind="video", content_type=f"video/{subtype}", extension=extension)


def _other(content_type: str) -> Sniffed:
    return Sniffed(kind="other", content_type=content_type, extension="")


_MP4 = _video("mp4", "mp4")
_MOV = _video("quicktime", "mov")
_MPEG = _video("mpeg", "mpg")
_AVIF = _image("avif", "avif")
_HEIC = _image("heic", "heic")

_PREFIXES = (
    (b"\xff\xd8\xff", _image("jpeg", "jpg")),
    (b"\x89PNG\r\n\x1a\n", _image("png", "png")),  # animated ones (APNG) too
    (b"GIF87a", _image("gif", "gif")),
    (b"GIF89a", _image("gif", "gif")),
    (b"II*\x00", _image("tiff", "tiff")),
    (b"MM\x00*", _image("tiff", "tiff")),
    (b"II+\x00", _image("tiff", "tiff")),
    (b"MM\x00+", _image("tiff", "tiff")),
    (b"FLV\x01", _video("x-flv", "flv")),
    (b"OggS", _video("ogg", "ogv")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _video("x-ms-asf", "wmv")),
    (b"\x00\x00\x01\xba", _MPEG),
    (b"\x00\x00\x01\xb3", _MPEG),
    (b"PK\x03\x04", _other("application/zip")),
    (b"PK\x05\x06", _other("application/zip")),
    (b"\x1f\x8b", _other("application/gzip")),
    (b"BZh", _other("application/x-bzip2")),
    (b"\xfd7zXZ\x00", _other("application/x-xz")),
    (b"\x28\xb5\x2f\xfd", _other("application/zstd")),
    (b"7z\xbc\xaf\x27\x1c", _other("application/x-7z-compressed")),
    (b"Rar!\x1a\x07", _other("application/vnd.rar")),
    (b"\x7fELF", _other("application/x-executable")),
    (b"FWS", _other("application/x-shockwave-flash")),
    (b"CWS", _other("application/x-shockwave-flash")),
    (b"ZWS", _other("application/x-shockwave-flash")),
    (b"ID3", _other("audio/mpeg")),
    (b"fLaC", _other("audio/flac")),
    (b"%!PS", _other("application/postscript")),
    (b"8BPS", _other("image/vnd.adobe.photoshop")),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", _other("image/jxl")),
    (b"\xff\x0a", _other("image/jxl")),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", _other("image/jp2")),
    (b"\xff\xfe", _other("text/plain")),  # UTF-16 with its byte order mark
    (b"\xfe\xff", _other("text/plain")),
)
_RIFF = {b"WEBP": _image("webp", "webp"), b"AVI ": _video("x-msvideo", "avi"), b"WAVE": _other("audio/wav")}
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_HEIF_BRANDS = frozenset({b"mif1", b"mif2", b"mif3", b"msf1", b"miaf"})
"""Pictures whose coding the other brands tell."""
_BRANDS = {
    **dict.fromkeys(_AVIF_BRANDS, _AVIF),
    **dict.fromkeys(_HEIC_BRANDS, _HEIC),
    b"qt  ": _MOV,
    b"M4V ": _video("x-m4v", "m4v"),
    b"crx ": _other("image/x-canon-cr3"),
}
_QUICKTIME_BOXES = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_BOX_HEADER = 8
_OPEN_SIZES = frozenset({0, 1})
"""Box sizes that mean: to the end of the file, or given as 64 bits further on."""
_MAX_ICONS = 64
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_HTML = re.compile(
    rb"<(?:!doctype html|html|head|title|body|script|iframe|style|meta|link|div|table|center|span|font|h[1-6]|a|p|br|b)"
    rb"(?:[\s>/]|$)",
    re.IGNORECASE,
)
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(rb"<[a-z!?]", re.IGNORECASE)
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_PDF_WITHIN = 1024
_WEBM = re.compile(rb"\x42\x82[^w]{1,8}webm")
"""The document's type, its length in one to eight bytes."""
_MPEG_AUDIO = re.compile(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xfd][\x10-\xef]")
"""An MPEG audio frame without a tag: eleven sync bits, a layer, a bit rate."""


def sniff(head: bytes) -> Sniffed | None:
    """The format of a file that begins with `head` (give up to SNIFF_BYTES); None if unknown."""
    for magic, found in _PREFIXES:
        if head.startswith(magic):
            return found
    return _riff(head) or _iso(head) or _matroska(head) or _structured(head) or _text(head)


def _riff(head: bytes) -> Sniffed | None:
    return _RIFF.get(head[8:12]) if head.startswith(b"RIFF") else None


def _iso(head: bytes) -> Sniffed | None:
    """The MP4 and HEIF family: boxes of size and name."""
    box = head[4:8]
    if box in {b"styp", b"moof", b"sidx"}:
        return _MP4
    size = int.from_bytes(head[:4], "big")
    if box in _QUICKTIME_BOXES and (size in _OPEN_SIZES or size >= _BOX_HEADER):
        return _MOV
    if box != b"ftyp":
        return None
    brand = head[8:12]
    if brand in _BRANDS:
        return _BRANDS[brand]
    if brand[:3] in {b"3gp", b"3g2", b"3gg"}:
        return _video("3gpp", "3gp")
    # From the version on: "mif3" has its second brand there.
    others = {head[at : at + 4] for at in range(12, min(size, len(head), 512), 4)}
    if others & _AVIF_BRANDS:
        return _AVIF
    return _HEIC if brand in _HEIF_BRANDS or others & _HEIC_BRANDS else _MP4


def _matroska(head: bytes) -> Sniffed | None:
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    return _video("webm", "webm") if _WEBM.search(head, 0, 256) else _video("x-matroska", "mkv")


def _structured(head: bytes) -> Sniffed | None:
    """Formats whose magic alone is too short to believe."""
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return _image("bmp", "bmp")
    icons = int.from_bytes(head[4:6], "little")
    if head.startswith(b"\x00\x00\x01\x00") and 0 < icons <= _MAX_ICONS and head[9:10] == b"\0":
        return _image("x-icon", "ico")
    for start, step in ((0, 188), (4, 192)):
        packets = head[start : start + 5 * step : step]
        if len(packets) > 1 and set(packets) == {0x47}:
            return _video("mp2t", "ts")
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return _other("application/pdf")
    if head.startswith(b"MZ") and b"PE\0\0" in head:
        return _other("application/x-msdownload")
    if _MPEG_AUDIO.match(head):
        return _other("audio/mpeg")
    return None


def _text(head: bytes) -> Sniffed | None:
    body = _COMMENT.sub(b"", head.removeprefix(b"\xef\xbb\xbf")).lstrip()
    if _HTML.match(body):
        return _other("text/html")
    if _TAG.match(body) and not _BINARY.search(head):
        lower = body.lower()
        if b"<svg" in lower:
            return _other("image/svg+xml")
        return _other("text/html" if b"<html" in lower else "application/xml")
    if not head or _BINARY.search(head):
        return None
    if body.startswith(b"#EXTM3U"):
        return _other("application/vnd.apple.mpegurl")
    if body[:1] in {b"{", b"["}:
        return _other("application/json")
    try:
        # A character that the end of `head` cuts through is no fault of the text.
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < SNIFF_BYTES)
    except UnicodeDecodeError:
        return None
    return _other("text/plain")
