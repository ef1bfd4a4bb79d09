# ruff: noqa: RUF001 - words of other languages
"""Sentences that give orders to whoever labels, or speak of the ad itself: no evidence of the product.

A list of phrases and forms in fourteen languages finds them, in folded text, so that invisible
characters and look-alike letters do not hide them. From a hit on, the rest of its sentence counts, and
the following sentences as long as they talk of labels too. It is a filter, not a proof: what it misses
can only do what any other text can, which is to be counted as what the ad says.
"""

from __future__ import annotations

import re
from functools import cache

from adology_labels.material import Material, Part
from adology_labels.order_words import FORMS, ITSELF, LABEL_AS, OVERRIDE, TALK, TO_A_MODEL
from adology_labels.phrases import compiled

SHOUT = re.compile(
    r"(?:stop|attention|important|warning|urgent|note|listen|please|achtung|wichtig|atencion|importante|attenzione|stopp|"
    r"внимание|注意|重要)\W*\s*\Z"
)
"""A word before an order that belongs to it."""
SENTENCE_END = re.compile(r"[.!?](?=\s|$|[\"')\]])|[。！？؟।]|\n")
LINES_ON = 3
"""An order in a picture goes on over so many lines, as long as no sentence ends and letters stay as high."""
LIKE_HEIGHT = 0.7


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """Compiled when first needed: they take a quarter of a second."""
    return (compiled(OVERRIDE), compiled(TO_A_MODEL), compiled(LABEL_AS), compiled(ITSELF), re.compile("|".join(FORMS)))


@cache
def _talk() -> re.Pattern[str]:
    fields = r"\b(?:offer|hook|angle|emotion|funnel|persona|production|format|cta|language|id|answer)\s*[:=]"
    return re.compile(f"{compiled(TALK).pattern}|{fields}")


def find_orders(material: Material) -> list[tuple[int, int]]:
    """Stretches of the folded text that are orders, in order, apart from each other."""
    found: list[tuple[int, int]] = []
    hits = sorted((m.start(), m.end()) for rx in _patterns() for m in rx.finditer(material.folded))
    for start, end in hits:
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], _end(material, end))
            continue
        found.append((_start(material, start), _end(material, end)))
    return _merged(found)


def without_orders(material: Material) -> tuple[Material, list[tuple[int, int]]]:
    """The material without orders, and where they stood in the folded text."""
    orders = find_orders(material)
    if not orders:
        return material, []
    cut = bytearray(len(material.text))
    for start, end in orders:
        first, last = material.place(start), material.place(end - 1) + 1
        cut[first:last] = b"\1" * (last - first)
    parts: list[Part] = []
    for index, part in enumerate(material.parts):
        begin = material.start_of(index)
        # One space for a stretch, however long: what stands after an order moves up.
        kept = "".join("\1" if cut[begin + i] else c for i, c in enumerate(part.text))
        text = re.sub(" ?\1+ ?", " ", kept).strip() if "\1" in kept else part.text
        if any(c.isalnum() for c in text):
            parts.append(Part(text=text, evidence=part.evidence, height=part.height))
    return Material(parts), orders


def _start(material: Material, at: int) -> int:
    """Where the sentence of a hit begins: in pictures it may have begun in the line before."""
    ends = [(0, 0), *((m.start(), m.end()) for m in SENTENCE_END.finditer(material.folded, 0, at))]
    last, start = ends[-1]
    if len(ends) > 1 and material.folded[last] == "\n" and _goes_on(material, last):
        ends.pop()
        start = ends[-1][1]
    before = ends[-2][1] if len(ends) > 1 else 0
    return before if SHOUT.fullmatch(material.folded[before:start].strip()) else start


def _end(material: Material, at: int) -> int:
    """Where the order ends: its sentence, and the next ones that talk of labels as well."""
    end = _sentence_end(material, at)
    while end < len(material.folded):
        after = _sentence_end(material, min(len(material.folded), end + 1))
        if after <= end or not _talk().search(material.folded, end, after):
            break
        end = after
    return end


def _sentence_end(material: Material, at: int) -> int:
    """The end of the sentence around a place; in pictures it may go on in the next lines."""
    folded = material.folded
    for lines in range(LINES_ON + 1):
        match = SENTENCE_END.search(folded, at)
        if match is None:
            return len(folded)
        at = match.end()
        if match.group() != "\n" or lines == LINES_ON or not _goes_on(material, match.start()):
            return at
    return at


def _goes_on(material: Material, line_break: int) -> bool:
    """Whether a sentence goes on after this end of a line: only in pictures, in letters as high."""
    place = material.place(line_break)
    index = material.part_at(place)
    if index + 1 >= len(material.parts):
        return False
    this, other = material.parts[index], material.parts[index + 1]
    if this.where != "line" or not this.height:
        return False
    return LIKE_HEIGHT <= other.height / this.height <= 1 / LIKE_HEIGHT


def _merged(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return [(start, end) for start, end in merged if end > start]
