"""From whatever a file holds to a small, upright RGB picture on white."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

WORKING_SIDE = 640
"""Longest side of the picture that everything is measured on."""

GAP = 2.0
"""Decoders may shrink while they read down to this many times the wanted size: much faster, not visible."""

ORIENTATION_TAG = 0x0112

UPRIGHT: dict[int, tuple[bool, int, tuple[Image.Transpose, ...]]] = {
    # EXIF value: mirrored first, then turned clockwise by degrees, as Pillow's operations.
    2: (True, 0, (Image.Transpose.FLIP_LEFT_RIGHT,)),
    3: (False, 180, (Image.Transpose.ROTATE_180,)),
    4: (True, 180, (Image.Transpose.FLIP_TOP_BOTTOM,)),
    5: (True, 270, (Image.Transpose.TRANSPOSE,)),
    6: (False, 90, (Image.Transpose.ROTATE_270,)),
    7: (True, 90, (Image.Transpose.TRANSVERSE,)),
    8: (False, 270, (Image.Transpose.ROTATE_90,)),
}

SHRINKABLE = frozenset({"L", "LA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
"""Modes in which neighbouring values may be averaged; the others are converted at full size."""

PROFILED = {"RGB": "RGB ", "CMYK": "CMYK"}
SIXTEEN_BIT = "I;16"
DEEP = ("I", "F")

_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.createProfile("LAB")


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 (upright) where it is absent, odd or unreadable."""
    try:
        value = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - broken EXIF of any kind says nothing about the picture
        return 1
    return value if isinstance(value, int) and value in UPRIGHT else 1


def shrink(image: Image.Image) -> tuple[Image.Image, bool]:
    """The first frame, decoded whole: RGB on white, longest side at most 640; and was it see-through?

    Still as stored, not turned upright. `image` is used up.
    """
    profile = image.info.get("icc_profile")
    if image.mode not in SHRINKABLE or (image.has_transparency_data and "A" not in image.getbands()):
        image = _plain(image)
    transparent = False
    if "A" in image.getbands():
        lowest, _ = image.getchannel("A").getextrema()
        transparent = lowest < 255  # type: ignore[operator]  # a single band has plain numbers  # noqa: PLR2004
    # Hamming: as sharp as bicubic when making smaller, at half its cost.
    image.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.HAMMING, reducing_gap=GAP)
    image.load()
    return _rgb(image, profile), transparent


def _plain(image: Image.Image) -> Image.Image:
    """A mode that can be averaged, from palettes, bits, deep and Lab pictures."""
    if image.mode.startswith(DEEP):
        return _shallow(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "LAB":
        # Its stubs lack None, which it returns only when working in place.
        return ImageCms.profileToProfile(image, _LAB, _SRGB, outputMode="RGB") or image
    return image.convert("L" if image.mode == "1" else "RGB")


def _shallow(image: Image.Image) -> Image.Image:
    """8 bits of 16, 32 or float: Pillow would cut everything above 255 off."""
    if image.mode.startswith(SIXTEEN_BIT):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8), "L")
    # Four bytes a pixel and no natural range: shrunk first, as the arithmetic takes several copies.
    small = image.reduce(max(1, int(max(image.size) / (GAP * WORKING_SIDE))))
    values = np.nan_to_num(np.asarray(small, dtype=np.float64))
    low, high = values.min(), values.max()
    if image.mode == "I" and low >= 0 and high <= np.iinfo(np.uint16).max:
        low, high = 0.0, float(np.iinfo(np.uint16).max)
    values = (values - low) / ((high - low) or 1.0) * 255
    return Image.fromarray(np.round(values).astype(np.uint8), "L")


def _rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB on white, through the embedded colour profile where that can be applied."""
    if "A" in image.getbands():
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image).convert("RGB")
    if profile and image.mode in PROFILED:
        image = _apply_profile(image, profile)
    return image.convert("RGB")


def _apply_profile(image: Image.Image, data: bytes) -> Image.Image:
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        described = ImageCms.getProfileDescription(profile)
        if profile.profile.xcolor_space != PROFILED[image.mode] or "sRGB" in described:
            return image
        return ImageCms.profileToProfile(image, profile, _SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # Broken profiles are common, and browsers show such pictures without them.
        return image


def turn(picture: Image.Image, value: int) -> Image.Image:
    """The picture upright, by EXIF orientation `value`."""
    for operation in UPRIGHT.get(value, (False, 0, ()))[2]:
        picture = picture.transpose(operation)
    return picture
