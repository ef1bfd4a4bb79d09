# ruff: noqa: RUF001 - marks and words of other languages
"""Prices and discounts in copy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from adology_copy import currencies
from adology_copy.model import Discount, Piece, Price
from adology_copy.numerals import MULTIPLE, NUMBER, amount


def _either(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


NO_LETTER = r"(?<![^\W\d_])"
NO_LETTER_AFTER = r"(?![^\W\d_])"
BEFORE = _either([*currencies.SIGNS, *(currencies.CODES - currencies.WORDS_TOO)])
CODE = _either(sorted(currencies.CODES))
UNSPACED = frozenset({"円", "元", "원", "บาท"})
SYMBOLS = [word for word in currencies.WORDS if word in UNSPACED or not word[-1].isalpha()]
NAMES = [word for word in currencies.WORDS if word not in SYMBOLS]
AFTER = rf"(?:{CODE}){NO_LETTER_AFTER}|(?i:{_either(SYMBOLS)}|(?:{_either(NAMES)}){NO_LETTER_AFTER})"
NONE_AFTER = r"(?:[.,]\s?[-–—]{1,2}(?![\d]))?"

PRICE = re.compile(
    rf"{NO_LETTER}(?P<sign>{BEFORE})\s?(?P<first>{NUMBER})(?P<times>{MULTIPLE})?{NONE_AFTER}"
    rf"(?:\s?(?P<code>{CODE}){NO_LETTER_AFTER})?"
    rf"|(?<![\d.,])(?P<second>{NUMBER})(?P<times2>{MULTIPLE})?(?:[.,]\s?[-–—]{{1,2}})?\s?-?(?P<word>{AFTER})"
)

STARTING = re.compile(
    r"(?:\b(?:from|ab|schon ab|à partir de|dès|desde|a partire da|da|vanaf|a partir de|från|fra|alkaen|od|już od|de la|"
    r"από|от|від|starting at|as low as|mulai|chỉ từ|từ)|から|低至|仅)\s*$",
    re.IGNORECASE,
)
UP_TO = re.compile(
    r"(?:\b(?:up to|upto|bis zu|jusqu['’][àa]|hasta(?: un| el)?|fino al?|tot(?: wel)?|até|upp till|op til|opptil|"
    r"jopa|do|až|akár|până la|до|έως|hingga|lên đến|tới)|最大|高达|最高|최대|ลดสูงสุด|حتى|עד)\s*[-−–]?\s*$",
    re.IGNORECASE,
)
OFF_WORDS = (
    "off|discount|savings|rabatt|nachlass|ersparnis|günstiger|de descuento|descuento|dto|de desconto|desconto|"
    "de réduction|réduction|de remise|remise|de rabais|di sconto|sconto|korting|rabat|rea|alennusta|alennus|zniżki|"
    "zniżka|rabatu|taniej|sleva|slevy|slevu|zľava|zľavy|kedvezmény|engedmény|reducere|indirim|popusta|popust|diskon|"
    "скидки|скидка|скидку|знижки|знижка|знижку|отстъпка|έκπτωση|giảm"
)
SAVE_WORDS = (
    "save|saving|get|enjoy|sale|discount|spare|sparen|spar|rabatt|nachlass|ahorra|descuento|descuentos|économisez|"
    "profitez de|remise|réduction|promo|risparmia|sconto|sconti|saldi|bespaar|korting|spara|rabat|säästä|oszczędź|"
    "ušetřete|sleva|zľava|economize|economisește|poupe|desconto|diskon|giảm(?: giá)?|скидка|скидки|скидку|знижка|"
    "знижки|έκπτωση|indirim|popust|kedvezmény"
)
OFF_AFTER = re.compile(
    rf"\s*(?:[^\W\d_]+\s+)?(?:(?:{OFF_WORDS})(?![^\W\d_])|オフ|割引|引き|할인|ลด|خصم|הנחה|छूट|ছাড়|折扣)"
    r"|['’][^\W\d_]{1,4} varan",
    re.IGNORECASE,
)
SAVE_BEFORE = re.compile(
    rf"(?:\b(?:{SAVE_WORDS})(?:[:\s]+(?:up to|upto|an extra|extra|bis zu|jusqu['’]à|hasta(?: un)?|fino al?|tot|até|"
    r"upp till|op til|opptil|jopa|do|až|akár|până la|di|del|de|von|of|av|af|от|до|lên đến|hingga))*[:\s]*"
    r"|(?:خصم|הנחה של|할인|ลด|割引|छूट)\s*)[-−–]?\s*$",
    re.IGNORECASE,
)
MINUS_BEFORE = re.compile(r"(?:^|[\s(\[*_~|])[-−–]\s?$")
PERCENT = re.compile(r"(?<![\d.,])(\d{1,3}(?:[.,]\d{1,2})?)\s?[%％٪]|[%％](\d{1,3})(?!\d)")
CONTEXT = 40
MOST_PERCENT = 100


def find(pieces: Sequence[Piece], language: str) -> tuple[tuple[Price, ...], tuple[Discount, ...]]:
    """Prices and discounts, in order. An amount that is taken off is a discount, not a price."""
    prices: list[Price] = []
    discounts: list[Discount] = []
    for piece in pieces:
        for price in _prices(piece, language):
            off = _amount_off(piece.text, price)
            if off is None:
                prices.append(price)
            else:
                discounts.append(off)
        discounts.extend(_percents(piece))
    return tuple(prices), tuple(discounts)


def _prices(piece: Piece, language: str) -> Iterator[Price]:
    for match in PRICE.finditer(piece.text):
        sign = match["sign"] or match["word"]
        known = currencies.SIGNS if match["sign"] else currencies.WORDS
        found = match["code"] or known.get(sign) or known.get(sign.lower()) or sign
        currency, assumed = currencies.resolve(match["code"] or sign, found, language)
        value = amount(
            match["first"] or match["second"],
            multiple=match["times"] or match["times2"] or "",
            decimals=3 if currency in currencies.THREE_DECIMALS else 2,
        )
        before = piece.text[max(0, match.start() - CONTEXT) : match.start()]
        yield Price(
            amount=value,
            currency=currency,
            raw=match.group().strip(),
            where=piece.where,
            index=piece.index,
            start=match.start(),
            assumed=assumed,
            starting=STARTING.search(before) is not None,
        )


def _amount_off(text: str, price: Price) -> Discount | None:
    before = text[max(0, price.start - CONTEXT) : price.start]
    end = price.start + len(price.raw)
    if not (_taken_off(before) or OFF_AFTER.match(text, end, end + CONTEXT)):
        return None
    return Discount(
        raw=price.raw,
        where=price.where,
        index=price.index,
        start=price.start,
        amount=price.amount,
        currency=price.currency,
        up_to=UP_TO.search(before) is not None,
    )


def _percents(piece: Piece) -> Iterator[Discount]:
    for match in PERCENT.finditer(piece.text):
        value = amount(match[1] or match[2])
        before = piece.text[max(0, match.start() - CONTEXT) : match.start()]
        is_off = _taken_off(before) or OFF_AFTER.match(piece.text, match.end(), match.end() + CONTEXT)
        if is_off and 0 < float(value) <= MOST_PERCENT:
            yield Discount(
                raw=match.group(),
                where=piece.where,
                index=piece.index,
                start=match.start(),
                percent=value,
                up_to=UP_TO.search(before) is not None,
            )


def _taken_off(before: str) -> bool:
    return bool(SAVE_BEFORE.search(before) or MINUS_BEFORE.search(before))
