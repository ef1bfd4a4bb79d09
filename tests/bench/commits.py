"""Rows per second of a commit beside a bare COPY of the very same rows.

Both begin with an empty database and end with the same rows in the same tables, with their keys
and indexes. The bare COPY has its rows ready as tuples, knows that none exists yet, and may leave
half of them behind when it dies. The commit takes ads and results as the engine has them, finds
out what is new, joins them, keeps the newest, and shows all or nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from adology import CommittedAd, ItemResult
from adology.settings import AdologySettings
from adology_postgres import PostgresSink
from tests.bench.lab import BenchError, Lab
from tests.bench.model import Goal, Line, Size, ratios
from tests.system.batches import ListBatch, make_ad, make_result, open_batch, opened, sha, shown

GROUP = "commit"
TABLES = ("ads", "assets", "brand_ads", "ad_assets", "observations", "asset_analyses", "ad_analyses")
"""What a commit fills, each after the ones it refers to."""
ANALYZERS = {"asset": "media", "ad": "copy"}

Rows = dict[str, list[tuple[Any, ...]]]


class Run(msgspec.Struct, frozen=True):
    """One repetition of both: rows that became visible, seconds of each side, and its client's CPU seconds."""

    rows: int
    commit_s: float
    commit_cpu_s: float
    copy_s: float
    copy_cpu_s: float


async def measure_commits(lab: Lab, size: Size) -> list[Line]:
    """Lines of this group. The bare COPY needs the commit's rows, so it always comes second."""
    ads = [_ad(number) for number in range(size.ads)]
    results = [_result(ad) for ad in ads]
    runs = [await _rep(lab, ads, results) for _ in range(size.reps)]
    commit = tuple(run.rows / run.commit_s for run in runs)
    copy = tuple(run.rows / run.copy_s for run in runs)
    per_row = 1e6 / runs[0].rows
    note = f"{size.ads} ads, {runs[0].rows} rows in {len(TABLES)} tables"
    return [
        Line(group=GROUP, what="bare COPY", unit="rows/s", samples=copy, note=note),
        Line(group=GROUP, what="bare COPY: CPU of the client", unit="us/row", samples=tuple(r.copy_cpu_s * per_row for r in runs)),
        Line(group=GROUP, what="adology commit", unit="rows/s", samples=commit),
        Line(group=GROUP, what="adology commit: CPU of the client", unit="us/row", samples=tuple(r.commit_cpu_s * per_row for r in runs)),
        Line(
            group=GROUP,
            what="adology commit / bare COPY",
            unit="of its rate",
            samples=ratios(commit, copy),
            goal=Goal(sense="at least", limit=0.7),
        ),
    ]  # fmt: skip


async def _rep(lab: Lab, ads: list[CommittedAd], results: list[ItemResult]) -> Run:
    with lab.stack.fresh() as settings:
        batch = await _prepare(settings, results, [ad.ad.copy_hash() for ad in ads])
        committed = ListBatch(batch, "nike", ads=ads, results=results)
        async with opened(PostgresSink(), settings) as (sink, context):
            wall, cpu = time.monotonic(), time.process_time()
            await sink.write(context, committed)
            commit_s, commit_cpu_s = time.monotonic() - wall, time.process_time() - cpu
        rows = _read(settings)
    counts = {table: len(found) for table, found in rows.items()}
    if set(counts.values()) != {len(ads)}:
        raise BenchError(f"the commit wrote {counts}; expected {len(ads)} rows in each table")
    with lab.stack.fresh() as settings:
        await _prepare(settings, results, [ad.ad.copy_hash() for ad in ads], batch=batch)
        wall, cpu = time.monotonic(), time.process_time()
        _copy(settings, rows)
        copy_s, copy_cpu_s = time.monotonic() - wall, time.process_time() - cpu
    return Run(sum(counts.values()), commit_s, commit_cpu_s, copy_s, copy_cpu_s)


def _ad(number: int) -> CommittedAd:
    texts = (f"Comfort for every road, no. {number}. Made to last, and made for you: see it in our shops.",)
    fields = {
        "advertiser": "Nike", "advertiser_id": "15087023444", "bodies": texts, "titles": (f"Offer {number}",),
        "cta": "SHOP_NOW", "landing_url": f"https://www.example.com/offers/{number}", "platforms": ("facebook",),
        "languages": ("en",), "countries": ("GB", "DE"), "status": "active", "reach": number,
    }  # fmt: skip
    return shown(make_ad(f"ad-{number}", f"https://cdn.example.com/{number}.jpg", **fields))


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


async def _prepare(settings: AdologySettings, results: list[ItemResult], copies: list[str], *, batch: str = "") -> str:
    """An open batch, and finished analyses as acquisition leaves them behind; the batch's id."""
    opened_id = await open_batch(settings)
    with psycopg.connect(settings.postgres.url, autocommit=True) as link:
        if batch:
            link.execute("insert into batches (id, brand, state) values (%s, 'nike', 'committed')", [batch])
        with link.cursor() as cursor:
            for kind, subjects in (("asset", [r.sha256 or "" for r in results]), ("ad", copies)):
                _add_analyses(cursor, kind, subjects)
        link.execute("vacuum analyze")
    return batch or opened_id


def _add_analyses(cursor: psycopg.Cursor[Any], kind: str, subjects: list[str]) -> None:
    cursor.execute(
        "insert into analyses (key, analyzer, version, fingerprint, subject_kind, subject, state, result)"
        " select %s || ':' || s, %s, 1, 'f', %s, s, 'done', '{}' from unnest(%s::text[]) as t(s)",
        [kind, ANALYZERS[kind], kind, subjects],
    )


def _read(settings: AdologySettings) -> Rows:
    with psycopg.connect(settings.postgres.url, autocommit=True) as link:
        return {t: link.execute(sql.SQL("select * from {}").format(sql.Identifier(t))).fetchall() for t in TABLES}


def _copy(settings: AdologySettings, rows: Rows) -> None:
    """All rows, in one transaction."""
    with psycopg.connect(settings.postgres.url) as link:
        for table, found in rows.items():
            columns = list(_columns(link, table))
            names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
            statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(sql.Identifier(table), names)
            with link.cursor() as cursor, cursor.copy(statement) as copy:
                copy.set_types([kind for _, kind in columns])
                for row in found:
                    copy.write_row(row)


def _columns(link: psycopg.Connection[Any], table: str) -> Iterator[tuple[str, str]]:
    found = link.execute(
        "select attname, format_type(atttypid, null) from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
        [table],
    )
    yield from found.fetchall()
