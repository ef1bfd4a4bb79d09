"""An organisation with something in every place that can hold something of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from psycopg.types.json import Jsonb
from pymongo import AsyncMongoClient

from adology.aws import open_client
from adology.engine.manifest import ad_url
from adology.engine.model import hash_url
from adology.settings import AdologySettings
from adology.storage import S3Store
from adology.types import Ad, Media
from tests.server.rig import Client, World
from tests.server.test_foreign import CANARY, Rival

SOURCE = "rivals_crm"
OWN, SHARED, OTHERS = ("a" * 64, "b" * 64, "c" * 64)
"""Creatives: of the private ad alone, of it and a public one, of somebody else's near-duplicate."""
COPY = "d" * 64
"""Hash of the private ad's copy."""
URL = f"https://crm.rival.example/{CANARY}.png"


class Leaver(Rival):
    """The organisation `rival`, with private creatives, analyses, documents and files beside what `Rival` has."""

    def __init__(self, world: World, settings: AdologySettings) -> None:
        super().__init__(world)
        self.settings = settings
        self.private = int(self.ids["ad_id"])
        world.rows("update ads set source = %s, copy_hash = %s where owner_org_id = 'rival'", [SOURCE, COPY])
        world.rows("delete from changes")  # of another copy, which was not a hash

    async def fill(self, client: Client) -> None:
        """Everything."""
        await super().fill(client)
        (await client.ask("POST", "/v1/boards", {"name": "again"}, headers={"idempotency-key": "k"})).expect(201)
        await client.post("/v1/ws-tickets")
        self._add_rows()
        async with stores(self.settings) as (objects, mongo):
            await self._add_objects(objects)
            document = {"_id": f"b/{SOURCE}/{CANARY}/rival", "owner_org_id": "rival", "raw": {"note": CANARY}}
            await mongo.payloads.insert_many([document, {"_id": "b/s/public", "owner_org_id": None}])
            await mongo.analyses.insert_many([{"_id": f"key-{sha[0]}"} for sha in (OWN, SHARED)])
            digest = hash_url(URL).hex()
            await mongo.results.insert_many([{"_id": f"b/{digest}", "note": CANARY}, {"_id": "b/other"}])

    def _add_rows(self) -> None:
        rows = self.world.rows
        rows("update batches set sources = %s", [Jsonb({SOURCE: {"outcome": "ok"}, "s": {"outcome": "ok"}})])
        rows("update tasks set state = 'completed', ended_at = now()")
        rows("update brands set handles = %s", [Jsonb({SOURCE: [CANARY], "facebook": ["1"]})])
        rows("insert into source_cursors (brand, source, cursor, batch_id) values ('nike', %s, %s, 'b')",
             [SOURCE, CANARY.encode()])  # fmt: skip
        rows("insert into feed_coverage (brand, source, owner_org_id, tried_at, outcome)"
             " values ('nike', %s, 'rival', now(), 'ok'), ('nike', 's', null, now(), 'ok')", [SOURCE])  # fmt: skip
        for sha in (OWN, SHARED, OTHERS):
            place = f"{sha[:2]}/{sha}"
            rows(
                "insert into assets (sha256, kind, content_type, size_bytes, s3_path, thumbnail, first_batch,"
                " first_seen_at) values (%s, 'image', 'image/png', 10, %s, %s, 'b', now())",
                [sha, f"s3://{self.settings.s3.bucket}/assets/{place}.png", f"derived/{place}/media/thumbnail.jpg"],
            )
            rows("insert into analyses (key, analyzer, version, fingerprint, subject_kind, subject, state, result)"
                 " values (%s, 'media', 1, 'f', 'asset', %s, 'done', '{}')", [f"key-{sha[0]}", sha])  # fmt: skip
            rows("insert into asset_analyses values (%s, 'media', %s)", [sha, f"key-{sha[0]}"])
            rows("insert into likeness_subjects (sha256, keys, group_id) values (%s, '{}', %s)", [sha, OWN])
        rows("insert into likenesses (a, b, kind, confidence, result) values (%s, %s, 'same', 1, '{}'),"
             " (%s, %s, 'same', 1, '{}')", [OWN, SHARED, OWN, OTHERS])  # fmt: skip
        rows("insert into analyses (key, analyzer, version, fingerprint, subject_kind, subject, state, result)"
             " values ('key-copy', 'copy', 1, 'f', 'ad', %s, 'done', %s)",
             [COPY, Jsonb({"said": CANARY})])  # fmt: skip
        rows("insert into ad_analyses values (%s, 'copy', 'key-copy')", [self.private])
        for ad, sha in (
            (self.private, OWN),
            (self.private, SHARED),
            (self.shared_ad, SHARED),
            (self.shared_ad, OTHERS),
        ):
            rows("insert into ad_assets (ad_id, position, sha256) values (%s, 0, %s)", [ad, sha])
        for ad, owner in ((self.private, "rival"), (self.shared_ad, None)):
            rows("insert into observations (ad_id, observed_on, observed_at, status, batch_id)"
                 " values (%s, current_date, now(), 'active', 'b')", [ad])  # fmt: skip
            rows(
                "insert into feed (brand, ad_id, owner_org_id, brands, source, source_ad_id, format, platforms,"
                " languages, first_seen_at, last_seen_at, looked_at, vendor_status, run_days, run_basis,"
                " landing_domain, labels, rules_passed, rules_failed) values ('nike', %s, %s, '{nike}', 's', '', '',"
                " '{}', '{}', now(), now(), now(), '', 1, 'seen', %s, '{}', '{}', '{}')",
                [ad, owner, CANARY if owner else ""],
            )
            rows("insert into feed_items (brand, ad_id, owner_org_id, item, search) values ('nike', %s, %s, %s, '')",
                 [ad, owner, CANARY if owner else ""])  # fmt: skip
        for url in (URL, ad_url(SOURCE, CANARY), "https://public.example/x.png"):
            rows("insert into batch_items (batch_id, url_hash, url, status) values ('b', %s, %s, 'ok')",
                 [hash_url(url), url])  # fmt: skip
            rows("insert into failures values ('b', %s, %s, 'x', 'x')", [hash_url(url), url])
        rows(
            "insert into paid_calls (day, service, model, plugin, brand, owner_org_id, scopes, cost_usd)"
            " values (current_date, 'openai', 'm', 'p', 'nike', 'rival', '{all,organisation:rival}', 0.5)"
        )
        rows("insert into budget_use values (current_date, 'organisation:rival', 0.5), (current_date, 'all', 0.5)")
        rows("insert into rate_buckets values ('o:rival', 1, now())")
        rows("insert into brands_added (brand, org_id, added_by) select 'nike', 'rival', id from users"
             " where org_id = 'rival' limit 1")  # fmt: skip
        rows("insert into task_analyses (task, org_id, key, analyzer, subject_kind, subject, brand)"
             " select id, 'rival', %s, 'copy', 'ad', %s, 'nike' from tasks where org_id = 'rival' limit 1",
             [CANARY, COPY])  # fmt: skip

    async def _add_objects(self, objects: S3Store) -> None:
        ad = Ad(id=CANARY, media=(Media(url=URL, kind="image"),), owner_org_id="rival", raw={"note": CANARY})
        page = b'{"source":"x"}\n' + msgspec.json.encode(ad) + b"\n"
        for key, body in {
            **{f"assets/{sha[:2]}/{sha}.png": b"x" for sha in (OWN, SHARED, OTHERS)},
            **{f"derived/{sha[:2]}/{sha}/media/thumbnail.jpg": b"x" for sha in (OWN, SHARED)},
            f"batches/b/manifest/{SOURCE}/000000.jsonl": page,
            f"batches/b/manifest/{SOURCE}/done.json": b"{}",
            "batches/b/manifest/s/000000.jsonl": b"{}\n",
            f"exports/rival/{self.ids['task_id']}/1.csv": CANARY.encode(),
            "exports/rival2/x/1.csv": b"another's",
        }.items():
            assert await objects.put_bytes(key, body, content_type="text/plain")


