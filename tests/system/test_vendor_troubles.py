"""A 429 storm, an exhausted quota, a dead vendor in mid-batch: it commits, and all is made later by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from adology.plugins import Plugins
from adology.runtime.engine import Engine
from adology.settings import AdologySettings
from adology.vendors.lanes import LANES
from tests.system import rig
from tests.system.test_providers import Vendors, loaded, vendors
from upstreams.faults import FOREVER, Fault

__all__ = ["loaded"]

pytestmark = pytest.mark.timeout(170)

ADS = 24
BEFORE = 2
"""Calls that get through before the trouble begins."""

Mend = Callable[[Vendors, Engine], Awaitable[None]]


async def clear(there: Vendors, engine: Engine) -> None:
    """The vendor is back. How long each analysis waits by now depends on this machine: that time passes at once."""
    there.openai.faults.clear()
    due_now(engine)


async def pay_the_bill(there: Vendors, engine: Engine) -> None:
    """A person has: the hour that an empty account is left alone passes at once."""
    there.openai.faults.clear()
    LANES.clear()
    due_now(engine)


def due_now(engine: Engine) -> None:
    rig.rows(
        engine.settings,
        "update analyses set retry_at = now(), asked_at = null, deferrals = 0 where state = 'deferred' returning 1",
    )


def trouble(name: str) -> Fault:
    return {
        "storm": Fault(kind="rate_429", path="/v1/embeddings", after=BEFORE, times=FOREVER, seconds=0.5),
        "quota": Fault(kind="quota_429", path="/v1/embeddings", after=BEFORE, times=FOREVER),
        "dead": Fault(kind="reset", path="/v1/embeddings", after=BEFORE, times=FOREVER),
    }[name]


def states(engine: Engine) -> dict[str, int]:
    return dict(
        rig.rows(
            engine.settings,
            "select state, count(*) from analyses where analyzer = 'text_embedding' group by 1",
        )
    )


@pytest.mark.parametrize(("name", "mend"), [("storm", clear), ("quota", pay_the_bill), ("dead", clear)])
def test_the_batch_commits_and_what_was_put_off_is_made_when_the_vendor_is_back(
    settings: AdologySettings, tmp_path: Path, loaded: Plugins, name: str, mend: Mend
) -> None:
    folder = tmp_path / "ads"
    folder.mkdir()
    rows = [json.dumps({"id": f"ad-{number}", "body": f"Offer number {number} of the week"}) for number in range(ADS)]
    (folder / "ads.jsonl").write_text("\n".join(rows))

    async def scenario() -> None:
        async with vendors() as there:
            there.openai.faults.add(trouble(name))
            async with rig.living(there.settings(settings, "openai"), loaded=loaded) as engine:
                await rig.add_brand(engine, folder)
                await rig.ask(engine, "first")
                batch = await rig.wait_ended(engine, "first")
                assert (batch.state, batch.counts["ads"], batch.counts["failures"]) == ("committed", ADS, 0)
                made = states(engine)
                assert made.get("deferred", 0) > 0, made
                assert made.get("failed", 0) == 0, made
                await mend(there, engine)
                await rig.wait_until(lambda: states(engine) == {"done": ADS}, "all is made", timeout_s=110)
                await rig.wait_queues_empty(engine)
                linked = rig.rows(engine.settings, "select count(*) from ad_analyses where analyzer = 'text_embedding'")
                assert linked == [(ADS,)]
                charged = there.openai.charges.show()
                assert (charged.contents, charged.twice) == (ADS, {})
                open_calls = rig.rows(engine.settings, "select count(*) from paid_calls where state = 'open'")
                assert open_calls == [(0,)]

    asyncio.run(scenario())
