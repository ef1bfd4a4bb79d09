"""Prices read in creatives against those in the copy of each ad that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from adology import Struct
from adology.log import logger
from adology.store.changes import Changes, Position
from adology.store.database import Database
from adology.store.flags import AdResults, Flags
from adology.store.follower import Owners
from adology.store.subjects import SubjectKind
from adology_copy.model import Price
from adology_text.disagree import Why, disagreements
from adology_text.model import PicturePrice

FLAG = "price_mismatch"


class Mismatch(Struct, frozen=True, kw_only=True):
    """A price in a creative that the copy does not know.

    `why` is "lost_decimal_point" where the copy's amount without its point was read, so that the
    creative probably says the same as the copy; else "other_amount". `raw` is what was read,
    `confidence` in [0, 1] how sure its amount is.
    """

    sha256: str
    raw: str
    amount: str
    copy_amount: str
    currency: str
    why: Why
    confidence: float


class _Prices(Struct, frozen=True):
    prices: tuple[PicturePrice, ...] = ()


class _CopyPrices(Struct, frozen=True):
    prices: tuple[Price, ...] = ()


class PriceMismatches:
    """What a `Follower` keeps in step: the flag "price_mismatch" of ads, with a list of `Mismatch`."""

    name = "mismatches"
    kinds: tuple[SubjectKind, ...] = ("asset", "ad")

    def __init__(self, database: Database, *, confidence: float = 0.3) -> None:
        self._changes = Changes(database)
        self._flags = Flags(database)
        self._confidence = confidence

    async def load(self) -> Position | None:
        """See `Derived.load`."""
        return await self._changes.place(self.name)

    async def begin(self) -> None:
        """See `Derived.begin`: flags stand until their ads are looked at again."""
        await self._changes.move(self.name, None)

    async def publish(self) -> None:
        """See `Derived.publish`."""

    async def keep(self, position: Position) -> None:
        """See `Derived.keep`."""
        await self._changes.move(self.name, position)

    async def close(self) -> None:
        """See `Derived.close`."""

    async def refresh(self, kind: SubjectKind, subjects: Sequence[str], owners: Owners) -> None:  # noqa: ARG002 - the interface's
        """See `Derived.refresh`."""
        async for ads in self._flags.ads_with(kind, subjects):
            found: dict[int, Any] = {}
            for one in await self._flags.load(ads, copy="copy", creative="text"):
                mismatches = find_mismatches(one, least=self._confidence)
                if mismatches:
                    found[one.ad_id] = msgspec.to_builtins(mismatches)
            await self._flags.put(FLAG, found, ads)


def find_mismatches(ad: AdResults, *, least: float) -> list[Mismatch]:
    """Prices of the ad's creatives, at least that sure, that its copy contradicts; by creative, in reading order."""
    copy = _read(ad.copy, _CopyPrices, ad.ad_id)
    found: list[Mismatch] = []
    for sha256, result in sorted(ad.creatives.items()):
        seen = _read(result, _Prices, ad.ad_id)
        if copy is None or seen is None:
            continue
        sure = [price for price in seen.prices if price.confidence >= least]
        found += [
            Mismatch(
                sha256=sha256,
                raw=sure[one.picture].raw,
                amount=one.picture_amount,
                copy_amount=one.copy_amount,
                currency=one.currency,
                why=one.why,
                confidence=sure[one.picture].confidence,
            )
            for one in disagreements(sure, copy.prices)
        ]
    return found


def _read(result: Any, kind: type[Any], ad_id: int) -> Any:
    """The prices in a result; None without one, or for one of another form."""
    try:
        return None if result is None else msgspec.convert(result, kind)
    except msgspec.ValidationError as error:
        logger.bind(ad=ad_id, error=str(error)).warning("result of another form; its prices are not compared")
        return None
