"""The font of the pictures: one of the system's, or the small one that Pillow carries.

No font file belongs to this repository. Pillow's own font has only ASCII, so with it accents are
dropped and other scripts are left to the ads' texts.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from PIL import ImageFont

Font = ImageFont.FreeTypeFont
NAMES = ("DejaVuSans-Bold.ttf", "NotoSans-Bold.ttf", "LiberationSans-Bold.ttf", "Arial Bold.ttf", "arialbd.ttf")
_NO_GLYPH = "\uffff"
_ASCII = {"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "€": "EUR", "£": "GBP "}


class Typeface:
    """A font in every size. `path` is empty for Pillow's own."""

    def __init__(self, path: str = "") -> None:
        self.path = path
        self._sizes: dict[int, Font] = {}

    def at(self, size: int) -> Font:
        """The font at `size` pixels."""
        if size not in self._sizes:
            font = ImageFont.truetype(self.path, size) if self.path else ImageFont.load_default(size)
            if not isinstance(font, Font):
                raise RuntimeError("this Pillow was built without FreeType, which drawing text needs")
            self._sizes[size] = font
        return self._sizes[size]

    def can_draw(self, text: str) -> bool:
        """Whether there is a glyph for every character."""
        return all(self._has(char) for char in text)

    def spell(self, text: str) -> str:
        """`text` as this font can draw it: without accents if need be; empty if it cannot at all."""
        if self.can_draw(text):
            return text
        plain = "".join(_ASCII.get(char, char) for char in text)
        plain = "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))
        return plain if self.can_draw(plain) else ""

    @cache  # noqa: B019 - one typeface lives as long as the program
    def _has(self, char: str) -> bool:
        font = self.at(32)
        mask = font.getmask(char)
        missing = font.getmask(_NO_GLYPH)
        return char.isspace() or (mask.size, bytes(mask)) != (missing.size, bytes(missing))


def find_typeface(path: Path | None = None) -> Typeface:
    """The font at `path`, else the first known one that Pillow finds in the system, else its own."""
    if path is not None:
        return Typeface(str(path))
    for name in NAMES:
        try:
            ImageFont.truetype(name, 12)
        except OSError:
            continue
        return Typeface(name)
    return Typeface()
