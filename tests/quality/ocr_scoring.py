"""How read text is held against the truth: the same rules for us and for the bare library."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

READ_WITHIN = 0.1
"""A line counts as read when at most this share of its characters is wrong."""

WHOLE_WORD = 3
"""Lines this short must stand alone among the words: anything is found inside a long text."""

INVENTED = 0.3
"""A line that was read is invented when more than this share of it is nowhere in the truth."""


def plain(text: str) -> str:
    """Compatibility forms and runs of spaces made one."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def bare(text: str) -> str:
    """Without case and spaces, in which truth and readers differ for no reason that matters."""
    return "".join(plain(text).casefold().split())


def edits_within(needle: str, text: str) -> int:
    """Fewest edits that turn some part of `text` into `needle`."""
    if not needle:
        return 0
    letters = np.array([ord(c) for c in text], dtype=np.int64)
    steps = np.arange(len(letters) + 1)
    row = np.zeros(len(letters) + 1, dtype=np.int64)
    for at, letter in enumerate(needle):
        below = np.empty_like(row)
        below[0] = at + 1
        below[1:] = np.minimum(row[1:] + 1, row[:-1] + (letters != ord(letter)))
        row = np.minimum.accumulate(below - steps) + steps
    return int(row.min())


def _left_over(letters: str, seen: Sequence[str]) -> int:
    """Letters that no line covers: what is one line in the truth may stand on several in a badge."""
    covered = [False] * len(letters)
    for part in map(bare, seen):
        at = letters.find(part) if len(part) >= WHOLE_WORD else -1
        if at >= 0:
            covered[at : at + len(part)] = [True] * len(part)
    return covered.count(False)


@dataclass
class Tally:
    """Sums over lines; the properties are what is reported."""

    lines: int = 0
    read: int = 0
    exact: int = 0
    letters: int = 0
    wrong: int = 0
    seen: int = 0
    invented: int = 0
    missed: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.read / self.lines if self.lines else 0.0

    @property
    def exact_share(self) -> float:
        return self.exact / self.lines if self.lines else 0.0

    @property
    def cer(self) -> float:
        return self.wrong / self.letters if self.letters else 0.0

    @property
    def invented_share(self) -> float:
        return self.invented / self.seen if self.seen else 0.0

    def add(self, truth: Sequence[str], seen: Sequence[str], *, partial: bool) -> None:
        """One picture: its true lines and those that were read, in reading order.

        Partial truth tells nothing about what else is in the picture, so only recall is counted.
        """
        together, words = " ".join(plain(line) for line in seen), {bare(w) for line in seen for w in line.split()}
        squeezed = bare(together)
        for line in truth:
            letters = bare(line)
            if not letters:
                continue
            self.lines += 1
            short = len(letters) <= WHOLE_WORD
            if short:
                edits = 0 if letters in words else len(letters)
            else:
                edits = min(edits_within(letters, squeezed), _left_over(letters, seen))
            self.read += edits <= READ_WITHIN * len(letters)
            self.exact += edits == 0
            if edits > READ_WITHIN * len(letters):
                self.missed.append(line)
            if not partial:
                exact = plain(line)
                self.letters += len(exact)
                self.wrong += min(len(exact), edits_within(exact, together))
        if not partial:
            known = bare(" ".join(truth))
            self.seen += len(seen)
            self.invented += sum(edits_within(bare(line), known) > INVENTED * len(bare(line)) for line in seen)
