"""Pages that may be a brand, found by what their ads say."""

from __future__ import annotations

from typing import Any

import pytest

from adology import ConfigError, Retry, RetryLater
from tests.unit.facebook.conftest import Rig
from tests.unit.upstreams.meta_world import OTHER_PAGE, PAGE, make_ad, make_ads, make_world
from upstreams.faults import Fault
from upstreams.meta import EXPIRED_TOKEN
from upstreams.world import World

pytestmark = pytest.mark.anyio
SPEAKS: dict[str, Any] = {"bodies": ("Acme & Söhne: fresh coffee",)}


def world() -> World:
    """One page whose ads have its own name, one that speaks of another."""
    rival = make_ad(50, bodies=("Better than Acme & Söhne",), captions=("rival.example",))
    return make_world([*make_ads(3, **SPEAKS), make_ad(9)], [rival])


async def test_pages_are_found_by_the_name_in_their_ads(rig: Rig) -> None:
    await rig.serve(world())
    found = await rig.source.find_handles(rig.context(), "Acme & Söhne", "acme.example")
    assert found is not None
    assert [(one.handle, one.name, one.ads, one.confidence) for one in found] == [
        (PAGE, "Acme & Söhne", 3, 0.98), (OTHER_PAGE, "Rival", 1, 0.03),
    ]  # fmt: skip
    assert (found[0].link, found[0].verified) == (f"{rig.meta.origin}/{PAGE}", None)
    assert len(rig.calls) == 1
    assert rig.calls[0].query["fields"] == "page_id,page_name,ad_creative_link_captions"
    assert rig.snapshots == []


async def test_where_no_ad_has_the_name_the_domain_is_looked_for(rig: Rig) -> None:
    await rig.serve(make_world([make_ad(1, bodies=("Order at acme.example",))]))
    found = await rig.source.find_handles(rig.context(), "Acme Coffee", "acme.example")
    assert found is not None
    assert [one.handle for one in found] == [PAGE]
    assert len(rig.calls) == 2
    assert await rig.source.find_handles(rig.context(), "Nobody", "") == ()


async def test_a_name_of_any_length_can_be_looked_for(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(2)))
    assert await rig.source.find_handles(rig.context(), "x" * 200, "") == ()
    assert len(rig.calls[0].query["search_terms"]) == 100


@pytest.mark.parametrize(
    ("fault", "error"), [("rate_limit_613", RetryLater), ("not_confirmed", ConfigError), ("transient", Retry)]
)
async def test_refusals_are_what_they_are_when_gathering(rig: Rig, fault: str, error: type[Exception]) -> None:
    await rig.serve(make_world(make_ads(2, **SPEAKS)))
    rig.meta.faults.add(Fault(kind=fault))
    with pytest.raises(error):
        await rig.source.find_handles(rig.context(), "Acme", "")


async def test_an_expired_token_is_named(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(2, **SPEAKS)))
    rig.token = EXPIRED_TOKEN
    with pytest.raises(ConfigError, match=r"sources\.facebook\.token"):
        await rig.source.find_handles(rig.context(), "Acme", "")
