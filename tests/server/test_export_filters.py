"""Exports take what lists take: filters, order, fields; refused in the same words; typed in Parquet."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adology.settings import AdologySettings
from adology_server.ads.model import FIELDS, AdRow
from adology_server.tasks import parquet
from adology_server.tasks.export import COLUMNS
from adology_server.tasks.formats import Column, columns_of, open_writer
from adology_server.tasks.parquet import ParquetMissingError, ParquetWriter
from tests.server.ads_rig import START, Ads, at, follow
from tests.server.rig import Client, log_in, serving
from tests.server.tasks_rig import is_, quick, running, wait_task

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def ads(settings: AdologySettings) -> Ads:
    made = Ads(settings)
    made.add_org("acme")
    made.add_user("acme", "owner@acme.example")
    made.add_brands("nike", "puma")
    made.batch("b-nike", "nike", facebook="ok!")
    made.batch("b-puma", "puma")
    made.commit_ad("old", seen=at(0), platforms=["facebook"], labels=["sport:run"], creative="same")
    made.commit_ad("new", seen=at(3), platforms=["instagram"], started_on=date(2026, 10, 1), creative="same")
    made.commit_ad("both", brands=["nike", "puma"], seen=at(1), platforms=["facebook", "instagram"])
    made.commit_ad("shoe", brands=["puma"], seen=at(2), languages=["en"], bodies=["Run in running shoes"])
    made.group("same")
    return made


async def exported(owner: Client, space: str, form: str = "jsonl", **query: Any) -> bytes:
    """The bytes of the file."""
    params = "&".join(f"{name}={one}" for name, value in query.items() for one in str(value).split("+"))
    body = {"brandspace_id": space, "format": form}
    task = (await owner.post(f"/v1/exports?{params}", body, 202))["request_id"]
    await wait_task(owner, task, is_("completed"))
    found = await owner.get(f"/v1/tasks/{task}/file")
    async with owner.http.get(found["url"], timeout=aiohttp.ClientTimeout(20)) as response:
        return await response.read()


async def open_space(nobody: Client) -> tuple[Client, str]:
    owner = await log_in(nobody, "owner@acme.example")
    made = await owner.post("/v1/brandspaces", {"name": "Sport", "primary": "nike", "competitors": ["puma"]})
    return owner, made["id"]


QUERIES: list[dict[str, Any]] = [
    {},
    {"sort": "longest"},
    {"sort": "last_seen", "role": "competitor"},
    {"brand": "nike", "platform": "facebook"},
    {"label": "sport:run"},
    {"q": "running"},
    {"first_seen_from": "2026-11-02T00:00:00Z", "first_seen_to": "2026-11-03T12:00:00Z"},
    {"collapse": "true"},
    {"status": "running"},
    {"language": "en", "source": "facebook"},
]


def test_an_export_is_what_the_list_shows_in_its_order(
    settings: AdologySettings, ads: Ads, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ads.rows("select count(*) from ads") == [(4,)]
    monkeypatch.setattr("adology_server.tasks.export.PAGE", 2)  # several pages each

    async def scenario() -> None:
        await follow(settings)
        async with serving(settings) as nobody, running(quick(settings)):
            owner, space = await open_space(nobody)
            sizes = []
            for query in QUERIES:
                listed = (await owner.get("/v1/ads", brandspace=space, limit=200, **query))["items"]
                lines = [json.loads(line) for line in (await exported(owner, space, **query)).splitlines()]
                assert lines == [{name: row[name] for name in COLUMNS} for row in listed], query
                sizes.append(len(lines))
            # Each filter leaves something out, and none leaves nothing.
            assert sizes == [4, 4, 2, 2, 1, 1, 2, 3, 3, 1]
            lines = (await exported(owner, space, fields="status+near_duplicates+id", collapse="true")).splitlines()
            assert sorted(json.loads(lines[0])) == ["id", "near_duplicates", "status"]
            assert [json.loads(line)["near_duplicates"] for line in lines] == [1, 0, 0]

    asyncio.run(scenario())


REFUSED: list[tuple[str, Any]] = [
    ("brnd", "nike"),
    ("sort", "oldest"),
    ("status", "gone"),
    ("first_seen_from", "2026-11-02T00:00:00"),
    ("run_days_min", "-1"),
    ("safety_score_max", "2"),
    ("fields", "titel"),
    ("q", "x" * 501),
]


def test_what_the_list_refuses_is_refused_in_the_same_words(settings: AdologySettings, ads: Ads) -> None:
    async def scenario() -> None:
        async with serving(settings) as nobody:
            owner, space = await open_space(nobody)
            for name, value in REFUSED:
                query: dict[str, Any] = {name: value}
                listed = await owner.ask("GET", "/v1/ads", brandspace=space, **query)
                body = {"brandspace_id": space}
                answer = await owner.ask("POST", "/v1/exports", body, **query)
                assert (answer.status, answer.kind) == (listed.status, listed.kind) == (listed.status, "invalid")
                if name != "brnd":  # other parameters may have been meant
                    assert answer.body["detail"] == listed.body["detail"]
            answer = await owner.ask("POST", "/v1/exports", {"brandspace_id": space}, fields="thumbnail_url")
            assert "a file outlives" in answer.body["detail"]
            answer = await owner.ask("POST", "/v1/exports", {"brandspace_id": space, "format": "xlsx"})
            assert answer.kind == "invalid"
            assert ads.rows("select count(*) from tasks") == [(0,)]

    asyncio.run(scenario())


def test_parquet_has_types(settings: AdologySettings, ads: Ads) -> None:
    new = ads.rows("select id from ads where source_ad_id = 'new'")[0][0]

    async def scenario() -> None:
        await follow(settings)
        async with serving(settings) as nobody, running(quick(settings)):
            owner, space = await open_space(nobody)
            table = pq.read_table(io.BytesIO(await exported(owner, space, "parquet")))
            assert table.column_names == list(COLUMNS)
            kinds = {field.name: field.type for field in table.schema}
            assert kinds["id"] == pa.int64()
            assert kinds["private"] == pa.bool_()
            assert kinds["first_seen_at"] == pa.timestamp("us", "UTC")
            assert kinds["started_on"] == pa.date32()
            assert kinds["platforms"] == kinds["labels"] == pa.list_(pa.string())
            assert kinds["safety"] == pa.float64()
            assert kinds["role"] == kinds["safety_level"] == pa.string()
            rows = table.to_pylist()
            assert [row["source_ad_id"] for row in rows] == ["new", "shoe", "both", "old"]
            assert rows[0]["id"] == new
            assert (rows[0]["started_on"], rows[0]["stopped_on"]) == (date(2026, 10, 1), None)
            assert (rows[3]["first_seen_at"], rows[3]["labels"]) == (START, ["sport:run"])
            empty = pq.read_table(io.BytesIO(await exported(owner, space, "parquet", brand="nobody")))
            assert (empty.num_rows, empty.schema) == (0, table.schema)

    asyncio.run(scenario())


def test_row_groups_are_written_as_they_fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "GROUP", 10)
    columns = [Column("n", int), Column("when", datetime | None), Column("names", tuple[str, ...])]
    writer = open_writer("parquet", tmp_path / "a.parquet", columns)
    assert isinstance(writer, ParquetWriter)
    rows = [{"n": n, "when": None if n % 2 else "2026-11-01T00:00:00Z", "names": [str(n)]} for n in range(37)]
    for start in range(0, 37, 4):
        writer.write(rows[start : start + 4])
        assert len(writer._waiting) < 10
    writer.close()
    file = pq.ParquetFile(tmp_path / "a.parquet")
    sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert sizes == [10, 10, 10, 7]
    told = [(row["n"], row["when"], row["names"]) for row in file.read().to_pylist()]
    began = datetime(2026, 11, 1, tzinfo=UTC)
    assert told == [(n, None if n % 2 else began, [str(n)]) for n in range(37)]


def test_every_field_of_a_row_has_a_column() -> None:
    schema = {column.name: column.type for column in columns_of(AdRow, FIELDS)}
    assert list(schema) == list(FIELDS)


def test_without_pyarrow_parquet_is_refused_and_the_others_are_listed(
    settings: AdologySettings, ads: Ads, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with serving(settings) as nobody:
            owner, space = await open_space(nobody)
            body = {"brandspace_id": space, "format": "parquet"}
            task = (await owner.post("/v1/exports", body, 202))["request_id"]
            # Neither here nor where tasks run.
            monkeypatch.setitem(sys.modules, "pyarrow", None)
            monkeypatch.setattr("adology_server.tasks.formats.importlib.util.find_spec", lambda _: None)
            refused = await owner.ask("POST", "/v1/exports", body)
            assert refused.kind == "invalid"
            assert refused.body["errors"] == [
                {
                    "field": "format",
                    "detail": "This installation does not write parquet; it writes jsonl, csv."
                    " The extra `parquet` adds it.",
                }
            ]
            async with running(quick(settings)):
                failed = await wait_task(owner, task, is_("failed"))
            assert failed["error"] == "a fault of ours (ADO-5905); our log has it"
            with pytest.raises(ParquetMissingError, match="csv and jsonl work"):
                open_writer("parquet", Path("x"), [])

    asyncio.run(scenario())
    assert ads.rows("select state from tasks") == [("failed",)]
