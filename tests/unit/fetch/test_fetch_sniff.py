"""What a file is, by its bytes."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from adology.fetch.sniff import SNIFF_BYTES, sniff

EBML = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84"


def box(brand: bytes, *others: bytes) -> bytes:
    inner = brand + b"\0\0\0\0" + b"".join(others)
    return struct.pack(">I", len(inner) + 8) + b"ftyp" + inner + bytes(32)


def drawn(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(out, kind)
    return out.getvalue()


def animated_png() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    assert b"acTL" in out.getvalue()
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.html", "<script>alert(1)</script>")
    return out.getvalue()


CREATIVES = {
    "jpeg": (drawn("JPEG"), "image/jpeg", "jpg"),
    "png": (drawn("PNG"), "image/png", "png"),
    "apng": (animated_png(), "image/png", "png"),
    "gif": (drawn("GIF"), "image/gif", "gif"),
    "webp": (drawn("WEBP"), "image/webp", "webp"),
    "avif": (drawn("AVIF"), "image/avif", "avif"),
    "bmp": (drawn("BMP"), "image/bmp", "bmp"),
    "tiff": (drawn("TIFF"), "image/tiff", "tiff"),
    "tiff big endian": (b"MM\0*\0\0\0\x08", "image/tiff", "tiff"),
    "ico": (drawn("ICO"), "image/x-icon", "ico"),
    "heic": (box(b"heic", b"mif1", b"heic"), "image/heic", "heic"),
    "heic by mif1": (box(b"mif1", b"mif1", b"heic"), "image/heic", "heic"),
    "heic by mif3": (struct.pack(">I", 16) + b"ftypmif3heic" + bytes(32), "image/heic", "heic"),
    "heic of unknown brand": (box(b"    ", b"heic"), "image/heic", "heic"),
    "avif by mif1": (box(b"mif1", b"miaf", b"avif"), "image/avif", "avif"),
    "mp4": (box(b"isom", b"iso2", b"mp41"), "video/mp4", "mp4"),
    "mp4 of unknown brand": (box(b"XAVC"), "video/mp4", "mp4"),
    "m4a is left to the decoder": (box(b"M4A "), "video/mp4", "mp4"),
    "fragmented mp4": (b"\0\0\0\x18stypmsdh" + bytes(16), "video/mp4", "mp4"),
    "m4v": (box(b"M4V "), "video/x-m4v", "m4v"),
    "mov": (box(b"qt  "), "video/quicktime", "mov"),
    "mov without ftyp": (b"\0\0\0\x08wide\0\0\1\0mdat", "video/quicktime", "mov"),
    "mov of unknown length": (b"\0\0\0\x01mdat" + bytes(16), "video/quicktime", "mov"),
    "3gp": (box(b"3gp5"), "video/3gpp", "3gp"),
    "webm": (EBML + b"webm" + bytes(64), "video/webm", "webm"),
    "webm with a long length": (EBML[:-1] + b"\x40\x04webm" + bytes(64), "video/webm", "webm"),
    "mkv": (EBML[:-1] + b"\x88matroska" + bytes(64), "video/x-matroska", "mkv"),
    "avi": (b"RIFF\x10\0\0\0AVI LIST", "video/x-msvideo", "avi"),
    "flv": (b"FLV\x01\x05\0\0\0\x09", "video/x-flv", "flv"),
    "ogg": (b"OggS\0\x02" + bytes(32), "video/ogg", "ogv"),
    "wmv": (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), "video/x-ms-asf", "wmv"),
    "mpeg-ts": ((b"\x47" + bytes(187)) * 6, "video/mp2t", "ts"),
    "m2ts": ((b"\0\0\0\0\x47" + bytes(187)) * 6, "video/mp2t", "ts"),
    "mpeg-ps": (b"\0\0\x01\xba" + bytes(16), "video/mpeg", "mpg"),
    "mpeg video": (b"\0\0\x01\xb3" + bytes(16), "video/mpeg", "mpg"),
}
OTHERS = {
    "html": (b"<!DOCTYPE html><html>", "text/html"),
    "html in capitals": (b"  \r\n<HTML ><body>", "text/html"),
    "html behind a byte order mark": (b"\xef\xbb\xbf<html>", "text/html"),
    "html behind comments": (b"<!-- a --><!-- <svg> -->\n<script>alert(1)</script>", "text/html"),
    "html fragment": (b"<p>Not found</p>", "text/html"),
    "html with binary inside": (b"<html>" + bytes(50), "text/html"),
    "xhtml": (b'<?xml version="1.0"?><html xmlns="x">', "text/html"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    "svg behind a prolog": (b'<?xml version="1.0"?>\n<!-- x -->\n<!DOCTYPE svg>\n<svg/>', "image/svg+xml"),
    "xml": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "application/xml"),
    "xml without a prolog": (b"<MPD><Period/></MPD>", "application/xml"),
    "json object": (b' {"error": {"code": 1}}', "application/json"),
    "json list": (b"[1, 2]", "application/json"),
    "playlist": (b"#EXTM3U\n#EXT-X-VERSION:3\n", "application/vnd.apple.mpegurl"),
    "text": ("größer".encode(), "text/plain"),
    "text that the head cuts": (b"x" + ("ö" * SNIFF_BYTES).encode(), "text/plain"),
    "utf-16": ("text".encode("utf-16"), "text/plain"),
    "pdf": (b"%PDF-1.7\n\xe2\xe3", "application/pdf"),
    "pdf behind garbage": (bytes(100) + b"%PDF-1.4", "application/pdf"),
    "zip": (zipped(), "application/zip"),
    "gzip": (b"\x1f\x8b\x08\0" + bytes(8), "application/gzip"),
    "elf": (b"\x7fELF\2\1\1", "application/x-executable"),
    "windows program": (b"MZ" + bytes(100) + b"PE\0\0", "application/x-msdownload"),
    "flash": (b"CWS\x09" + bytes(8), "application/x-shockwave-flash"),
    "mp3": (b"ID3\x04\0\0\0\0\0\0", "audio/mpeg"),
    "mp3 without a tag": (b"\xff\xfb\x90\x64" + bytes(32), "audio/mpeg"),
    "wav": (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
    "flac": (b"fLaC\0\0\0\x22", "audio/flac"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0", "application/postscript"),
    "photoshop": (b"8BPS\0\1", "image/vnd.adobe.photoshop"),
    "jpeg xl": (b"\xff\x0a\xfa\x1f", "image/jxl"),
    "jpeg 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    "canon raw": (box(b"crx "), "image/x-canon-cr3"),
}
UNKNOWN = {
    "nothing": b"",
    "zeros": bytes(512),
    "binary": bytes(range(200)),
    "BM that is no bitmap": b"BM" + bytes(60),
    "BM that is text": b"BMW drives\x00",
    "one 0x47": b"\x47" + bytes(400),
    "cursor": b"\0\0\2\0\1\0" + bytes(16),
    "riff of something": b"RIFF\x10\0\0\0CDR9",
    "box of an impossible size": b"\0\0\0\x04moov" + bytes(8),
    "latin-1": b"Gr\xfc\xdfe",
}


@pytest.mark.parametrize("name", CREATIVES)
def test_creative_is_recognised(name: str) -> None:
    data, content_type, extension = CREATIVES[name]
    found = sniff(data[:SNIFF_BYTES])
    assert found is not None
    assert (found.kind, found.content_type, found.extension) == (
        content_type.partition("/")[0],
        content_type,
        extension,
    )


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_creative_is_named(name: str) -> None:
    data, content_type = OTHERS[name]
    found = sniff(data[:SNIFF_BYTES])
    assert found is not None
    assert (found.kind, found.content_type) == ("other", content_type)


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_bytes_are_unknown(name: str) -> None:
    assert sniff(UNKNOWN[name]) is None


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        pytest.param(drawn("GIF") + zipped(), "image/gif", id="gif then zip"),
        pytest.param(drawn("JPEG") + b"<html><script>", "image/jpeg", id="jpeg then html"),
        pytest.param(b"GIF89a/*" + bytes(8) + b"*/=1;alert(1)", "image/gif", id="gif and javascript"),
        pytest.param(b"<html><!--" + drawn("PNG") + b"--></html>", "text/html", id="html around png"),
        pytest.param(b"<!--" + drawn("JPEG") + b"--><script>1</script>", "text/html", id="html behind hidden jpeg"),
        pytest.param(zipped() + drawn("JPEG"), "application/zip", id="zip then jpeg"),
        pytest.param(b"%PDF-1.4\n" + drawn("JPEG"), "application/pdf", id="pdf then jpeg"),
        pytest.param(b"BM<script>alert(1)</script>" + bytes(40), None, id="bitmap magic before script"),
        pytest.param(b"{" + drawn("PNG"), None, id="brace before png"),
    ],
)
def test_polyglot_is_what_it_begins_with(data: bytes, content_type: str | None) -> None:
    found = sniff(data[:SNIFF_BYTES])
    assert (found.content_type if found else None) == content_type


@given(st.binary(max_size=600))
def test_any_bytes_get_an_answer(head: bytes) -> None:
    found = sniff(head)
    assert found is None or (found.kind == "other") == (not found.extension)


def test_real_creatives_are_recognised_by_content(shared_data: Path) -> None:
    kinds = {".jpg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".mp4": "video/mp4", ".webm": "video/webm"}
    seen = 0
    for folder in ("creatives", "photos", "videos/clips"):
        for path in sorted((shared_data / folder).rglob("*")):
            if path.suffix in kinds:
                found = sniff(path.read_bytes()[:SNIFF_BYTES])
                assert found is not None, path
                assert found.content_type == kinds[path.suffix] or found.kind == "image", path
                seen += 1
    assert seen > 50
