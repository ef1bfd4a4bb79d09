# ruff: noqa: RUF001 - letters of other scripts
"""Which language a text is in: by its script, and in Latin script by common words and letters.

A small detector that says "und" when it does not know. It knows the languages of
`wordlists.WORDS` and of `SCRIPTS`; a text in another language that shares their script and some
words can be taken for them, with low confidence.
"""

from __future__ import annotations

import math
import re
from itertools import islice

from adology_copy.model import Language
from adology_copy.wordlists import LETTERS, WORDS

SCRIPTS: tuple[tuple[str, str, str], ...] = (
    # name, range, language where the script alone tells
    ("kana", "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d", "ja"),
    ("han", "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff", "zh"),
    ("hangul", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af", "ko"),
    ("arabic", "\u0620-\u065f\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f", "ar"),
    ("hebrew", "\u05d0-\u05ea", "he"),
    ("greek", "\u0370-\u03ff\u1f00-\u1fff", "el"),
    ("cyrillic", "\u0400-\u052f", "ru"),
    ("thai", "\u0e01-\u0e4e", "th"),
    ("devanagari", "\u0900-\u0963\u0970-\u097f", "hi"),
    ("bengali", "\u0980-\u09e3", "bn"),
    ("gurmukhi", "\u0a01-\u0a65", "pa"),
    ("gujarati", "\u0a81-\u0ae5", "gu"),
    ("tamil", "\u0b82-\u0be5", "ta"),
    ("telugu", "\u0c00-\u0c65", "te"),
    ("kannada", "\u0c80-\u0ce5", "kn"),
    ("malayalam", "\u0d00-\u0d65", "ml"),
    ("sinhala", "\u0d80-\u0ddf", "si"),
    ("georgian", "\u10a0-\u10ff", "ka"),
    ("armenian", "\u0531-\u0587", "hy"),
    ("khmer", "\u1780-\u17dd", "km"),
    ("burmese", "\u1000-\u104f", "my"),
    ("lao", "\u0e81-\u0edf", "lo"),
    ("latin", "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff", ""),
)
LETTER_OF = {name: re.compile(f"[{letters}]") for name, letters, _ in SCRIPTS}
LANGUAGE_OF = {name: code for name, _, code in SCRIPTS}

DENSE = {"han": 2.5, "kana": 2.0, "hangul": 2.0, "thai": 1.2}
"""One of these says as much as so many Latin letters: a brand's name must not outweigh a sentence."""

# Letters and words that give a language away within a shared script.
TELLING: dict[str, tuple[tuple[str, re.Pattern[str]], ...]] = {
    "cyrillic": (
        ("uk", re.compile(r"[іїєґ]|\b(?:та|що|від|це|або|зараз|якщо|знижк\w{0,4})\b", re.IGNORECASE)),
        ("sr", re.compile("[ђјљњћџ]", re.IGNORECASE)),
        ("ru", re.compile(r"[ыэё]|\b(?:что|это|или|как|сейчас|скидк\w{0,4})\b", re.IGNORECASE)),
        ("bg", re.compile(r"\b(?:се|ще|сега|това|със|във|още|отстъпк\w{0,4}|\w{2,20}ата)\b", re.IGNORECASE)),
    ),
    "arabic": (
        ("ur", re.compile("[ٹڈڑےں]")),
        ("fa", re.compile("[پچژگ]")),
    ),
}
UNSURE_SCRIPT = 0.6
"""Confidence where several languages share the script and nothing telling was found."""

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
LISTED: dict[str, tuple[str, ...]] = {}
for _code, _words in WORDS.items():
    for _word in set(_words.split()):
        LISTED[_word] = (*LISTED.get(_word, ()), _code)
WRITTEN: dict[str, tuple[str, ...]] = {
    letter: tuple(code for code, letters in LETTERS.items() if letter in letters)
    for letter in sorted(set("".join(LETTERS.values())))
}

LETTER_WEIGHT = 0.7
LEAST_EVIDENCE = 1.05
LEAST_PER_WORD = 0.15
LEAST_LEAD = 1.15
"""The best language must be this much ahead of the next."""
MOST_WORDS = 2000
LEAST_SHARE = 0.1
KANA_AMONG_HAN = 0.05
"""Chinese copy quotes a Japanese name now and then; Japanese copy is never without kana."""


def detect(text: str) -> Language:
    """The language that most of the text is in."""
    amounts = {
        name: len(letters) * DENSE.get(name, 1.0) for name, rx in LETTER_OF.items() if (letters := rx.findall(text))
    }
    total = sum(amounts.values())
    latin = amounts.pop("latin", 0.0)
    if latin and latin >= max(amounts.values(), default=0.0):
        found = _latin(text, latin / total)
        # Names of brands in Latin letters are no language: then a good part of another script decides.
        if found.code != "und" or sum(amounts.values()) < LEAST_SHARE * total:
            return found
    if not amounts:
        return Language()
    script = max(amounts, key=lambda name: amounts[name])
    if script in ("han", "kana"):
        han, kana = amounts.get("han", 0.0), amounts.get("kana", 0.0)
        return _language("ja" if kana > KANA_AMONG_HAN * han else "zh", (han + kana) / total)
    if script in TELLING:
        return _shared(text, script, amounts[script] / total)
    return _language(LANGUAGE_OF[script], amounts[script] / total)


def _language(code: str, confidence: float) -> Language:
    return Language(code=code, confidence=round(confidence, 2))


def _shared(text: str, script: str, share: float) -> Language:
    """The language within a script that several use: the one with most telling letters."""
    hits = [(len(rx.findall(text)), -place, code) for place, (code, rx) in enumerate(TELLING[script])]
    count, _, code = max(hits)
    if count:
        return _language(code, share)
    return _language(LANGUAGE_OF[script], share * UNSURE_SCRIPT)


def _latin(text: str, share: float) -> Language:
    evidence: dict[str, float] = {}
    # Each word once: a product's name in every line of a catalogue is not more of a language.
    words = {match.group().lower().replace("’", "'") for match in islice(WORD.finditer(text), MOST_WORDS)}
    for word in sorted(words):
        listed = LISTED.get(word) or LISTED.get(word.partition("'")[2], ())
        for code in listed:
            evidence[code] = evidence.get(code, 0.0) + 1.0 / len(listed)
        for letter in set(word) & WRITTEN.keys():
            for code in WRITTEN[letter]:
                evidence[code] = evidence.get(code, 0.0) + LETTER_WEIGHT / len(WRITTEN[letter])
    ranked = sorted(evidence.items(), key=lambda pair: (-pair[1], pair[0]))[:2]
    if not ranked or ranked[0][1] < max(LEAST_EVIDENCE, LEAST_PER_WORD * len(words)):
        return Language()
    code, best = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    if best < LEAST_LEAD * second:
        return Language()
    # Sure when much was found and little of it speaks for the next language.
    return _language(code, share * (1 - math.exp(-best / 2)) * (1 - 0.5 * second / best))
