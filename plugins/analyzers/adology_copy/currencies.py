# ruff: noqa: RUF001 - signs of other currencies
"""Signs and words of money, and the currencies they stand for."""

from __future__ import annotations

CODES = frozenset({
    "USD", "EUR", "GBP", "CHF", "SEK", "NOK", "DKK", "ISK", "PLN", "CZK", "HUF", "RON", "BGN", "RSD", "UAH",
    "RUB", "TRY", "ILS", "AED", "SAR", "QAR", "KWD", "BHD", "OMR", "JOD", "EGP", "MAD", "TND", "ZAR", "NGN",
    "KES", "GHS", "INR", "PKR", "BDT", "LKR", "NPR", "IDR", "MYR", "SGD", "THB", "VND", "PHP", "HKD", "TWD",
    "CNY", "JPY", "KRW", "AUD", "NZD", "CAD", "MXN", "BRL", "ARS", "CLP", "COP", "PEN", "UYU", "KZT", "GEL",
})  # fmt: skip
WORDS_TOO = frozenset({"TRY", "MAD", "COP", "CLP", "PEN", "GEL"})
"""Codes that are words or trade names in capitals: only after an amount."""

THREE_DECIMALS = frozenset({"KWD", "BHD", "OMR", "TND", "JOD"})

SIGNS: dict[str, str] = {
    "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "CAD$": "CAD", "NZ$": "NZD", "HK$": "HKD",
    "NT$": "TWD", "S$": "SGD", "R$": "BRL", "MX$": "MXN", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "￥": "JPY",
    "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₫": "VND", "฿": "THB", "₪": "ILS", "₱": "PHP",
    "₦": "NGN", "₡": "CRC", "₲": "PYG", "₵": "GHS", "₸": "KZT", "৳": "BDT", "₾": "GEL", "﷼": "SAR",
    "Rs.": "INR", "Rs": "INR", "Rp.": "IDR", "Rp": "IDR", "RM": "MYR", "Fr.": "CHF", "SFr.": "CHF", "kr.": "kr",
    "kr": "kr", "Kr.": "kr", "Kr": "kr", "Tk": "BDT",
}  # fmt: skip
"""What stands before an amount. "kr" is decided by the text's language."""

WORDS: dict[str, str] = {
    "€": "EUR", "euro": "EUR", "euros": "EUR", "eur": "EUR", "евро": "EUR", "ευρώ": "EUR", "$": "USD",
    "dollars": "USD", "dollar": "USD", "dólares": "USD", "£": "GBP", "pounds": "GBP", "zł": "PLN", "zl": "PLN",
    "złotych": "PLN", "kč": "CZK", "ft": "HUF", "forint": "HUF", "lei": "RON", "ron": "RON", "tl": "TRY", "₺": "TRY",
    "₽": "RUB", "руб.": "RUB", "руб": "RUB", "рублей": "RUB", "р.": "RUB", "₴": "UAH", "грн": "UAH", "грн.": "UAH",
    "лв.": "BGN", "лв": "BGN", "円": "JPY", "元": "CNY", "원": "KRW", "บาท": "THB", "฿": "THB", "₫": "VND", "đ": "VND",
    "vnđ": "VND", "chf": "CHF", "franken": "CHF", "fr.": "CHF", "₪": "ILS", "kr": "kr", "kr.": "kr", ":-": "kr",
    ",-": "kr", "kronor": "SEK", "kroner": "kr", "reais": "BRL", "rupees": "INR", "taka": "BDT", "৳": "BDT",
    "টাকা": "BDT", "درهم": "AED", "ريال": "SAR", "₹": "INR", "¥": "JPY",
}  # fmt: skip
"""What stands after an amount, in lower case."""

AMBIGUOUS = frozenset({"$", "¥", "￥", "Rs", "Rs.", "dollar", "dollars", "Fr.", "fr.", "درهم", "ريال", "﷼"})
"""Signs of several currencies: what we take them for is an assumption."""

CROWNS = {"sv": "SEK", "no": "NOK", "da": "DKK"}
"""Which crown, by the text's language."""


def resolve(sign: str, found: str, language: str) -> tuple[str, bool]:
    """Currency code, empty where unknown, and whether it is assumed."""
    if found == "kr":
        return CROWNS.get(language, ""), language in CROWNS
    if sign in ("¥", "￥"):
        return ("CNY" if language == "zh" else "JPY"), True
    return found, sign in AMBIGUOUS
