"""Token counts as near to the vendor's as its public rules allow, and the same for the same request."""

from __future__ import annotations

import io
import math

from PIL import Image

PATCH = 32
MOST_PATCHES = 1536
MULTIPLIER = 1.62
TILE = 512
TILE_MODELS = {"gpt-4o-mini": (2833, 5667), "gpt-4o": (85, 170), "gpt-4.1": (85, 170)}
PREFIX_LEAST = 1024
PREFIX_STEP = 128
KINDS = frozenset({"PNG", "JPEG", "WEBP", "GIF"})


class NotAPictureError(ValueError):
    """The bytes are no PNG, JPEG, WEBP or still GIF."""


def text_tokens(text: str) -> int:
    """Four bytes to a token."""
    return math.ceil(len(text.encode("utf-8", "replace")) / 4)


def picture_tokens(data: bytes, detail: str, model: str) -> int:
    """Tokens of one picture.

    Raises:
        NotAPictureError: the vendor would not take it.
    """
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            kind, (width, height) = picture.format, picture.size
            animated = getattr(picture, "n_frames", 1) > 1
    except (OSError, ValueError, SyntaxError) as error:
        raise NotAPictureError(str(error)) from error
    if kind not in KINDS or (kind == "GIF" and animated):
        raise NotAPictureError(f"{kind}, {'animated' if animated else 'still'}")
    tiles = next((found for name, found in TILE_MODELS.items() if model in (name, *_dated(name, model))), None)
    if tiles is not None:
        return tiles[0] if detail == "low" else tiles[0] + tiles[1] * _tiles(width, height)
    scale = min(1.0, TILE / max(width, height)) if detail == "low" else 1.0
    patches = math.ceil(width * scale / PATCH) * math.ceil(height * scale / PATCH)
    return math.ceil(min(MOST_PATCHES, patches) * MULTIPLIER)


def cached_part(tokens: int) -> int:
    """How much of a known prefix of that many tokens comes from the cache."""
    return tokens - tokens % PREFIX_STEP if tokens >= PREFIX_LEAST else 0


def _dated(name: str, model: str) -> tuple[str, ...]:
    return (model,) if model.startswith(f"{name}-20") else ()


def _tiles(width: float, height: float) -> int:
    scale = min(1.0, 2048 / max(width, height))
    width, height = width * scale, height * scale
    scale = min(1.0, 768 / min(width, height))
    return math.ceil(width * scale / TILE) * math.ceil(height * scale / TILE)
