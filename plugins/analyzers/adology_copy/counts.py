# ruff: noqa: RUF001 - punctuation of other scripts
"""Lengths as people count them."""

from __future__ import annotations

import re
import unicodedata

from adology_copy.emoji import EMOJI

# Scripts written without spaces between words: each character counts.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W_])+(?:['’.,-](?:(?![{UNSPACED}])[^\W_])+)*")
SENTENCE_END = re.compile(r"[.!?…]+(?=[\s\"'”’»)\]]|$)|[。！？｡।؟۔]+|\n+")
LETTER_OR_DIGIT = re.compile(r"[^\W_]")


def characters(text: str) -> int:
    """Characters as seen: an emoji sequence and a letter with its marks count one each."""
    return sum(1 for c in EMOJI.sub("x", text.strip()) if not unicodedata.combining(c))


def words(text: str) -> int:
    """Words; characters in Chinese, Japanese, Thai, Lao, Khmer and Burmese."""
    return sum(1 for _ in WORD.finditer(text))


def sentences(text: str) -> int:
    """Parts between sentence ends and line ends that have a letter or digit."""
    return sum(1 for part in SENTENCE_END.split(text) if LETTER_OR_DIGIT.search(part))


def lines(text: str) -> int:
    """Lines that are not empty."""
    return sum(1 for line in text.splitlines() if line.strip())
