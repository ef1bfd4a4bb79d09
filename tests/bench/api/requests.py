"""Requests per second of the server, beside its statements in a loop and beside FastAPI with SQLAlchemy.

All read the same database and answer the same questions, one after the other, interleaved. The server is
`adology server` as its users run it but for rate limits; the others are let off what is not about rows. It
keeps answers until a brand changes: what it does for a question that nobody asked before and what it does for
one that was asked already are measured apart, as two servers of which the first keeps nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, Literal

import aiohttp
import msgspec
import numpy as np
import psycopg

from adology.settings import AdologySettings
from adology.settings.model import ServerSettings
from tests.bench.api.load import Order, Told
from tests.bench.api.questions import NAMES, Name, Question, questions
from tests.bench.api.world import Amounts, Tenant, fill
from tests.bench.lab import BenchError, Lab, as_toml
from tests.bench.model import Goal, Line, Size, ratios
from tests.bench.table import show

GROUP: Final = "server"
Side = Literal["adology", "adology, asked again", "psycopg loop", "fastapi + sqlalchemy"]
OURS: Final[tuple[Side, ...]] = ("adology", "adology, asked again")
KEPT: Final[tuple[Name, ...]] = ("feed", "filtered feed", "facets", "statistics")
"""Kinds whose answers are kept."""
SOME: Final[tuple[Name, ...]] = ("filtered feed", "similar ads")
"""Kinds of the short form."""
MANY: Final = 10_000
"""Ads from which on there are as many brands, brandspaces and organisations as the targets ask for."""
PEER_PACKAGES: Final = ("fastapi", "asyncpg")
BARE_SHARE, PEER_TIMES = 0.6, 4.0
OK: Final = 200
ASK_S, INDEX_S = 600.0, 600.0


async def measure_requests(lab: Lab, size: Size) -> list[Line]:
    """Lines of this group."""
    async with lab.space() as settings:
        tenants = fill(settings, amounts(size))
        ads = _public_ads(settings)
        own = with_server(settings)
        sides: dict[Side, str] = {"adology": "", "psycopg loop": ""}
        await make_index(lab, own)
        async with contextlib.AsyncExitStack() as stack:
            sides["adology"] = await stack.enter_async_context(serving(lab, own))
            sides["adology, asked again"] = await stack.enter_async_context(serving(lab, _keeping(own)))
            if all(importlib.util.find_spec(name) for name in PEER_PACKAGES):
                sides["fastapi + sqlalchemy"] = await stack.enter_async_context(_peer(lab, own))
            await _wait_index(sides["adology"], tenants[0], ads[0])
            lines: list[Line] = []
            for name in NAMES if size.served_ads >= MANY else SOME:
                try:
                    await _check_same(sides, questions(name, tenants, ads, 5, seed=2), name)
                except BenchError as error:
                    lines.append(Line(group=GROUP, what=f"{name}: failed", note=str(error)))
                    continue
                for connections in size.connections:
                    count = _count(name, connections, size)
                    asked = questions(name, tenants, ads, count + size.warm)
                    asking = {side: at for side, at in sides.items() if side != OURS[1] or name in KEPT}
                    made = await _measure(lab, own, asking, name, asked, connections, size)
                    print(show(made), file=sys.stderr, flush=True)
                    lines += made
        if "fastapi + sqlalchemy" not in sides:
            lines.append(Line(group=GROUP, what="fastapi + sqlalchemy", note="not installed"))
        return lines


def amounts(size: Size) -> Amounts:
    """As many ads as the size says; 200 brandspaces of 50 organisations where there are many."""
    small = size.served_ads < MANY
    return Amounts(
        ads=size.served_ads, brands=20 if small else 500, spaces=4 if small else 200, orgs=2 if small else 50
    )


def with_server(settings: AdologySettings) -> AdologySettings:
    """Its own port, no limits of requests (one key asks for all), and no answer of before.

    Without MongoDB: the source's record of one ad is no row, and the loop of statements does not read it.
    """
    replace = msgspec.structs.replace
    own = replace(
        settings.server,
        port=0,
        rate_caller=0,
        rate_organisation=0,
        kept_answers_bytes=0,
    )
    return replace(settings, server=own, mongo=replace(settings.mongo, url=""))


def _keeping(settings: AdologySettings) -> AdologySettings:
    """As users run it; nothing changes meanwhile, and no answer ends by its age."""
    replace, usual = msgspec.structs.replace, ServerSettings()
    own = replace(settings.server, kept_answers_bytes=usual.kept_answers_bytes, kept_answers_s=3600.0)
    return replace(settings, server=own)


async def make_index(lab: Lab, settings: AdologySettings) -> None:
    """The vectors' snapshot, by the process that keeps it where `adology up` runs; the feed is there already."""
    replace, others = msgspec.structs.replace, ("feed", "duplicates", "mismatches")
    plugins = replace(settings.plugins, without=(*settings.plugins.without, *others))
    async with lab.command(replace(settings, plugins=plugins), ["follow"], "snapshots written", timeout_s=INDEX_S):
        pass


