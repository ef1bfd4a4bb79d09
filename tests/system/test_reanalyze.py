"""What is stale is counted by reason, quoted, and made anew on request; nothing is paid twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from adology import Analyzer, Context, MediaItem, Settings, Struct, Terminal
from adology.cli.model import Reanalysis
from adology.cli.reanalyze import _run as reanalyze
from adology.plugins import LoadedPlugin, Plugins
from adology.runtime.engine import Engine
from adology.settings import AdologySettings
from adology.settings.model import BudgetSettings, MoneySettings
from adology.settings.prices import Price
from adology.store.costs import Costs
from tests.system import rig
from tests.system.test_store_spending import TODAY

PRICES = (Price(service="vendor", model="m", since=TODAY, usd_per_million={"images": 1000.0}),)


class Own(Settings, frozen=True, kw_only=True):
    prompt: str = "first"


class Seen(Struct, frozen=True, kw_only=True):
    prompt: str = ""


class Labels(Analyzer[Own, Seen]):
    """Pays a tenth of a cent for each picture."""

    name, version, accepts, pays = "labels", 1, ("image",), ("vendor",)
    broken: ClassVar[bool] = False
    calls: ClassVar[list[str]] = []

    async def analyze(self, ctx: Context[Own], item: MediaItem) -> Seen:
        if Labels.broken:
            raise Terminal("unreadable")
        async with ctx.paid("vendor", "m", images=1) as call:
            Labels.calls.append(item.sha256)
            call.bill(model="m", request_id=f"r{len(Labels.calls)}", images=1)
        return Seen(prompt=ctx.settings.prompt)


class LabelsTwo(Labels):
    version = 2


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Labels.broken = False
    Labels.calls = []


def with_labels(cls: type[Labels] = Labels) -> Plugins:
    own = LoadedPlugin(
        kind="analyzer", name="labels", version=cls.version, cls=cls, entry_point="labels", distribution="tests",
        distribution_version="1", settings_type=Own, result_type=Seen,
    )  # fmt: skip
    return Plugins([*rig.plugins().loaded, own], ())


def priced(settings: AdologySettings, **changes: Any) -> AdologySettings:
    budgets = BudgetSettings(**{k: v for k, v in changes.items() if k.endswith("_usd")})
    return msgspec.structs.replace(
        settings,
        money=MoneySettings(prices=PRICES, budgets=budgets),
        analyzers={"labels": {"prompt": changes.get("prompt", "first")}},
    )


async def quote(engine: Engine, *reasons: str, go: bool = False, **over: Any) -> tuple[dict[str, int], Any]:
    """Reasons of the analyzer's creatives, and the line."""
    given = {"names": ["labels"], "reasons": list(reasons), "brand": None, "limit": None, **over}
    answer: Reanalysis = await reanalyze(engine.settings, **given, go=go)
    (line,) = answer.lines
    return {"current": line.current, **line.reasons}, line


async def test_calls(engine: Engine) -> list[Any]:
    return await Costs(engine.database).lines("analyzer", since=TODAY)


test_calls.__test__ = False  # type: ignore[attr-defined]


async def gathered(engine: Engine, folder: Path, count: int = 4) -> None:
    rig.draw_ads(folder, count)
    await rig.add_brand(engine, folder)
    await rig.ask(engine, "first")
    batch = await rig.wait_ended(engine, "first")
    assert batch.state == "committed"


def test_every_reason_is_counted_and_what_is_renewed_is_paid_once(
    settings: AdologySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        # Analysed by version 1 with the first prompt.
        monkeypatch.setattr("adology.runtime.engine.load_plugins", lambda **_: with_labels())
        async with rig.living(priced(settings), loaded=with_labels()) as engine:
            await gathered(engine, tmp_path / "ads")
            assert await quote(engine) == ({"current": 4}, (await quote(engine))[1])
            (line,) = await test_calls(engine)
            assert (line.name, line.calls, round(line.paid_usd, 6)) == ("labels", 4, 0.004)
            # Five ads show four creatives: one was spared.
            assert round(line.spared_usd or 0, 6) == 0.001

        # Another prompt: stale because of its settings; nothing runs before somebody says so.
        async with rig.living(priced(settings, prompt="second"), loaded=with_labels()) as engine:
            counts, line = await quote(engine, "version", "settings")
            assert counts == {"current": 0, "settings": 4}
            assert (line.chosen, round(line.cost_usd, 6)) == (4, 0.004)
            assert len(Labels.calls) == 4
            await quote(engine, "version", "settings", go=True, limit=3)
            await rig.wait_queues_empty(engine)
            assert (await quote(engine))[0] == {"current": 3, "settings": 1}
            assert len(Labels.calls) == 7
            for _ in range(2):
                await quote(engine, "version", "settings", go=True)
            await rig.wait_queues_empty(engine)
            assert (await quote(engine))[0] == {"current": 4}
            assert len(Labels.calls) == 8

        # Another version, which fails on everything, and works again after its errors are taken up.
        monkeypatch.setattr("adology.runtime.engine.load_plugins", lambda **_: with_labels(LabelsTwo))
        async with rig.living(priced(settings), loaded=with_labels(LabelsTwo)) as engine:
            assert (await quote(engine))[0] == {"current": 0, "version": 4}
            Labels.broken = True
            await quote(engine, "version", go=True)
            await rig.wait_queues_empty(engine)
            assert (await quote(engine))[0] == {"current": 0, "failed": 4}
            Labels.broken = False
            await quote(engine, "failed", go=True)
            await rig.wait_queues_empty(engine)
            assert (await quote(engine))[0] == {"current": 4}
            assert len(Labels.calls) == 12

    asyncio.run(scenario())


def test_a_used_up_budget_puts_analyses_off_and_the_batch_commits(
    settings: AdologySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adology.runtime.engine.load_plugins", lambda **_: with_labels())

    async def scenario() -> None:
        async with rig.living(priced(settings, brand_day_usd=0.0025), loaded=with_labels()) as engine:
            await gathered(engine, tmp_path / "ads")
            assert (await quote(engine))[0] == {"current": 2, "deferred": 2}
            why = (
                "the day's budget of 0.0025 USD for brand 'nike' is used up: 0.0020 spent, 0.0010 needed. "
                "It goes on tomorrow (UTC), or when money.budgets is raised."
            )
            errors = rig.rows(settings, "select distinct error_code, error from analyses where state = 'deferred'")
            assert errors == [("ADO-3006", why)]
            (budget,) = await Costs(engine.database).budgets(TODAY, engine.settings.money.budgets)
            assert (budget.scope, budget.limit_usd, round(budget.used_usd, 6)) == ("brand:nike", 0.0025, 0.002)

    asyncio.run(scenario())