@contextlib.asynccontextmanager
async def stores(settings: AdologySettings) -> AsyncIterator[tuple[S3Store, Any]]:
    """The bucket and the Mongo database."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(settings.mongo.url)
    try:
        async with open_client(settings.aws, "s3") as s3:
            yield S3Store(s3, settings.s3), client[settings.mongo.database]
    finally:
        await client.close()


async def list_objects(settings: AdologySettings) -> list[str]:
    """All keys of the bucket."""
    async with stores(settings) as (objects, _):
        return [key async for key in objects.list_keys("")]


def owner_columns(world: World) -> list[tuple[str, str]]:
    """Every table that says whose its rows are, and the column that does, as the catalog has them."""
    return world.rows(
        "select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped"
        " and a.attname in ('org_id', 'owner_org_id') where c.relkind in ('r', 'p')"
        " and c.relnamespace = 'public'::regnamespace order by 1"
    )


def owned(world: World) -> dict[str, int]:
    """Rows of the organisation in each of these tables."""
    return {
        table: world.rows(f"select count(*) from {table} where {column} = 'rival'")[0][0]  # noqa: S608
        for table, column in owner_columns(world)
    }


def mentions(world: World) -> list[str]:
    """Tables, the audit log aside, with a row that has the canary in it."""
    tables = world.rows(
        "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
        " and relname not like 'audit%%'"
    )
    found = []
    for (table,) in tables:
        hexed = CANARY.encode().hex()
        statement = f"select count(*) from {table} t where t::text like %s or t::text like %s"  # noqa: S608
        if world.rows(statement, [f"%{CANARY}%", f"%{hexed}%"])[0][0]:
            found.append(table)
    return found
