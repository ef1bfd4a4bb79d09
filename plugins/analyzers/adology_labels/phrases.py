"""A small language for lists of phrases, matched in folded text.

Phrases stand between bars. A space is any white space, ``*`` ends a word's beginning, ``#`` is a
number, ``_`` one to three words, ``^`` the beginning of a sentence. They match whole words, in
scripts without spaces anything.
"""

from __future__ import annotations

import re
from functools import cache

from adology_labels.fold import fold

UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
NUMBER = r"\d[\d.,]*(?:\s?(?:k|m|mio|million\w*|millones|milhoes|thousand|mil|tausend|000))?"
WORDS = r"[^\s.!?]+(?:\s+[^\s.!?]+){0,2}"
BEGINNING = r"(?:(?<=[.!?\n])|(?<=[.!?\n] )|\A)\s*[^\w\s]{0,3}\s*"


@cache
def compiled(phrases: str) -> re.Pattern[str]:
    """One pattern for all phrases."""
    found = [_pattern(" ".join(phrase.split())) for phrase in phrases.split("|") if phrase.strip()]
    return re.compile("|".join(found))


def _pattern(phrase: str) -> str:
    first, text = (BEGINNING, phrase[1:]) if phrase.startswith("^") else ("", phrase)
    body = re.escape(fold(text)[0])
    for sign, means in ((r"\*", r"\w*"), (r"\#", NUMBER), ("_", WORDS), (r"\ ", r"\s+")):
        body = body.replace(sign, means)
    if UNSPACED.search(text):
        return first + body
    return rf"{first}(?<!\w){body}(?!\w)" if text[:1].isalnum() or text[:1] in "#_" else first + body + r"(?!\w)"
