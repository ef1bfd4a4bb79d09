"""Prices in the picture against those in the ad's own copy.

An asset is shared by ads, so this cannot be part of the picture's result: whoever has both calls
`disagreements`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Literal, Protocol

from adology import Struct
from adology_text.model import PicturePrice

Why = Literal["lost_decimal_point", "other_amount"]

SHIFTS = (Decimal(100), Decimal(1000), Decimal(10))
"""What a lost mark multiplies an amount by: two decimals, three, one."""


class CopyPrice(Protocol):
    """What is needed of a price in the copy (`adology_copy.model.Price`)."""

    @property
    def amount(self) -> str:
        """A plain decimal."""
        ...

    @property
    def currency(self) -> str:
        """ISO 4217, empty where unknown."""
        ...


class Disagreement(Struct, frozen=True, kw_only=True):
    """One price of the picture that the copy does not know.

    `picture` is the index among the picture's prices, `copy_amount` the price in the copy that is
    nearest, `why` what seems to have happened: with "lost_decimal_point" the copy's amount is what
    stands in the picture, and the picture's was misread.
    """

    picture: int
    picture_amount: str
    copy_amount: str
    currency: str
    why: Why


def disagreements(
    prices_in_picture: Sequence[PicturePrice], copy_prices: Sequence[CopyPrice]
) -> tuple[Disagreement, ...]:
    """Prices of the picture without an equal in the copy, where the copy has prices of that currency.

    Currencies compare equal when either is unknown or assumed. Amounts taken off are no prices
    and are left out; no copy prices, no disagreement.
    """
    found: list[Disagreement] = []
    for at, price in enumerate(prices_in_picture):
        amount = _number(price.amount)
        if price.off or amount is None:
            continue
        known = [
            (one, number)
            for one in copy_prices
            if _same_currency(price, one) and (number := _number(one.amount)) is not None
        ]
        if not known or any(number == amount for _, number in known):
            continue
        shifted = next((one for one, number in known if _is_shifted(amount, number)), None)
        nearest = shifted or min(known, key=lambda pair: (abs(pair[1] - amount), pair[0].amount))[0]
        found.append(
            Disagreement(
                picture=at,
                picture_amount=price.amount,
                copy_amount=nearest.amount,
                currency=price.currency or nearest.currency,
                why="lost_decimal_point" if shifted else "other_amount",
            )
        )
    return tuple(found)


def _is_shifted(seen: Decimal, true: Decimal) -> bool:
    """Whether `seen` is `true` without its decimal point."""
    exponent = true.as_tuple().exponent
    return isinstance(exponent, int) and exponent < 0 and any(true * shift == seen for shift in SHIFTS)


def _same_currency(price: PicturePrice, other: CopyPrice) -> bool:
    assumed = price.assumed or getattr(other, "assumed", False)
    return assumed or not price.currency or not other.currency or price.currency == other.currency


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
