"""Where a typed text stands in the spaces of embedding analyzers."""

# ruff: noqa: ARG002 - the interface's signatures

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

from adology import Analyzer, Context, Retry, Struct
from adology.abc.analyzer import AdItem
from adology.engine.analyzers import ReadyAnalyzer
from adology.engine.invoke import Invoker
from adology.engine.offline import Said, place
from adology.money import MemoryPurse, Price, PriceTable

PRICES = PriceTable((Price(service="vendor", model="m", since=date(2020, 1, 1), usd_per_million={"requests": 1000.0}),))


class Vector(Struct, frozen=True, kw_only=True):
    how: str


class OfCopy(Analyzer[None, Vector]):
    """Knows nothing of searches: an ad's text and a typed one are the same to it."""

    name, version, accepts = "of_copy", 1, ("ad",)

    async def analyze(self, ctx: Context[None], item: AdItem) -> Vector:
        return Vector(how=f"ad {item.ad.bodies[0]}")


class OfSearches(OfCopy):
    name = "of_searches"

    async def query(self, ctx: Context[None], text: str) -> Vector:
        async with ctx.paid("vendor", "m", requests=1) as call:
            call.bill(model="m", requests=1)
        return Vector(how=f"search {text}")


class OfPictures(Analyzer[None, Vector]):
    name, version, accepts = "of_pictures", 1, ("image",)


class Away(OfCopy):
    name = "away"

    async def query(self, ctx: Context[None], text: str) -> Vector:
        raise Retry("the vendor is away")


def said_of(*kinds: type[Analyzer[Any, Any]]) -> tuple[dict[str, Said], MemoryPurse]:
    ready = [
        ReadyAnalyzer(
            name=kind.name, analyzer=kind(), settings=None, settings_fields={}, reference="", fingerprint=kind.name
        )
        for kind in kinds
    ]
    purse = MemoryPurse(PRICES)
    said = asyncio.run(place(Invoker(None, purse), ready, "shoes", Path()))
    return {one.analyzer: one for one in said}, purse


def test_an_analyzer_that_tells_searches_from_ads_is_asked_for_a_search_and_the_call_is_billed() -> None:
    said, purse = said_of(OfSearches)
    assert said["of_searches"].result == {"how": "search shoes"}
    assert said["of_searches"].cost_usd == 0.001
    assert [bill.outcome for _, bill in purse.calls if bill] == ["billed"]


def test_one_of_copy_that_does_not_is_given_the_text_as_an_ad() -> None:
    assert said_of(OfCopy)[0]["of_copy"].result == {"how": "ad shoes"}


def test_where_words_find_nothing_nothing_is_said() -> None:
    assert said_of(OfPictures)[0] == {}


def test_a_failing_vendor_is_told_and_the_text_is_not_taken_for_an_ad_instead() -> None:
    said, _ = said_of(Away, OfCopy)
    assert (said["away"].result, said["away"].error) == (None, "the vendor is away")
    assert said["of_copy"].result == {"how": "ad shoes"}
