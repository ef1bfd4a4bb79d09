# ruff: noqa: RUF001 - prices of other locales
from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adology_copy.model import Discount, Piece, Price
from adology_copy.money import find
from adology_copy.numerals import amount


def read(text: str, language: str = "und") -> tuple[tuple[Price, ...], tuple[Discount, ...]]:
    return find((Piece(where="body", index=0, text=text),), language)


def prices(text: str, language: str = "und") -> list[tuple[str, str]]:
    return [(price.amount, price.currency) for price in read(text, language)[0]]


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("Only $1,299.00 today", "en", [("1299.00", "USD")]),
        ("nur 1.299,00 € statt 1.599 €", "de", [("1299.00", "EUR"), ("1599", "EUR")]),
        ("£20 or £20.50", "en", [("20", "GBP"), ("20.50", "GBP")]),
        ("¥1200", "ja", [("1200", "JPY")]),
        ("¥1200", "zh", [("1200", "CNY")]),
        ("ab 9,99 EUR", "de", [("9.99", "EUR")]),
        ("CHF 12.- statt 15.50 CHF", "de", [("12", "CHF"), ("15.50", "CHF")]),
        ("CHF 1'299.50", "de", [("1299.50", "CHF")]),
        ("CHF 1’299.50", "de", [("1299.50", "CHF")]),
        ("10 000 kr", "sv", [("10000", "SEK")]),
        ("10\u00a0000\u00a0kr", "no", [("10000", "NOK")]),
        ("299 kr.", "da", [("299", "DKK")]),
        ("kr 499,-", "no", [("499", "NOK")]),
        ("499:-", "sv", [("499", "SEK")]),
        ("99 kr", "und", [("99", "")]),
        ("Rs. 1,29,999", "en", [("129999", "INR")]),
        ("৳ ১২০০", "bn", [("1200", "BDT")]),
        ("1.299.000đ", "vi", [("1299000", "VND")]),
        ("Rp 150.000", "id", [("150000", "IDR")]),
        ("R$ 1.299,90", "pt", [("1299.90", "BRL")]),
        ("US$ 5, A$25, $25 CAD", "en", [("5", "USD"), ("25", "AUD"), ("25", "CAD")]),
        ("99,90 zł", "pl", [("99.90", "PLN")]),
        ("1 299 Kč", "cs", [("1299", "CZK")]),
        ("9990 Ft", "hu", [("9990", "HUF")]),
        ("199 lei", "ro", [("199", "RON")]),
        ("200 TL üzeri", "tr", [("200", "TRY")]),
        ("1500 руб.", "ru", [("1500", "RUB")]),
        ("500 грн", "uk", [("500", "UAH")]),
        ("3,980円", "ja", [("3980", "JPY")]),
        ("39,900원", "ko", [("39900", "KRW")]),
        ("299 บาทเท่านั้น", "th", [("299", "THB")]),
        ("KWD 1.250", "ar", [("1.250", "KWD")]),
        ("$3 million, $5M, €1.5k", "en", [("3000000", "USD"), ("5000000", "USD"), ("1500", "EUR")]),
        ("2,5 Mio. €", "de", [("2500000", "EUR")]),
        ("$.99 and $0.999", "en", [("0.99", "USD"), ("0.999", "USD")]),
        ("€12,50/Monat, 1,99€*", "de", [("12.50", "EUR"), ("1.99", "EUR")]),
        ("$20-$30", "en", [("20", "USD"), ("30", "USD")]),
    ],
)
def test_prices_of_many_locales(text: str, language: str, found: list[tuple[str, str]]) -> None:
    assert prices(text, language) == found


@pytest.mark.parametrize(
    "text",
    [
        "TRY 5 flavours",
        "version 1.2.3 of 2024",
        "R2 D2",
        "100% cotton",
        "0% APR",
        "call 555-1234",
        "Top 10",
        "5 Kronen",
    ],
)
def test_other_numbers_are_no_prices(text: str) -> None:
    assert read(text) == ((), ())


def test_assumptions_and_starting_prices_are_marked() -> None:
    dollar, euro = read("From $5 or from 5 €")[0]

    assert (dollar.assumed, dollar.starting, euro.assumed, euro.starting) == (True, True, False, True)
    assert read("bezahle 5 €")[0][0].starting is False
    assert read("5 kr", "sv")[0][0].assumed


def test_positions_point_into_their_text() -> None:
    text = "Now: €5, was €10"
    pieces = (Piece(where="title", index=0, text="x"), Piece(where="body", index=2, text=text))

    for price in find(pieces, "en")[0]:
        assert (price.where, price.index) == ("body", 2)
        assert text[price.start :].startswith(price.raw)


@pytest.mark.parametrize(
    ("text", "percent", "up_to"),
    [
        ("50% off everything", "50", False),
        ("Save up to 30% now", "30", True),
        ("Spare bis zu 50 %", "50", True),
        ("20% Rabatt", "20", False),
        ("-20 % sur tout le site", "20", False),
        ("20 % de réduction", "20", False),
        ("sconto del 30%", "30", False),
        ("hasta un 40 % de descuento", "40", True),
        ("até 60% de desconto", "60", True),
        ("tot 50% korting", "50", True),
        ("upp till 70% rabatt", "70", True),
        ("%50'ye varan indirim", "50", False),
        ("50%オフ", "50", False),
        ("50% 할인", "50", False),
        ("خصم 50%", "50", False),
        ("скидку 50%", "50", False),
        ("giảm 20%", "20", False),
        ("do 50% taniej", "50", True),
        ("10,5 % discount", "10.5", False),
    ],
)
def test_percentages_off(text: str, percent: str, up_to: bool) -> None:
    found, discounts = read(text)

    assert found == ()
    assert [(d.percent, d.up_to) for d in discounts] == [(percent, up_to)]


@pytest.mark.parametrize(
    ("text", "amount_off", "currency"),
    [("$10 off your order", "10", "USD"), ("Save $50 today", "50", "USD"), ("10 € Rabatt", "10", "EUR"),
     ("Spare 20€", "20", "EUR"), ("5 Fr. Rabatt", "5", "CHF"), ("15 € de descuento", "15", "EUR")],
)  # fmt: skip
def test_amounts_off_are_discounts_and_no_prices(text: str, amount_off: str, currency: str) -> None:
    found, discounts = read(text)

    assert found == ()
    assert [(d.amount, d.currency, d.percent) for d in discounts] == [(amount_off, currency, "")]


def test_a_price_beside_a_saving_stays_a_price() -> None:
    found, discounts = read("Save $50 on laptops from $499")

    assert [(p.amount, p.starting) for p in found] == [("499", True)]
    assert [d.amount for d in discounts] == ["50"]


@given(
    st.integers(0, 10**9),
    st.integers(0, 99),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("\u202f", ",")]),
)
def test_any_grouped_amount_reads_back(whole: int, cents: int, marks: tuple[str, str]) -> None:
    group, point = marks
    text = f"{whole:,}".replace(",", group) + f"{point}{cents:02}"

    assert Decimal(amount(text)) == Decimal(whole) + Decimal(cents) / 100


@given(st.text(alphabet="0123456789.,' €$%krEURoffsave-–:٫১円", max_size=80))
def test_amounts_are_always_plain_decimals(text: str) -> None:
    found, discounts = read(text)

    for value in [p.amount for p in found] + [d.percent or d.amount for d in discounts]:
        assert Decimal(value) >= 0
        assert "E" not in value.upper()
