"""Was the download cut off? The container's own sizes say so before a decoder is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from adology.errors import MediaUnusableError

BOX_HEADER = 8
BOX_HEADER_64 = 16
BOXES = frozenset({
    b"ftyp", b"styp", b"moov", b"moof", b"mfra", b"mdat", b"free", b"skip", b"wide", b"uuid", b"sidx", b"ssix",
    b"meta", b"meco", b"udta", b"emsg", b"prft", b"pdin", b"pnot", b"PICT",
})  # fmt: skip
"""What stands at the top level of MP4 and MOV; anything else is a tail that players ignore as well."""

SEGMENT = b"\x18\x53\x80\x67"
EBML_ID_BYTES = 4


def check_whole(path: Path, demuxer: str) -> None:
    """Compare what the container says with what is there, where the container says it.

    Raises:
        MediaUnusableError: bytes are missing at the end.
    """
    measure = MEASURES.get(demuxer)
    if measure is None:
        return
    size = path.stat().st_size
    with path.open("rb") as file:
        stated = measure(file, size)
    if stated > size:
        raise MediaUnusableError(f"the video is cut off: it says that it has {stated} bytes, {size} are there")


def _boxes(file: BinaryIO, size: int) -> int:
    """Where the last box of an MP4 or MOV ends."""
    at = 0
    while at + BOX_HEADER <= size:
        file.seek(at)
        header = file.read(BOX_HEADER_64)
        length = int.from_bytes(header[:4], "big")
        if length == 1 and len(header) == BOX_HEADER_64:
            length = int.from_bytes(header[8:], "big")
        # Length 0 is "to the end of the file".
        if header[4:8] not in BOXES or length < BOX_HEADER:
            return at
        at += length
    return at


def _segment(file: BinaryIO, _size: int) -> int:
    """Where the segment of a WebM or Matroska ends; 0 where it does not say (live recordings)."""
    file.seek(EBML_ID_BYTES)
    header = _vint(file)
    if header is None:
        return 0
    file.seek(header, 1)
    if file.read(EBML_ID_BYTES) != SEGMENT:
        return 0
    length = _vint(file)
    return 0 if length is None else file.tell() + length


def _vint(file: BinaryIO) -> int | None:
    """A variable-length integer of EBML; None for "unknown" (all ones) and at the end."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    width = 8 - first[0].bit_length() + 1
    data = bytes([first[0] & (0xFF >> width)]) + file.read(width - 1)
    value = int.from_bytes(data, "big")
    return None if value == (1 << 7 * width) - 1 else value


def _riff(file: BinaryIO, _size: int) -> int:
    """Where the first list of an AVI ends."""
    return 8 + int.from_bytes(file.read(8)[4:], "little")


MEASURES: dict[str, Callable[[BinaryIO, int], int]] = {"mov": _boxes, "matroska": _segment, "avi": _riff}
