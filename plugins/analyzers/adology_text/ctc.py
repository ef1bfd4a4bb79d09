"""From the recogniser's columns of probabilities to letters, with what was nearly read."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adology import Struct

BLANK = 0
MARKS = ".,·'’"  # noqa: RUF001 - an apostrophe of Swiss prices
"""What groups digits or cuts off decimals, and is easily lost."""


class Letter(Struct, frozen=True, kw_only=True):
    """One letter that was read.

    `sure` is its probability, `at` its place along the line in [0, 1], `mark_before` the highest
    probability of a mark between it and the letter before.
    """

    text: str
    sure: float
    at: float
    mark_before: float = 0.0


class Reading(Struct, frozen=True, kw_only=True):
    """What one crop says: `text` is NFKC, `letters` as the model gave them."""

    text: str
    confidence: float
    letters: tuple[Letter, ...] = ()


NOTHING = Reading(text="", confidence=0.0)


class Alphabet:
    """The letters of the model, in its order; the first is "no letter"."""

    def __init__(self, letters: Sequence[str]) -> None:
        self._letters = list(letters)
        self._marks = [at for at, letter in enumerate(letters) if letter and letter in MARKS]

    def decode(self, columns: NDArray[Any], *, width: int, used: int) -> Reading:
        """Columns x letters to text. The crop is the first `used` of `width` pixels."""
        best = columns.argmax(axis=1)
        starts = [at for at, one in enumerate(best) if one != BLANK and (at == 0 or best[at - 1] != one)]
        if not starts:
            return NOTHING
        letters = []
        before = 0
        for start in starts:
            between = columns[before:start, self._marks] if start > before else None
            end = start
            while end < len(best) and best[end] == best[start]:
                end += 1
            letters.append(
                Letter(
                    text=self._letters[best[start]],
                    sure=round(float(columns[start:end, best[start]].max()), 4),
                    at=round(min(1.0, (start + end) / 2 / len(best) * width / used), 4),
                    mark_before=0.0 if between is None else round(float(between.max()), 4),
                )
            )
            before = end
        confidence = float(np.mean([columns[start, best[start]] for start in starts]))
        text = unicodedata.normalize("NFKC", "".join(letter.text for letter in letters))
        return Reading(text=" ".join(text.split()), confidence=round(confidence, 4), letters=tuple(letters))
