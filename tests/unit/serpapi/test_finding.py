"""Advertisers that may be a brand, found in the stand-in."""

from __future__ import annotations

import pytest

from adology import ConfigError, RetryLater
from adology.money.calls import MemoryPurse
from adology_serpapi import SerpApi
from adology_serpapi.search import LIST_ENGINE
from tests.unit.serpapi.rig import ACME, OTHER, SEARCH, Rig, make_ad, make_brand
from upstreams.faults import Fault

pytestmark = pytest.mark.anyio
BRANDS = (
    make_brand([make_ad(1), make_ad(2)]),
    make_brand([make_ad(3)], advertiser=OTHER, name="Acme Tools", domain="tools.example"),
)


async def test_a_domain_finds_its_advertiser_with_one_paid_search() -> None:
    async with Rig(*BRANDS) as rig:
        context = rig.context(searches_per_hour=1000)
        purse = context._purse = MemoryPurse()
        found = await SerpApi().find_handles(context, "Acme", "acme.example")
        assert found is not None
        assert [(one.handle, one.name, one.ads, one.domains) for one in found] == [(ACME, "Acme", 2, ("acme.example",))]
        assert found[0].confidence == 1.0
        assert found[0].link == f"https://adstransparency.google.com/advertiser/{ACME}"
        assert rig.server.searches_paid == 1
        ((reserved, bill),) = purse.calls
        assert (reserved.service, reserved.model, reserved.units) == ("serpapi", LIST_ENGINE, {"searches": 1})
        assert bill is not None
        assert (bill.outcome, bill.units) == ("billed", {"searches": 1})


async def test_a_name_finds_all_who_have_it() -> None:
    async with Rig(*BRANDS) as rig:
        found = await SerpApi().find_handles(rig.context(), "Acme", "")
        assert found is not None
        assert [(one.handle, one.why.partition(";")[0]) for one in found] == [
            (ACME, "the same name"), (OTHER, "one name is part of the other"),
        ]  # fmt: skip


async def test_where_the_domain_finds_nothing_the_name_is_looked_for() -> None:
    async with Rig(*BRANDS) as rig:
        context = rig.context()
        purse = context._purse = MemoryPurse()
        found = await SerpApi().find_handles(context, "Acme Tools", "nothing.example")
        assert found is not None
        assert [one.handle for one in found] == [OTHER]
        assert len(purse.calls) == 2
        assert await SerpApi().find_handles(rig.context(), "Nobody", "nothing.example") == ()


@pytest.mark.parametrize(("fault", "error"), [("throughput_429", RetryLater), ("quota_429", ConfigError)])
async def test_refusals_are_what_they_are_when_gathering(fault: str, error: type[Exception]) -> None:
    async with Rig(*BRANDS) as rig:
        context = rig.context(searches_per_hour=1000)
        purse = context._purse = MemoryPurse()
        rig.server.faults.add(Fault(kind=fault, path=SEARCH))
        with pytest.raises(error):
            await SerpApi().find_handles(context, "Acme", "acme.example")
        assert purse.cost_usd == 0
        assert [bill.outcome for _, bill in purse.calls if bill] == ["failed"]


async def test_what_is_no_handle_is_no_candidate() -> None:
    odd = make_brand([make_ad(4)], advertiser="../account?", name="Acme Odd", domain="odd.example")
    async with Rig(*BRANDS, odd) as rig:
        found = await SerpApi().find_handles(rig.context(), "Acme", "")
        assert found is not None
        assert [one.handle for one in found] == [ACME, OTHER]
        assert await SerpApi().find_handles(rig.context(), "Acme", "odd.example") == ()
