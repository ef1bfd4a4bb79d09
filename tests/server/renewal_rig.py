"""An analyzer that pays for each creative, for a server, its runner and workers of this process."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import msgspec

from adology import Analyzer, Context, MediaItem, Settings, Struct, Terminal
from adology.plugins import LoadedPlugin, Plugins
from adology.settings import AdologySettings
from adology.settings.model import BudgetSettings, MoneySettings
from adology.settings.prices import Price
from tests.system import rig
from tests.system.test_store_spending import TODAY

PRICES = (Price(service="vendor", model="m", since=TODAY, usd_per_million={"images": 1000.0}),)
EACH_USD = 0.001


class Own(Settings, frozen=True, kw_only=True):
    """What results depend on."""

    prompt: str = "first"


class Seen(Struct, frozen=True, kw_only=True):
    """What was found."""

    prompt: str = ""


class Paid(Analyzer[Own, Seen]):
    """Pays a tenth of a cent for each picture. `broken` ones fail; while `hold` is set all wait."""

    name, version, accepts, pays = "paid", 1, ("image",), ("vendor",)
    calls: ClassVar[list[str]] = []
    broken: ClassVar[set[str]] = set()
    hold: ClassVar[bool] = False

    async def analyze(self, ctx: Context[Own], item: MediaItem) -> Seen:
        """See `Analyzer`."""
        if item.sha256 in Paid.broken:
            raise Terminal("unreadable")
        while Paid.hold:  # noqa: ASYNC110 - the test lets go
            await asyncio.sleep(0.02)
        async with ctx.paid("vendor", "m", images=1) as call:
            Paid.calls.append(item.sha256)
            call.bill(model="m", request_id=f"r{len(Paid.calls)}", images=1)
        return Seen(prompt=ctx.settings.prompt)


def reset() -> None:
    """As at the beginning."""
    Paid.calls, Paid.broken, Paid.hold = [], set(), False


def with_paid() -> Plugins:
    """The installed plugins and this one."""
    own = LoadedPlugin(
        kind="analyzer", name="paid", version=1, cls=Paid, entry_point="paid", distribution="tests",
        distribution_version="1", settings_type=Own, result_type=Seen,
    )  # fmt: skip
    return Plugins([*rig.plugins().loaded, own], ())


def priced(settings: AdologySettings, prompt: str = "first", **budgets: Any) -> AdologySettings:
    """The settings with prices, and with another prompt, which makes results stale."""
    money = MoneySettings(prices=PRICES, budgets=BudgetSettings(**budgets))
    return msgspec.structs.replace(settings, money=money, analyzers={"paid": {"prompt": prompt}})
