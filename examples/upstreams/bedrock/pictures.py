"""Pictures as Bedrock's models take them: base64 without a prefix, of the stated kind."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Set as AbstractSet

from PIL import Image

from upstreams.bedrock import errors


def read_picture(text: str, kinds: AbstractSet[str], *, most_side: int | None = None) -> bytes:
    """The bytes of a picture.

    Raises:
        Refusal: it is no base64, no picture of `kinds`, or a side has more than `most_side` pixels.
    """
    try:
        data = base64.b64decode(text, validate=True)
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            kind, size = picture.format, picture.size
    except (binascii.Error, OSError, ValueError, SyntaxError):
        raise errors.invalid("Failed to deserialize image: it is not valid base64 of a valid image.") from None
    if kind not in kinds:
        raise errors.invalid(f"Image format {kind} is not supported here; supported: {', '.join(sorted(kinds))}.")
    if most_side is not None and max(size) > most_side:
        raise errors.invalid(f"Image dimensions {size[0]}x{size[1]} exceed the maximum of {most_side}x{most_side}.")
    return data
