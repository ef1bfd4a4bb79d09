"""Fills a database with organisations, brandspaces, brands and ads: some drawn, the others made from those by SQL.

The rows are those that sinks and followers write: drawn ads go through the feed's own statement.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from adology.settings import AdologySettings
from adology.types import Struct
from adology_feed.rows import PUT
from adology_server.callers import KEY, digest, make_secret
from tests.bench.api.multiply import DETAILS, FEED, FUNCTIONS
from tests.bench.api.templates import Writer

TEMPLATES: Final = 1000
BRANDS_OF_A_SPACE: Final = 10
COMPETITORS: Final = 3
DIMENSIONS: Final = 384
CLUSTERS: Final = 500
SPACE: Final = f"bench/1/{DIMENSIONS}/f32"
PRIVATE_EVERY: Final = 50
"""One ad in so many is private to an organisation."""


class Amounts(Struct, frozen=True, kw_only=True):
    """How much of everything. Without `details` there are feeds alone: enough for lists."""

    ads: int
    brands: int = 500
    spaces: int = 200
    orgs: int = 50
    details: bool = True


class Tenant(Struct, frozen=True, kw_only=True):
    """An organisation: the key of one of its people, and its brandspaces with their brands."""

    org: str
    key: str
    spaces: dict[str, list[str]]


def fill(settings: AdologySettings, amounts: Amounts) -> list[Tenant]:
    """Rows of all tables that the server reads; whose they are."""
    drawn = min(TEMPLATES, amounts.ads)
    values = {
        "drawn": drawn, "ads": amounts.ads, "brands": amounts.brands, "orgs": amounts.orgs, "private": PRIVATE_EVERY,
        "bucket": settings.s3.bucket,
    }  # fmt: skip
    with psycopg.connect(settings.postgres.url, autocommit=True, cursor_factory=psycopg.ClientCursor) as link:
        _open(link)
        link.execute(FUNCTIONS.encode())
        for statement in _BRANDS:
            link.execute(statement, values)
        tenants = [_add_tenant(link, number, amounts) for number in range(amounts.orgs)]
        _add_templates(link, drawn)
        for made in (*FEED, *(DETAILS if amounts.details else ())):
            link.execute(made.encode(), values)
        if amounts.details:
            _add_vectors(link, amounts.ads)
        _close(link)
        link.execute("vacuum analyze")
    return tenants


def _open(link: psycopg.Connection[Any]) -> None:
    """Followers need not be told of each row; COPY does not go where policies hold; lists do without their ads."""
    for table in _TABLES:
        link.execute(f"alter table {table} disable trigger user, no force row level security".encode())
    link.execute("alter table feed drop constraint feed_ad_id_fkey")
    link.execute("alter table feed_items drop constraint feed_items_brand_ad_id_fkey")


def _close(link: psycopg.Connection[Any]) -> None:
    for table in _TABLES:
        link.execute(f"alter table {table} enable trigger user, force row level security".encode())


_TABLES: Final = (
    "ads", "brand_ads", "assets", "ad_assets", "ad_analyses", "asset_analyses", "analyses", "observations", "feed",
    "feed_items",
)  # fmt: skip
_BRANDS: Final = (
    b"insert into brands (id, name) select 'b' || i, 'Brand ' || i from generate_series(1, %(brands)s) i",
    b"""insert into batches (id, brand, state, created_at, committed_at)
    select 'batch-b' || i, 'b' || i, 'committed', now() - interval '1 hour', now() - interval '1 hour'
    from generate_series(1, %(brands)s) i""",
    # Well before the ads that still run were seen last: a clock that is set back a little makes none of them stopped.
    b"""insert into feed_coverage select 'b' || i, 'facebook', null, now() - interval '2 hours', 'ok',
    now() - interval '2 hours', now() - interval '2 hours' from generate_series(1, %(brands)s) i""",
)


def _add_tenant(link: psycopg.Connection[Any], number: int, amounts: Amounts) -> Tenant:
    org, key = f"org-{number}", make_secret(KEY)
    link.execute("insert into organisations (id, name) values (%s, %s)", [org, org])
    user = _one(
        link,
        "insert into users (org_id, email, role, password_hash) values (%s, %s, 'owner', '-') returning id",
        [org, f"somebody@{org}.example"],
    )
    link.execute(
        "insert into api_keys (org_id, user_id, name, hint, secret_hash, scopes)"
        " values (%s, %s, 'bench', '-', %s, '{read}')",
        [org, user, digest(key)],
    )
    chance = np.random.default_rng(number)
    spaces: dict[str, list[str]] = {}
    for place in range(amounts.spaces // amounts.orgs):
        space = _one(
            link, "insert into brandspaces (org_id, name) values (%s, %s) returning id", [org, f"space {place}"]
        )
        brands = [f"b{1 + i}" for i in chance.choice(amounts.brands, BRANDS_OF_A_SPACE, replace=False)]
        roles = ["primary", *["competitor"] * COMPETITORS, *["followed"] * (BRANDS_OF_A_SPACE - COMPETITORS - 1)]
        for brand, role in zip(brands, roles, strict=True):
            link.execute(
                "insert into brandspace_brands (brandspace_id, org_id, brand, role) values (%s, %s, %s, %s)",
                [space, org, brand, role],
            )
        spaces[str(space)] = brands
    return Tenant(org=org, key=key, spaces=spaces)


def _one(link: psycopg.Connection[Any], statement: str, values: list[Any]) -> Any:
    row = link.execute(statement.encode(), values).fetchone()
    assert row is not None
    return row[0]


def _add_templates(link: psycopg.Connection[Any], count: int) -> None:
    writer = Writer()
    for number in range(1, count + 1):
        ad = {"id": number, "copy_hash": f"copy-{number}", **writer.ad(number)}
        link.execute(
            "insert into ads (source, media_outcome, first_seen_at, last_seen_at, first_batch, last_batch,"
            f" {', '.join(ad)}) overriding system value values ('facebook', 'media', now(), now(), 'batch-b1',"
            f" 'batch-b1', {', '.join(['%s'] * len(ad))})".encode(),
            list(ad.values()),
        )
        for analyzer, result in writer.analyses().items():
            link.execute(
                "insert into analyses (key, analyzer, version, fingerprint, subject_kind, subject, state, result,"
                " done_at) values (%s, %s, 1, 'f', 'ad', %s, 'done', %s, now())",
                [f"{analyzer}-{number}", analyzer, f"copy-{number}", Jsonb(result)],
            )
            link.execute("insert into ad_analyses values (%s, %s, %s)", [number, analyzer, f"{analyzer}-{number}"])
    link.execute("insert into brand_ads select 'b1', id, 'batch-b1', 'batch-b1' from ads")
    link.execute(PUT, {"ads": list(range(1, count + 1))})


def _add_vectors(link: psycopg.Connection[Any], ads: int) -> None:
    """Embeddings of all creatives."""
    columns = "(key, analyzer, version, fingerprint, subject_kind, subject, state, result)"
    shas = [row[0] for row in link.execute("select sha256 from ad_assets order by ad_id").fetchall()]
    with link.cursor() as cursor, cursor.copy(f"copy analyses {columns} from stdin".encode()) as copy:
        for sha, vector in zip(shas, _vectors(ads), strict=True):
            result = f'{{"space": "{SPACE}", "vector": "{base64.b64encode(vector.tobytes()).decode()}"}}'
            copy.write_row([f"look-{sha}", "visual_embedding", 1, "f", "asset", sha, "done", result])
    link.execute(
        "insert into asset_analyses select subject, analyzer, key from analyses where analyzer = 'visual_embedding'"
    )


def _vectors(count: int) -> Iterator[NDArray[np.float32]]:
    """Of length 1, in clusters, as those of campaigns are."""
    chance = np.random.default_rng(1)
    middles = chance.normal(size=(CLUSTERS, DIMENSIONS))
    for _ in range(count):
        drawn = middles[chance.integers(CLUSTERS)] + 0.7 * chance.normal(size=DIMENSIONS)
        yield (drawn / np.linalg.norm(drawn)).astype("<f4")
