"""Exports: what is in the file, who may read it, and when it is gone."""

from __future__ import annotations

import asyncio
import csv
import io
import json

import pytest

from adology.aws import open_client
from adology.settings import AdologySettings
from adology_server.tasks.formats import escape
from tests.server.ads_rig import Ads, follow
from tests.server.rig import log_in, serving
from tests.server.tasks_rig import is_, quick, running, wait_task
from tests.system.rig import wait_until

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def ads(settings: AdologySettings) -> Ads:
    made = Ads(settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_brands("nike", "puma")
    made.batch("b-nike", "nike")
    made.batch("b-puma", "puma")
    return made


def test_an_export_holds_what_its_organisation_sees(settings: AdologySettings, ads: Ads) -> None:
    ads.commit_ad("n1", titles=["=HYPERLINK(1)"], platforms=["facebook", "instagram"])
    ads.commit_ad("ours", owner="acme")
    ads.commit_ad("theirs", owner="rival", titles=["canary"])
    ads.commit_ad("p1", brands=["puma"])

    async def scenario() -> None:
        await follow(settings)
        async with serving(settings) as nobody, running(quick(settings)), open_client(settings.aws, "s3") as s3:
            owner, rival = [await log_in(nobody, f"owner@{org}.example") for org in ("acme", "rival")]
            space = await owner.post("/v1/brandspaces", {"name": "Sport", "primary": "nike"})
            body = {"brandspace_id": space["id"]}
            assert (await rival.ask("POST", "/v1/exports", body)).kind == "not-found"
            files = {}
            for form in ("jsonl", "csv"):
                task = (await owner.post("/v1/exports", {**body, "format": form}, 202))["request_id"]
                done = await wait_task(owner, task, is_("completed"))
                found = await owner.get(f"/v1/tasks/{task}/file")
                assert (await rival.ask("GET", f"/v1/tasks/{task}/file")).kind == "not-found"
                async with owner.http.get(found["url"]) as response:
                    assert response.status == 200
                    assert response.headers["content-disposition"].startswith("attachment;")
                    files[form] = await response.text()
                assert (done["result"]["rows"], done["result"]["bytes"]) == (2, len(files[form].encode()))
            lines = [json.loads(line) for line in files["jsonl"].splitlines()]
            assert [(one["source_ad_id"], one["private"], one["role"]) for one in lines] == [
                ("ours", True, "primary"), ("n1", False, "primary"),
            ]  # fmt: skip
            assert lines[1]["title"] == "=HYPERLINK(1)"
            table = list(csv.DictReader(io.StringIO(files["csv"])))
            assert [one["source_ad_id"] for one in table] == ["ours", "n1"]
            assert (table[1]["title"], table[1]["platforms"]) == ("'=HYPERLINK(1)", "facebook, instagram")
            assert "canary" not in str(files)
            ads.rows("update tasks set expires_at = now() where id = %s", [task])
            assert (await owner.ask("GET", f"/v1/tasks/{task}/file")).kind == "gone"

            async def is_gone() -> bool:
                kept = await s3.list_objects_v2(Bucket=settings.s3.bucket, Prefix=f"{settings.s3.prefix}exports/acme/")
                return [task in one["Key"] for one in kept.get("Contents", [])] == [False]

            await wait_until(is_gone, "the file of one is removed, the other's is kept")
            assert (await owner.get(f"/v1/tasks/{task}"))["status"] == "expired"

    asyncio.run(scenario())


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-5 %", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_is_no_formula(text: str) -> None:
    assert escape(text) == f"'{text}"
    assert escape("50 % off") == "50 % off"
    assert escape(-5) == -5
