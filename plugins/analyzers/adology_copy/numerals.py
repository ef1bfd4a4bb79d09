# ruff: noqa: RUF001 - decimal and grouping marks of other scripts
"""Amounts as people write them, in any locale, to plain decimals."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

SPACES = " \u00a0\u2009\u202f"
GROUPED = rf"\d{{1,3}}(?:[.,'’٬{SPACES}]\d{{3}})+(?![\d])(?:[.,٫]\d{{1,2}}(?!\d))?"
INDIAN = r"\d{1,2}(?:,\d{2}){1,4},\d{3}(?:\.\d{1,2}(?!\d))?"
PLAIN = r"\d{1,12}(?:[.,٫]\d{1,3}(?!\d))?"
CENTS = r"\.\d{2}(?!\d)"
NUMBER = rf"(?:{INDIAN}|{GROUPED}|{PLAIN}|{CENTS})"
"""A number with its grouping and decimals; `amount` reads what it matches."""

THOUSANDS = 3
DECIMAL_MARKS = ".,٫"

MULTIPLES: dict[str, int] = {
    "k": 1_000, "m": 1_000_000, "mn": 1_000_000, "mio": 1_000_000, "mio.": 1_000_000, "million": 1_000_000,
    "millions": 1_000_000, "millionen": 1_000_000, "milioni": 1_000_000, "millones": 1_000_000, "milhões": 1_000_000,
    "miljoen": 1_000_000, "bn": 1_000_000_000, "b": 1_000_000_000, "billion": 1_000_000_000, "mrd": 1_000_000_000,
    "mrd.": 1_000_000_000, "milliarden": 1_000_000_000, "milliards": 1_000_000_000, "lakh": 100_000,
    "crore": 10_000_000,
}  # fmt: skip
_WORDS = "|".join(sorted((re.escape(word) for word in MULTIPLES if len(word) > 1), key=len, reverse=True))
MULTIPLE = rf"(?:\s?(?i:{_WORDS})(?![^\W\d_])|[kKmMbB](?![^\W_]))"


def amount(text: str, *, multiple: str = "", decimals: int = 2) -> str:
    """The number as a plain decimal string. `decimals` is 3 where the currency has thousandths.

    One mark before three digits groups ("1.299" is 1299) unless the currency has thousandths or
    the number begins with 0; of two different marks the last one is the decimal mark.
    """
    digits = "".join(_western(c) for c in text)
    marks = [(at, c) for at, c in enumerate(digits) if c in DECIMAL_MARKS]
    decimal_at = _decimal_mark(digits, marks, decimals)
    whole = "".join(c for c in digits[:decimal_at] if c.isdigit())
    rest = "" if decimal_at is None else digits[decimal_at + 1 :]
    plain = f"{int(whole or '0')}.{rest}" if rest else str(int(whole or "0"))
    if not multiple:
        return plain
    scaled = Decimal(plain) * MULTIPLES[multiple.strip().lower()]
    return str(scaled.to_integral_value()) if scaled == scaled.to_integral_value() else str(scaled.normalize())


def _western(c: str) -> str:
    return str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c


def _decimal_mark(digits: str, marks: list[tuple[int, str]], decimals: int) -> int | None:
    if not marks:
        return None
    at, mark = marks[-1]
    after = len(digits) - at - 1
    if mark == "٫":
        return at
    if len(marks) > 1:
        return at if mark != marks[0][1] else None
    if any(c in digits[:at] for c in f"'’٬{SPACES}"):
        return at
    if after == THOUSANDS and decimals != THOUSANDS and digits[0] != "0":
        return None
    return at
