"""From a picture to what is kept of it."""

from __future__ import annotations

import base64
import binascii
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adology_likeness import keypoints, words
from adology_likeness.model import Shot
from adology_media.phash import BITS as HASH_BITS
from adology_media.phash import phash

SIDE = 240
"""Side of a square as large as the kept picture of an image, pixels."""
BYTES = 6500
"""The kept picture of an image takes at most this many; detail that does not fit is blurred."""
QUALITIES = (70, 50, 35, 20, 8)
FEW_WORDS = 12
"""A picture with fewer keypoints is proposed by its perceptual hash as well."""
HASH_PARTS = 4
LARGEST = 4096
"""Longest side that a kept picture may say it has."""
PLAIN = 6
"""Levels between neighbours below which a pixel counts as plain."""


def remember(picture: Image.Image, points: keypoints.Points) -> Shot:
    """An image as it is kept."""
    return Shot(
        picture=shrunk(picture, SIDE, BYTES),
        width=picture.width,
        height=picture.height,
        points=keypoints.pack(points),
    )


def find(picture: Image.Image, most: int = keypoints.MOST) -> keypoints.Points:
    """The keypoints of an RGB picture."""
    return keypoints.find_points(np.asarray(picture.convert("L")), most)


def shrunk(picture: Image.Image, side: int, limit: int) -> str:
    """Base64 of a WebP of at most `limit` bytes, at the best quality that fits."""
    small = picture.convert("RGB")
    # By area: of a banner of 970 x 90 a width of 240 would leave 22 rows.
    longest = min(2 * side, round(side * (max(small.size) / min(small.size)) ** 0.5))
    small.thumbnail((longest, longest), Image.Resampling.BOX)
    for quality in QUALITIES:
        file = io.BytesIO()
        small.save(file, "WEBP", quality=quality, method=4)
        if file.tell() <= limit:
            return base64.b64encode(file.getvalue()).decode("ascii")
    return shrunk(small, max(16, side * 3 // 4), limit)


def shown(shot: Shot) -> NDArray[np.float32]:
    """The kept picture: (height, width, 3), RGB, 0 to 255.

    Raises:
        ValueError: it is damaged.
    """
    try:
        data = base64.b64decode(shot.picture, validate=True)
        with Image.open(io.BytesIO(data), formats=("WEBP",)) as image:
            size = image.size
            pixels = image.convert("RGB") if max(size) <= LARGEST else None
    except (binascii.Error, OSError, ValueError, SyntaxError) as error:
        raise ValueError(f"the kept picture is damaged: {error}") from error
    if pixels is None:
        raise ValueError(f"the kept picture has {size[0]} x {size[1]} pixels, {LARGEST} a side are allowed")
    return np.asarray(pixels, dtype=np.float32)


def detail(picture: Image.Image) -> float:
    """The share of the picture that is not plain."""
    grey = np.asarray(picture.convert("L").resize((64, 64), Image.Resampling.BOX), dtype=np.int16)
    steps = np.maximum(np.abs(np.diff(grey, axis=0))[:, :-1], np.abs(np.diff(grey, axis=1))[:-1])
    return round(float((steps > PLAIN).mean()), 4)


def picture_words(picture: Image.Image, points: keypoints.Points) -> list[str]:
    """What proposes the picture, strongest first."""
    found = list(dict.fromkeys(words.words(points)))
    if len(found) >= FEW_WORDS or detail(picture) == 0:
        return found
    return [*found, *_hash_words(picture)]


def _hash_words(picture: Image.Image) -> list[str]:
    """Parts of the perceptual hash; of a picture and its mirror image the smaller one counts."""
    sides = (picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    bits = min(int(phash(side), 16) for side in sides)
    width = HASH_BITS // HASH_PARTS
    return [f"h{part}:{bits >> part * width & (1 << width) - 1:x}" for part in range(HASH_PARTS)]
