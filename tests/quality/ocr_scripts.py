"""What is made of lines in many scripts, most of which the recogniser does not know: read, left out, or invented.

Fonts are looked for by name where Pillow looks for them. The machine's own (DejaVu) have Latin, Greek
and Cyrillic; for the others install Debian's `fonts-noto-core` and `fonts-noto-cjk`, or unpack them
into `$XDG_DATA_HOME/fonts`. A script without a font is said to be skipped.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ImageDraw, ImageFilter, ImageFont, features

from adology_text import TextFacts
from tests.quality.bars import SKIPPED, Row
from tests.quality.ocr_drawn import Drawn, background, compressed
from tests.quality.ocr_scoring import READ_WITHIN, bare, edits_within
from tests.quality.ocr_script_lines import SCRIPTS, Script

SIZES = ((1080, 1080), (600, 500), (1200, 628))
HEIGHTS = (16, 22, 30, 44, 60)
LINES = 4
BLUR = 12
CONFIDENT = 0.8
SHAPED = frozenset({"Arabic", "Devanagari", "Thai"})
"""Scripts whose letters depend on their neighbours: without the library raqm they would be drawn wrong."""


@dataclass
class Made:
    """What became of the lines of one script."""

    lines: int = 0
    read: int = 0
    reported: int = 0
    wrong: int = 0
    wrong_sure: int = 0
    unread: int = 0

    def add(self, truth: Sequence[str], facts: TextFacts) -> None:
        """One picture."""
        seen, known = bare(" ".join(line.text for line in facts.lines)), bare(" ".join(truth))
        self.lines += len(truth)
        self.read += sum(edits_within(bare(line), seen) <= READ_WITHIN * len(bare(line)) for line in truth)
        self.unread += facts.unread
        for line in facts.lines:
            letters = bare(line.text)
            wrong = edits_within(letters, known) > READ_WITHIN * len(letters)
            self.reported += 1
            self.wrong += wrong
            self.wrong_sure += wrong and line.confidence > CONFIDENT


def measure_script(name: str, drawn: Sequence[Drawn], read: Sequence[TextFacts]) -> list[Row]:
    """The rows of one script."""
    made = Made()
    for one, facts in zip(drawn, read, strict=True):
        made.add(one.lines, facts)
    of = f"text: script {name}"
    note = f"{made.wrong} of {made.reported} lines reported are wrong; {made.unread} places left as unread"
    return [
        (f"{of}: line recall", made.read / made.lines, "share", made.lines, note),
        (f"{of}: wrong with confidence above 0.8", made.wrong_sure, "lines", made.reported, "of lines reported"),
    ]


def skipped(name: str) -> list[Row]:
    """The rows of a script that cannot be drawn here."""
    note = f"no font with these letters here: {' or '.join(SCRIPTS[name].fonts)}"
    return [
        (f"text: script {name}: {what}", SKIPPED, "", 0, note)
        for what in ("line recall", "wrong with confidence above 0.8")
    ]


def drawn_script(name: str, photos: Sequence[Path], *, rounds: int = 3, seed: int = 1) -> list[Drawn]:
    """Each line of the script `rounds` times, four in a picture; none where it cannot be drawn."""
    script, chance = SCRIPTS[name], random.Random(f"{name}{seed}")
    fonts = [font for font in script.fonts if _has(font)]
    if not fonts or (name in SHAPED and not features.check("raqm")):
        return []
    return [
        Drawn(_draw(script, some, chance.choice(fonts), photos, chance), tuple(some), name)
        for _ in range(rounds)
        for some in _groups(script.lines, chance)
    ]


def _groups(lines: Sequence[str], chance: random.Random) -> Iterator[list[str]]:
    mixed = chance.sample(lines, len(lines))
    for at in range(0, len(mixed), LINES):
        yield mixed[at : at + LINES]


def _has(font: str) -> bool:
    try:
        ImageFont.truetype(font, 12)
    except OSError:
        return False
    return True


def _font(script: Script, name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(name, size, index=script.face if name.endswith(".ttc") else 0)


def _draw(
    script: Script, lines: Sequence[str], font: str, photos: Sequence[Path], chance: random.Random
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    # Blurred, as photographs have lines of their own, which would count as invented.
    picture = background(chance.choice(SIZES), photos, chance).filter(ImageFilter.GaussianBlur(BLUR))
    drawing = ImageDraw.Draw(picture)
    widest = max(drawing.textlength(line, font=_font(script, font, 100)) for line in lines) / 100
    face = _font(script, font, min(chance.choice(HEIGHTS), int(0.9 * picture.width / widest)))
    y = chance.randint(8, 40)
    for line in lines:
        left, top, right, bottom = (round(at) for at in drawing.textbbox((20, y), line, font=face))
        level = int(np.asarray(picture.crop((left, top, right, bottom))).mean())
        if chance.random() < 0.5:
            level = chance.choice((30, 235))
            drawing.rectangle((left - 4, top - 3, right + 4, bottom + 3), fill=(level,) * 3)
        drawing.text((20, y), line, font=face, fill=(255 if level < 128 else 0,) * 3)
        y = bottom + max(6, (bottom - top) // 2)
    return compressed(picture, chance)