def _count(name: Name, connections: int, size: Size) -> int:
    slow = name in ("facets", "statistics")
    return max(10, size.requests // (4 if slow else 1) // (1 if connections > 1 else 2))


async def _measure(
    lab: Lab,
    settings: AdologySettings,
    sides: dict[Side, str],
    name: Name,
    asked: list[Question],
    connections: int,
    size: Size,
) -> list[Line]:
    # Once unmeasured: whoever came first would read from disk what the others then find in memory.
    await _ask(lab, settings, "psycopg loop", "", asked, connections, size.warm)
    told: dict[Side, list[Told]] = {side: [] for side in sides}
    for rep in range(size.reps):
        for side in list(sides) if rep % 2 == 0 else reversed(sides):
            told[side].append(await _ask(lab, settings, side, sides[side], asked, connections, size.warm))
    rates = {side: tuple(len(one.each) / one.seconds for one in done) for side, done in told.items()}
    title = f"{name}, {connections} at once"
    lines = [
        Line(group=GROUP, what=f"{title}: {side}", unit="requests/s", samples=rates[side], note=_spread(told[side]))
        for side in sides
    ]
    for side in (one for one in OURS if one in rates):
        for other, limit, wanted in (
            ("psycopg loop", BARE_SHARE, connections == 1),
            ("fastapi + sqlalchemy", PEER_TIMES, connections > 1),
        ):
            if other in rates:
                goal = Goal(sense="at least", limit=limit) if wanted else None
                samples = ratios(rates[side], rates[other])
                what = f"{title}: {side} / {other}"
                lines.append(Line(group=GROUP, what=what, unit="of its rate", samples=samples, goal=goal))
    return lines


def _spread(told: list[Told]) -> str:
    each = np.concatenate([one.each for one in told]) * 1000
    middle, last = np.percentile(each, [50, 99])
    return f"p50 {middle:.1f} ms, p99 {last:.1f} ms"


async def _ask(
    lab: Lab, settings: AdologySettings, side: Side, origin: str, asked: list[Question], connections: int, warm: int
) -> Told:
    folder = lab.new_folder("ask")
    count = len(asked) - warm
    if side == OURS[1]:
        asked, warm = [*asked, *asked[warm:]], len(asked)
    order = folder / "order.json"
    order.write_bytes(msgspec.json.encode(Order(origin=origin, questions=asked, connections=connections, warm=warm)))
    program, arguments = "tests.bench.api.load", [str(order)]
    if side == "psycopg loop":
        program, arguments = "tests.bench.api.bare", [str(_config(folder, settings)), str(order)]
    async with lab.module(program, arguments, "told", timeout_s=ASK_S) as (_, line):
        told = msgspec.json.decode(line.removeprefix("told "), type=Told)
    if set(told.statuses) != {200} or len(told.each) != count or not told.size:
        seen = f"{told.statuses} and {told.size} bytes or rows"
        raise BenchError(f"{side} gave {seen} for {count} questions such as {asked[0].path}")
    return told


@contextlib.asynccontextmanager
async def serving(lab: Lab, settings: AdologySettings) -> AsyncIterator[str]:
    """The address of a server of these settings, as its users run it."""
    async with lab.command(settings, ["server"], '"address"') as (_, line):
        yield str(msgspec.json.decode(line)["address"])


@contextlib.asynccontextmanager
async def _peer(lab: Lab, settings: AdologySettings) -> AsyncIterator[str]:
    config = _config(lab.new_folder("peer"), settings)
    arguments = ["tests.bench.peer_apps.rest_app:app", "--port", "0", "--no-access-log", "--header", "server:peer"]
    async with lab.module("uvicorn", arguments, "running on", env={"BENCH_CONFIG": str(config)}) as (_, line):
        yield "http://" + line.split("http://")[1].split()[0]


def _config(folder: Path, settings: AdologySettings) -> Path:
    path = folder / "adology.toml"
    path.write_text(as_toml(settings), "utf-8")
    return path


def _public_ads(settings: AdologySettings) -> list[int]:
    with psycopg.connect(settings.postgres.url) as link:
        return [
            row[0]
            for row in link.execute("select id from ads where owner_org_id is null order by md5(id::text) limit 5000")
        ]


async def _wait_index(origin: str, who: Tenant, ad: int) -> None:
    """Until the server's vector index has been made of the committed embeddings."""
    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {who.key}"}) as http, asyncio.timeout(INDEX_S):
        while True:
            async with http.get(f"{origin}/v1/ads/{ad}/similar", params={"everywhere": "true"}) as answer:
                if (await answer.json())["items"]:
                    return
            await asyncio.sleep(0.5)


async def _check_same(sides: dict[Side, str], asked: list[Question], name: Name) -> None:
    """Whoever answers something else has no number."""
    if "fastapi + sqlalchemy" not in sides:
        return
    async with aiohttp.ClientSession() as http:
        for question in asked:
            headers = {"authorization": f"Bearer {question.key}", "organisation": question.org}
            found = []
            for side in ("adology", "fastapi + sqlalchemy"):
                async with http.get(sides[side] + question.path, headers=headers) as answer:
                    if answer.status != OK:
                        raise BenchError(f"{side} answers {answer.status} to {question.path}: {await answer.text()}")
                    found.append(_gist(name, await answer.json()))
            if not _agree(name, *found):
                raise BenchError(f"{question.path} gives {found[0]} and {found[1]}")


def _agree(name: Name, ours: Any, theirs: Any) -> bool:
    if name != "similar ads":
        return bool(ours == theirs)
    # The peer searches private creatives too and leaves them out afterwards: some places go to nobody.
    return 2 * len(set(ours) & set(theirs)) >= len(ours)


def _gist(name: Name, body: Any) -> Any:
    """What has to be equal."""
    match name:
        case "feed" | "filtered feed":
            return [row.get("id", row.get("ad_id")) for row in body["items"]]
        case "facets":
            counts = body.get("facets", body)
            return [
                body["total"],
                *(sorted((c["value"], c["ads"]) for c in counts[f]) for f in ("brand", "label", "status")),
            ]
        case "statistics":
            return [body["ads"], sorted((one["brand"], one["ads"], one["new"]) for one in body["brands"])]
        case "one ad":
            return [body["id"], len(body["assets"]), len(body["analyses"]), len(body["observations"])]
        case "similar ads":
            return [one["subject"] for one in body["items"]]
