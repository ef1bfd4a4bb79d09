"""Insights follow a commit: derived once, asked for again when they are lost, never in a commit's way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from adology import Analyzer, Context, Retry, Skip
from adology.abc.analyzer import BrandItem
from adology.plugins import LoadedPlugin, Plugins
from adology.plugins.validate import NoSettings
from adology.types import Struct
from tests.system import rig
from tests.system.conftest import Stack
from tests.system.running import Running, running


class Said(Struct, frozen=True, kw_only=True):
    """What the scripted analyzers find."""

    ads: int = 0
    note: str = ""


class Scripted(Analyzer[None, Said]):
    """Counts a brand's ads; then does what the test says for that brand."""

    name, version, accepts = "scripted", 3, ("brand",)
    calls: ClassVar[list[str]] = []
    acts: ClassVar[dict[str, Callable[[], Said | None]]] = {}

    async def analyze(self, ctx: Context[None], item: BrandItem) -> Said:  # noqa: ARG002 - the interface's
        Scripted.calls.append(item.brand)
        ads = [ad async for ad in item.ads()]
        told = Scripted.acts.get(item.brand, lambda: None)()
        return told or Said(ads=len(ads), note=f"after {item.previous_batch}")


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[Running]:
    """An engine with one more insight analyzer, which runs before and beside the built-in one."""
    plugin = LoadedPlugin(
        kind="analyzer", name="scripted", version=3, cls=Scripted, entry_point="scripted", distribution="tests",
        distribution_version="1", settings_type=NoSettings, result_type=Said,
    )  # fmt: skip
    known = rig.plugins()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rig, "plugins", lambda: Plugins([*known.loaded, plugin], []))
        with running(stack, queues={"poison_receives": 2}) as found:
            yield found


@pytest.fixture
def brand(world: Running, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A brand of the test's own with two ads."""
    name = str(request.node.name).replace("_", "-")[:100]
    rig.draw_ads(tmp_path / "ads", 1)
    world.run(world.add_brand(name, roots=(str(tmp_path),), files=str(tmp_path / "ads")))
    return name


def insights(world: Running, brand: str) -> dict[str, Any]:
    found = world.rows("select analyzer, version, result from insights where brand = %s", brand)
    return {analyzer: {"version": version, **result} for analyzer, version, result in found}


def test_every_insight_analyzer_runs_after_the_commit(world: Running, brand: str) -> None:
    batch = world.run(world.gather(brand, insight=True))
    found = insights(world, brand)
    assert found["scripted"] == {"version": 3, "ads": 2, "note": "after None"}
    assert "pulse" in found
    assert batch.insight_at is not None


def test_the_next_batch_is_compared_with_the_one_before(world: Running, brand: str, tmp_path: Path) -> None:
    first = world.run(world.gather(brand, "first", insight=True))
    rig.draw_ads(tmp_path / "ads", 1, first=70)
    second = world.run(world.gather(brand, "second", insight=True))
    notes = world.rows(
        "select result ->> 'note' from insights where batch_id = %s and analyzer = 'scripted'", second.id
    )
    assert notes == [(f"after {first.id}",)]
    assert world.rows("select count(distinct batch_id) from insights where brand = %s", brand) == [(2,)]


@pytest.mark.parametrize("how", ["skips", "fails", "says-nonsense"])
def test_one_analyzers_fault_keeps_no_other_insight_away(world: Running, brand: str, how: str) -> None:
    def act() -> Said:
        if how == "skips":
            raise Skip("too few ads")
        if how == "fails":
            raise ValueError("a bug of the author's")
        return Said(note="n\0ul\ud800")

    Scripted.acts[brand] = act
    batch = world.run(world.gather(brand, insight=True))
    found = insights(world, brand)
    assert batch.insight_at is not None
    assert "pulse" in found
    if how == "says-nonsense":
        assert found["scripted"]["note"] == "nul\ufffd"
    else:
        assert "scripted" not in found


def test_a_passing_fault_is_tried_again(world: Running, brand: str) -> None:
    faults = [Retry("the model is busy", after=1.0)]

    def act() -> Said | None:
        if faults:
            raise faults.pop()
        return None

    Scripted.acts[brand] = act
    world.run(world.gather(brand, insight=True))
    assert insights(world, brand)["scripted"]["ads"] == 2
    assert Scripted.calls.count(brand) == 2


def test_a_fault_that_does_not_pass_is_given_up_and_the_others_are_stored(world: Running, brand: str) -> None:
    def act() -> Said:
        raise Retry("the model is away", after=1.0)

    Scripted.acts[brand] = act
    batch = world.run(world.gather(brand, insight=True))
    assert batch.insight_at is not None
    assert set(insights(world, brand)) == {"pulse"}
    assert Scripted.calls.count(brand) == 2


def test_a_lost_insight_message_is_sent_again_by_the_steward(world: Running, brand: str) -> None:
    async def scenario() -> None:
        batch = await world.gather(brand, insight=True)
        forget = (
            "update batches set insight_at = null, committed_at = now() - interval '1 hour' where id = %s returning 1"
        )
        assert world.rows(forget, batch.id) == [(1,)]

        async def derived() -> bool:
            found = await world.engine.ledger.find_batch(batch.id)
            return found is not None and found.insight_at is not None

        await rig.wait_until(derived, "the insights are derived again")

    world.run(scenario())
    assert Scripted.calls.count(brand) == 2
    assert world.rows("select count(*) from insights where brand = %s and analyzer = 'scripted'", brand) == [(1,)]


def test_the_same_message_twice_derives_one_set(world: Running, brand: str) -> None:
    async def scenario() -> None:
        batch = await world.gather(brand, insight=True)
        for _ in range(3):
            await world.send("insight", {"brand": brand, "batch": batch.id})
        await rig.wait_queues_empty(world.engine)

    world.run(scenario())
    assert world.rows("select count(*) from insights where brand = %s", brand) == [(2,)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"brand": "never-gathered"}, "brand 'never-gathered' has nothing committed to derive insights from"),
        ({"brand": "x", "batch": "no-such"}, "batch no-such has nothing committed to derive insights from"),
    ],
)
def test_a_message_about_nothing_committed_is_dead_lettered(world: Running, body: dict[str, str], reason: str) -> None:
    async def scenario() -> None:
        await world.send("insight", body)
        dead = await world.wait_buried("insight", body.get("batch") or body["brand"])
        assert (dead.reason, dead.code) == (reason, "ADO-5520")

    world.run(scenario())


def test_a_failed_batch_has_no_insights(world: Running) -> None:
    async def scenario() -> None:
        await world.add_brand("failing", files="/nowhere/at/all")
        batch = await world.gather("failing")
        assert batch.state == "failed"
        await world.send("insight", {"brand": "failing", "batch": batch.id})
        dead = await world.wait_buried("insight", batch.id)
        assert dead.code == "ADO-5520"

    world.run(scenario())
