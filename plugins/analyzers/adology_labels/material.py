"""What there is to label: the texts of a creative or of an ad's copy, as one text and as its parts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import msgspec

from adology import Ad
from adology_copy import links, placeholders
from adology_copy.analyzer import gather
from adology_labels.fold import fold, visible
from adology_labels.model import Evidence
from adology_text.model import TextFacts, TextLine

MOST_PARTS = 80
LONGEST_QUOTE = 160
SHOWN = frozenset({"body", "title", "description", "line"})
"""Parts that say something about the product; captions are mostly a domain, buttons are all alike."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One text: a line in the picture, or a text of the copy. `height`: of a line, over the picture's."""

    text: str
    evidence: Evidence
    height: float = 0.0

    @property
    def where(self) -> str:
        """The kind of text: body, title, caption, description, cta, or line."""
        return self.evidence.where or "line"

    @property
    def quoted(self) -> Evidence:
        """The evidence that this text is, with its beginning on one line."""
        return msgspec.structs.replace(self.evidence, text=" ".join(self.text.split())[:LONGEST_QUOTE])


class Material:
    """Parts, and their text joined by line breaks; folded, with the way back to the part."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = tuple(parts)
        self.text = "\n".join(part.text for part in self.parts)
        self._starts: list[int] = []
        at = 0
        for part in self.parts:
            self._starts.append(at)
            at += len(part.text) + 1

    @cached_property
    def _folded(self) -> tuple[str, list[int]]:
        return fold(self.text)

    @property
    def folded(self) -> str:
        """The text as rules see it."""
        return self._folded[0]

    def place(self, folded_at: int) -> int:
        """Where a character of the folded text stands in the text."""
        places = self._folded[1]
        return places[folded_at] if folded_at < len(places) else len(self.text)

    def part_at(self, place: int) -> int:
        """The index of the part at a place of the text."""
        return max(0, bisect_right(self._starts, place) - 1)

    def start_of(self, index: int) -> int:
        """Where a part begins in the text."""
        return self._starts[index]

    def evidence(self, start: int, end: int) -> Evidence:
        """The evidence for what stands between two places of the *folded* text, quoted as written."""
        first, last = self.place(start), self.place(max(start, end - 1)) + 1
        quote = " ".join(self.text[first:last].split())[:LONGEST_QUOTE]
        return msgspec.structs.replace(self.parts[self.part_at(first)].evidence, text=quote)

    @property
    def prose(self) -> str:
        """What is said of the product, without addresses and template fields."""
        kept: dict[str, None] = {}
        for part in self.parts:
            if part.where in SHOWN:
                plain = " ".join(placeholders.blank(links.blank(part.text)).split())
                if any(c.isalpha() for c in plain):
                    kept[plain] = None
        return "\n".join(kept)


def of_lines(facts: TextFacts, max_chars: int) -> Material:
    """The lines in a picture, in reading order."""
    return Material(_bounded((_line_part(index, line) for index, line in enumerate(facts.lines)), max_chars))


def of_ad(ad: Ad, max_chars: int) -> Material:
    """The texts of an ad's copy, bodies first, its button last."""
    pieces, _ = gather(ad, max_chars)
    parts = [
        Part(text=piece.text, evidence=Evidence(kind="copy", where=piece.where, index=piece.index)) for piece in pieces
    ]
    if ad.cta.strip():
        parts.append(Part(text=ad.cta.strip()[:max_chars], evidence=Evidence(kind="copy", where="cta", index=0)))
    return Material(_bounded(parts, max_chars + 200))


def text_facts(results: dict[str, Any]) -> TextFacts | None:
    """What the text analyzer said; None where it failed, was left out, or says something else."""
    try:
        return msgspec.convert(results["text"], TextFacts)
    except (KeyError, msgspec.ValidationError):
        return None


def _line_part(index: int, line: TextLine) -> Part:
    time_s = line.spans[0].start_s if line.spans else None
    return Part(
        text=line.text,
        evidence=Evidence(kind="line", line=index, box=line.box, time_s=time_s),
        height=line.height_share,
    )


def _bounded(parts: Iterable[Part], max_chars: int) -> list[Part]:
    kept: list[Part] = []
    left = max_chars
    for part in parts:
        if left <= 0 or len(kept) == MOST_PARTS:
            break
        text = visible(part.text[: 4 * left])[:left]
        if text.strip():
            kept.append(msgspec.structs.replace(part, text=text))
            left -= len(text)
    return kept
