"""Pages of the feed as the ads become more: keyset pages by index should cost the same.

Three databases of different sizes are asked in turn, page after page by cursor, by one client that waits for
each answer. At the largest, the plans of all orders and usual filters are looked at as well.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Sequence
from typing import Final

import aiohttp
import msgspec
import numpy as np
import psycopg

from adology_server.ads.filters import Filter
from adology_server.tenancy import PLANNER
from tests.bench.api.requests import serving, with_server
from tests.bench.api.templates import LABELS
from tests.bench.api.world import Amounts, Tenant, fill
from tests.bench.lab import BenchError, Lab
from tests.bench.model import Goal, Line, Size, ratios
from tests.server.plans import check_near_duplicates, check_orders, check_words

GROUP: Final = "growth"
PAGES: Final = 4
FLAT: Final = 1.5
QUERIES: Final = {
    "newest": "",
    "last seen, running or unknown": "&sort=last_seen&status=running&status=unknown",
    "longest, of a label": f"&sort=longest&label=hook:{LABELS['hook'][0]}",
}
WORD: Final = "noti"
"""One of the writer's words that some ads have."""


async def measure_growth(lab: Lab, size: Size) -> list[Line]:
    """Lines of this group."""
    small = size.growth[-1] < 10_000
    lines: list[Line] = []
    async with contextlib.AsyncExitStack() as stack:
        worlds: dict[int, tuple[str, list[Tenant]]] = {}
        for ads in size.growth:
            settings = with_server(stack.enter_context(lab.database()))
            amounts = (
                Amounts(ads=ads, brands=20, spaces=4, orgs=2, details=False)
                if small
                else Amounts(ads=ads, details=False)
            )
            tenants = fill(settings, amounts)
            if ads == size.growth[-1] and not small:
                lines.append(_plans(settings.postgres.url, tenants[0], ads))
            worlds[ads] = (await stack.enter_async_context(serving(lab, settings)), tenants)
        for what, query in QUERIES.items():
            lines += await _measure(worlds, what, query, size)
    return lines


async def _measure(worlds: dict[int, tuple[str, list[Tenant]]], what: str, query: str, size: Size) -> list[Line]:
    middles: dict[int, list[float]] = {ads: [] for ads in worlds}
    for rep in range(size.reps):
        seconds: dict[int, list[float]] = {ads: [] for ads in worlds}
        for walk in range(size.walks):
            for ads, (origin, tenants) in worlds.items():
                seconds[ads] += await _walk(origin, tenants, query, seed=rep * size.walks + walk)
        for ads, each in seconds.items():
            middles[ads].append(float(np.median(each)) * 1000)
    first, last = min(worlds), max(worlds)
    lines = [
        Line(group=GROUP, what=f"{what}: {ads:,} ads", unit="ms, p50 of a page", samples=tuple(middle))
        for ads, middle in middles.items()
    ]
    goal = Goal(sense="at most", limit=FLAT)
    samples = ratios(tuple(middles[last]), tuple(middles[first]))
    return [
        *lines,
        Line(group=GROUP, what=f"{what}: {last:,} / {first:,} ads", unit="times as long", samples=samples, goal=goal),
    ]


async def _walk(origin: str, tenants: Sequence[Tenant], query: str, *, seed: int) -> list[float]:
    """Seconds of each page of one walk through somebody's feed."""
    chance = random.Random(seed)
    who = chance.choice(tenants)
    path = f"{origin}/v1/ads?brandspace={chance.choice(list(who.spaces))}{query}"
    each: list[float] = []
    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {who.key}"}) as http:
        async with http.get(f"{origin}/healthz") as answer:  # the connection is there before the first page is asked
            await answer.read()
        after = ""
        for _ in range(PAGES):
            began = time.perf_counter()
            async with http.get(path + after) as answer:
                raw = await answer.read()
            each.append(time.perf_counter() - began)
            if answer.status != 200:
                raise BenchError(f"{path} was answered {answer.status}: {raw[:300]!r}")
            following = msgspec.json.decode(raw)["next"]
            if following is None:
                break
            after = f"&after={following}"
    return each


def _plans(url: str, who: Tenant, ads: int) -> Line:
    filters = [
        Filter(), Filter(status=("running", "unknown")), Filter(label=("hook:question",)), Filter(role=("followed",)),
        Filter(platform=("instagram",), language=("en",)), Filter(safety_max=1, run_days_min=7),
    ]  # fmt: skip
    with psycopg.connect(url, autocommit=True, options=PLANNER) as link:
        link.execute("set role adology_app")
        link.execute("select set_config('adology.org_id', %s, false)", [who.org])
        space = next(iter(who.spaces))
        try:
            looked = check_orders(link, space, filters)
            check_words(link, space, WORD)
            check_near_duplicates(link, space)
        except AssertionError as error:
            raise BenchError(f"a plan at {ads:,} ads does not go by its index: {error}") from error
    return Line(
        group=GROUP, what=f"plans at {ads:,} ads that go by index", unit="of as many", samples=(float(looked + 2),)
    )
