"""Committed ads of several brands and owners, and the feed made from them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from adology.settings import AdologySettings
from adology.store import Database
from adology.store.changes import Changes
from adology.store.follower import Follower
from adology_feed.feed import Feed
from tests.server.rig import World

FOLLOWED_S = 40.0
START = datetime(2026, 11, 1, tzinfo=UTC)


def sha(name: str) -> str:
    """The hash of the creative of that name."""
    return name.encode().hex().ljust(64, "0")[:64]


async def follow(settings: AdologySettings) -> None:
    """Make the feed what is committed, what is known of sources included.

    Looks at sources count once all older transactions have ended, those of other tests' databases too.
    """
    async with Database(settings.postgres) as database, asyncio.timeout(FOLLOWED_S):
        async with database.connection("test") as connection:
            row = await (await connection.execute("select pg_current_xact_id()::text::bigint")).fetchone()
        assert row is not None
        follower, changes = Follower(database, Feed(database)), Changes(database)
        while True:
            await follower.catch_up()
            place = await changes.place(Feed.name)
            if place is not None and place.horizon > row[0]:
                return
            await asyncio.sleep(0.05)


class Ads(World):
    """Commits ads, as the engine does."""

    def __init__(self, settings: AdologySettings) -> None:
        super().__init__(settings)
        self.settings = settings
        self.bucket = settings.s3.bucket

    def batch(self, name: str, brand: str, *, at: datetime | None = None, **sources: Any) -> str:
        """A batch that began at `at` (now), and was committed; `sources`: how each ended."""
        told = {source: {"outcome": said.rstrip("!"), "whole": said.endswith("!")} for source, said in sources.items()}
        self.rows(
            "insert into batches (id, brand, state, created_at) values (%s, %s, 'acquiring', coalesce(%s, now()))",
            [name, brand, at],
        )
        self.rows(
            "update batches set state = 'committed', committed_at = now(), sources = %s where id = %s",
            [Jsonb(told), name],
        )
        return name

    def see(self, ad_id: int, batch: str) -> None:
        """The ad was seen again in that batch."""
        self.rows("update brand_ads set last_batch = %s where ad_id = %s", [batch, ad_id])
        self.rows("insert into changes (kind, subject) values ('batch', %s)", [batch])

    def commit_ad(
        self,
        name: str,
        *,
        brands: Sequence[str] = ("nike",),
        batch: str = "",
        owner: str | None = None,
        creative: str | None = "",
        seen: datetime | None = None,
        labels: Sequence[str] = (),
        **columns: Any,
    ) -> int:
        """An ad of these brands with one creative (None: none); its id."""
        batch = batch or f"b-{brands[0]}"
        seen = seen or START
        fields = {
            "source": "facebook", "source_ad_id": name, "owner_org_id": owner, "media_outcome": "media",
            "copy_hash": f"copy-{name}", "first_seen_at": seen, "last_seen_at": seen, "first_batch": batch,
            "last_batch": batch, "titles": [f"Title {name}"], "status": "active", **columns,
        }  # fmt: skip
        statement = psycopg.sql.SQL("insert into ads ({}) values ({}) returning id").format(
            psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, fields)),
            psycopg.sql.SQL(", ").join(psycopg.sql.Placeholder() * len(fields)),
        )
        ((ad_id,),) = self.rows(statement, list(fields.values()))
        for brand in brands:
            self.rows("insert into brand_ads values (%s, %s, %s, %s)", [brand, ad_id, batch, batch])
        if creative is not None:
            self._add_asset(ad_id, creative or name, batch)
        if labels:
            made = [dict(zip(("taxonomy", "id"), label.split(":"), strict=True)) for label in labels]
            self.analyse(ad_id, "labels_copy", {"labels": made})
        self.rows("insert into changes (kind, subject) values ('ad', %s)", [fields["copy_hash"]])
        return int(ad_id)

    def analyse(self, ad_id: int, analyzer: str, result: Any, *, cost: float = 0.0) -> None:
        """A finished analysis of the ad's copy."""
        key = f"{analyzer}-{ad_id}"
        self.rows(
            "insert into analyses (key, analyzer, version, fingerprint, subject_kind, subject, state, result, cost_usd)"
            " values (%s, %s, 3, 'f', 'ad', (select copy_hash from ads where id = %s), 'done', %s, %s)",
            [key, analyzer, ad_id, Jsonb(result), cost],
        )
        self.rows("insert into ad_analyses values (%s, %s, %s)", [ad_id, analyzer, key])

    def group(self, *creatives: str) -> None:
        """These creatives are near-duplicates."""
        for creative in creatives:
            self.rows("insert into likeness_subjects values (%s, '{}', %s)", [sha(creative), sha(creatives[0])])

    def alike(self, one: str, other: str) -> None:
        """These two creatives of a group are a pair."""
        statement = "insert into likenesses (a, b, kind, confidence, result) values (%s, %s, 'edited', 0.9, '{}')"
        self.rows(statement, sorted((sha(one), sha(other))))

    def _add_asset(self, ad_id: int, creative: str, batch: str) -> None:
        self.rows(
            "insert into assets (sha256, kind, content_type, size_bytes, s3_path, thumbnail, first_batch,"
            " first_seen_at) values (%s, 'image', 'image/png', 1, %s, %s, %s, now()) on conflict do nothing",
            [
                sha(creative),
                f"s3://{self.bucket}/assets/{sha(creative)}.png",
                f"s3://{self.bucket}/derived/{sha(creative)}/thumbnail.jpg",
                batch,
            ],
        )
        self.rows("insert into ad_assets (ad_id, position, sha256) values (%s, 0, %s)", [ad_id, sha(creative)])


def two_orgs(settings: AdologySettings, *brands: str) -> Ads:
    """Two organisations with an owner each, and a committed batch `b-<brand>` of every brand."""
    made = Ads(settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_brands(*brands)
    for brand in brands:
        made.batch(f"b-{brand}", brand)
    return made


def at(days: float) -> datetime:
    """So many days after `START`."""
    return START + timedelta(days=days)
