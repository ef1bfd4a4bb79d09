"""Rows per second of a commit beside a bare COPY by hand.

Both begin with the same ads and results in memory and an empty database, and end with the same
rows in the same tables, with their keys and indexes; that they are the same is checked.
"""

from __future__ import annotations

import time
from typing import Any, Literal

import msgspec
import psycopg

from adology import CommittedAd, ItemResult
from adology.settings import AdologySettings
from adology_postgres import PostgresSink
from tests.bench.lab import BenchError, Lab
from tests.bench.meter import Timed
from tests.bench.model import Goal, Line, Size, ratios
from tests.bench.plain_copy import TABLES, copy_all, open_to_copy
from tests.system.batches import ListBatch, make_ad, make_result, opened, sha, shown

GROUP = "commit"
BRAND = "nike"
BATCH = "00000000-0000-4000-8000-000000000001"
DONE = "00000000-0000-4000-8000-000000000002"
ANALYZERS = {"asset": "media", "ad": "copy"}

Rows = dict[str, list[tuple[Any, ...]]]
Side = Literal["copy", "commit"]


class Data(msgspec.Struct, frozen=True):
    """A first batch of a brand, every ad with one creative, ads in the order of their ids."""

    ads: list[CommittedAd]
    results: list[ItemResult]

    @classmethod
    def make(cls, count: int) -> Data:
        """`count` ads."""
        ads = [_ad(number) for number in range(count)]
        return cls(ads, [_result(ad) for ad in ads])


class Run(msgspec.Struct, frozen=True):
    """One side, one repetition: rows that became visible, seconds, CPU seconds of client and server."""

    rows: int
    seconds: float
    cpu_s: float


async def measure_commits(lab: Lab, size: Size) -> list[Line]:
    """Lines of this group."""
    data = Data.make(size.ads)
    runs: dict[Side, list[Run]] = {"copy": [], "commit": []}
    for rep in range(size.reps):
        found: dict[Side, Rows] = {}
        for name in list(runs) if rep % 2 == 0 else reversed(runs):
            run, found[name] = await _rep(lab, name, data)
            runs[name].append(run)
        for table in TABLES:
            if found["copy"][table] != found["commit"][table]:
                raise BenchError(f"the two sides did not write the same rows into {table}")
    rates = {name: tuple(run.rows / run.seconds for run in done) for name, done in runs.items()}
    cpus = {name: tuple(run.cpu_s / run.rows * 1e6 for run in done) for name, done in runs.items()}
    note = f"{size.ads} ads, {runs['copy'][0].rows} rows in {len(TABLES)} tables"
    names: dict[Side, str] = {"copy": "bare COPY", "commit": "adology commit"}
    lines = [
        Line(group=GROUP, what=what, unit="rows/s", samples=rates[name], note=note) for name, what in names.items()
    ]
    lines += [
        Line(group=GROUP, what=f"{what}: CPU, database included", unit="us/row", samples=cpus[name])
        for name, what in names.items()
    ]
    return [
        *lines,
        Line(
            group=GROUP,
            what="adology commit / bare COPY",
            unit="of its rate",
            samples=ratios(rates["commit"], rates["copy"]),
            goal=Goal(sense="at least", limit=0.7),
        ),
    ]


async def _rep(lab: Lab, side: Side, data: Data) -> tuple[Run, Rows]:
    """One side on a new database."""
    with lab.database() as settings:
        _prepare(settings, data)
        async with opened(PostgresSink(), settings) as (sink, context):
            # Nothing of the batch: a worker's pool is connected long before it commits.
            await sink.write(context, ListBatch(DONE, BRAND))
            with psycopg.connect(settings.postgres.url) as link:
                if side != "commit":
                    open_to_copy(link)
                server, client = Timed(lab.server_pids()), time.process_time()
                if side == "commit":
                    await sink.write(context, ListBatch(BATCH, BRAND, ads=data.ads, results=data.results))
                else:
                    copy_all(link, BRAND, BATCH, data.ads, data.results)
                client = time.process_time() - client
                seconds, used = server.stop()
        rows = _read(settings)
    return Run(sum(map(len, rows.values())), seconds, used + client), rows


def _ad(number: int) -> CommittedAd:
    texts = (f"Comfort for every road, no. {number}. Made to last, and made for you: see it in our shops.",)
    fields = {
        "advertiser": "Nike", "advertiser_id": "15087023444", "bodies": texts, "titles": (f"Offer {number}",),
        "cta": "SHOP_NOW", "landing_url": f"https://www.example.com/offers/{number}", "platforms": ("facebook",),
        "languages": ("en",), "countries": ("GB", "DE"), "status": "active", "reach": number,
    }  # fmt: skip
    return shown(make_ad(f"ad-{number:08}", f"https://cdn.example.com/{number}.jpg", **fields))


def _result(found: CommittedAd) -> ItemResult:
    url = found.ad.media[0].url
    return make_result(
        url,
        width=1080,
        height=1080,
        thumbnail=f"s3://bucket/derived/{sha(url)}.jpg",
        source=found.source,
        ad_id=found.ad.id,
        analyses={ANALYZERS["asset"]: f"asset:{sha(url)}"},
        ad_analyses={ANALYZERS["ad"]: f"ad:{found.ad.copy_hash()}"},
    )


def _prepare(settings: AdologySettings, data: Data) -> None:
    """An open batch, and finished analyses as acquisition leaves them behind."""
    subjects = {"asset": [r.sha256 for r in data.results], "ad": [found.ad.copy_hash() for found in data.ads]}
    with psycopg.connect(settings.postgres.url, autocommit=True) as link:
        link.execute("insert into brands (id, name) values (%s, %s)", [BRAND, BRAND])
        link.execute("insert into batches (id, brand, state) values (%s, %s, 'acquiring')", [BATCH, BRAND])
        link.execute("insert into batches (id, brand, state) values (%s, %s, 'committed')", [DONE, BRAND])
        for kind, hashes in subjects.items():
            link.execute(
                "insert into analyses (key, analyzer, version, fingerprint, subject_kind, subject, state, result)"
                " select %s || ':' || s, %s, 1, 'f', %s, s, 'done', '{}' from unnest(%s::text[]) as t(s)",
                [kind, ANALYZERS[kind], kind, hashes],
            )
        link.execute("vacuum analyze")


def _read(settings: AdologySettings) -> Rows:
    """What is in the tables, but for the moment at which it was written."""
    with psycopg.connect(settings.postgres.url, autocommit=True) as link:
        rows: Rows = {}
        for table in TABLES:
            found = link.execute(f"select * from {table} order by 1, 2".encode())
            names = [column.name for column in found.description or ()]
            kept = [at for at, name in enumerate(names) if (table, name) != ("assets", "first_seen_at")]
            rows[table] = [tuple(row[at] for at in kept) for row in found.fetchall()]
        return rows
