"""Ads whose creative and copy name different prices are flagged, as they are committed and while it is so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from adology.cli.mismatches import _read as read_mismatches
from adology.settings import AdologySettings
from adology.store import Database, Subjects
from adology.store.flags import AdResults, Flags
from adology.store.follower import Follower
from adology_mismatches.prices import FLAG, PriceMismatches, find_mismatches
from tests.system.rows import Catalogue, sha

pytestmark = pytest.mark.anyio


def in_picture(amount: str, confidence: float = 0.9) -> dict[str, Any]:
    return {"amount": amount, "currency": "USD", "raw": f"${amount}", "line": 0, "confidence": confidence}


def in_copy(amount: str) -> dict[str, Any]:
    return {"amount": amount, "currency": "USD", "raw": f"${amount}", "where": "body", "index": 0, "start": 0}


class Priced(Catalogue):
    def result(self, name: str, analyzer: str, *prices: dict[str, Any]) -> str:
        """A finished analysis of the ad's asset (`text`) or copy, not linked yet; its key."""
        key = f"{analyzer}-{name}-{len(prices)}-{prices[0]['amount'] if prices else ''}"
        kind, subject = ("asset", sha(name)) if analyzer == "text" else ("ad", f"copy-{name}")
        self.link.execute(
            "insert into analyses (key, analyzer, version, fingerprint, subject_kind, subject, state, result)"
            " values (%s, %s, 1, 'f', %s, %s, 'done', %s)",
            [key, analyzer, kind, subject, Jsonb({"prices": prices, "kind": "image"})],
        )
        return key


@pytest.fixture
async def database(store_settings: AdologySettings) -> AsyncIterator[Database]:
    async with Database(store_settings.postgres) as database:
        yield database


@pytest.fixture
def catalogue(store_settings: AdologySettings) -> Iterator[Priced]:
    with psycopg.connect(store_settings.postgres.url, autocommit=True) as link:
        yield Priced(link)


async def test_a_mismatch_is_flagged_when_both_are_known_and_goes_when_it_is_mended(
    store_settings: AdologySettings, database: Database, catalogue: Priced
) -> None:
    subjects, flags = Subjects(database), Flags(database)
    follower = Follower(database, PriceMismatches(database))
    for name, owner in (("a", None), ("b", None), ("mine", "acme")):
        catalogue.add(name, (1, 0, 0, 0), owner=owner)
        await subjects.link("ad", f"copy-{name}", {"copy": catalogue.result(name, "copy", in_copy("49.99"))})
    await follower.catch_up()
    assert await flags.list_flagged(FLAG) == []
    for name, amount in (("a", "4999"), ("b", "49.99"), ("mine", "59.99")):
        await subjects.link("asset", sha(name), {"text": catalogue.result(name, "text", in_picture(amount))})
    await follower.catch_up()
    (one,) = await flags.list_flagged(FLAG)
    (said,) = one.details
    (line,) = await read_mismatches(store_settings, "nike", None, 10)
    assert (line.ad, line.raw, line.copy_amount, line.why) == ("a", "$4999", "49.99", "lost_decimal_point")
    assert (one.ad, one.brand, said["why"]) == ("a", "nike", "lost_decimal_point")
    assert (said["raw"], said["amount"], said["copy_amount"]) == ("$4999", "4999", "49.99")
    assert [f.ad for f in await flags.list_flagged(FLAG, organisation="acme")] == ["a", "mine"]
    assert await flags.list_flagged(FLAG, brand="puma") == []
    await subjects.link("ad", "copy-a", {"copy": catalogue.result("a", "copy", in_copy("49.99"), in_copy("4999"))})
    await follower.catch_up()
    assert await flags.list_flagged(FLAG) == []


def test_prices_that_are_not_sure_and_results_of_another_form_flag_nothing() -> None:
    copy = {"prices": [in_copy("49.99")]}
    unsure = AdResults(ad_id=1, copy=copy, creatives={"x": {"prices": [in_picture("7", 0.2), in_picture("8", 0.9)]}})
    assert [found.amount for found in find_mismatches(unsure, least=0.3)] == ["8"]
    for creative in (None, {}, {"prices": "many"}, {"prices": [{"amount": 7}]}):
        assert find_mismatches(AdResults(ad_id=1, copy=copy, creatives={"x": creative}), least=0) == []
    assert find_mismatches(AdResults(ad_id=1, copy=None, creatives=unsure.creatives), least=0) == []
