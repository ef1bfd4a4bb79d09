"""The one way in which analyzers open pictures: limited, and with errors of ours whatever Pillow does."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from adology.errors import AdologyError, MediaUnusableError, describe
from adology_media.sniff import Format


@contextmanager
def opened(path: Path, format_: Format, *, max_pixels: int, analyzer: str) -> Iterator[Image.Image]:
    """The picture, not decoded yet; Pillow is silent about what it repairs.

    Pillow's limit and the warning filters belong to the process. That is fine: analyzers of files
    run in a process of their own, one creative at a time. `analyzer` is whose setting max_pixels
    an error names.

    Raises:
        MediaUnusableError: more than `max_pixels`, none, broken or cut off, here or within the block.
    """
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=(format_.reader,)) as image:
                _check_size(image.size, max_pixels, analyzer)
                yield image
    except AdologyError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        seen = re.search(r"\d+ pixels", str(error))
        raise too_large(seen.group() if seen else "too many pixels", max_pixels, analyzer) from error
    except Exception as error:
        # Decoders raise anything on hostile bytes: SyntaxError, TypeError, struct.error, MemoryError.
        raise MediaUnusableError(f"the {format_.name} picture cannot be decoded whole: {_reason(error)}") from error
    finally:
        Image.MAX_IMAGE_PIXELS = before


def too_large(seen: str, max_pixels: int, analyzer: str) -> MediaUnusableError:
    """The error for a picture or frame beyond the setting."""
    return MediaUnusableError(
        f"the picture has {seen}, {max_pixels} are allowed",
        hint=f"The limit is the {analyzer} analyzer's setting max_pixels.",
    )


def _check_size(size: tuple[int, int], max_pixels: int, analyzer: str) -> None:
    if size[0] * size[1] > max_pixels:
        raise too_large(f"{size[0]} x {size[1]} = {size[0] * size[1]} pixels", max_pixels, analyzer)
    if min(size) < 1:
        raise MediaUnusableError(f"the picture has no pixels: it is {size[0]} x {size[1]}")


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        # Pillow's own sentence names our path.
        return "its header makes no sense to the decoder"
    return describe(error)
