"""Files of tasks: whole and once although everything is killed, and gone when nobody may read them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import msgspec
import pytest

from adology.aws import open_client
from adology.settings import AdologySettings
from tests.server.ads_rig import Ads, follow
from tests.server.rig import Client, log_in, serving
from tests.server.tasks_rig import is_, process, quick, running, stalling, wait_task
from tests.system.rig import wait_until

pytestmark = pytest.mark.timeout(150)
MANY = 2500
"""Three pages of an export."""

_MANY = """
with made as (
    insert into ads (source, source_ad_id, media_outcome, copy_hash, first_seen_at, last_seen_at, first_batch,
        last_batch, titles, owner_org_id)
    select 'facebook', 'ad-' || n, 'text_only', 'copy-' || n, '2026-11-01'::timestamptz + n * interval '1 minute',
        now(), 'b-nike', 'b-nike', array['Title ' || n], case when mod(n, 10) = 0 then 'rival' end
    from generate_series(1, %s) n returning id
)
insert into brand_ads select 'nike', id, 'b-nike', 'b-nike' from made"""


@pytest.fixture
def ads(settings: AdologySettings) -> Ads:
    made = Ads(settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_brands("nike")
    made.batch("b-nike", "nike")
    return made


async def many(settings: AdologySettings, ads: Ads) -> None:
    """Commit `MANY` ads; every tenth is the rival's own."""
    ads.rows(_MANY, [MANY])
    await follow(settings)


async def ask(owner: Client, form: str = "jsonl", **query: Any) -> str:
    space = (await owner.get("/v1/brandspaces"))["items"][0]["id"]
    answer = await owner.ask("POST", "/v1/exports", {"brandspace_id": space, "format": form}, **query)
    return str(answer.expect(202)["request_id"])


async def with_space(nobody: Client) -> Client:
    owner = await log_in(nobody, "owner@acme.example")
    await owner.post("/v1/brandspaces", {"name": "Sport", "primary": "nike"})
    return owner


class Folder:
    """What is in S3 of a task."""

    def __init__(self, s3: Any, settings: AdologySettings, task: str) -> None:
        self._s3 = s3
        self._where = {"Bucket": settings.s3.bucket, "Prefix": f"{settings.s3.prefix}exports/acme/{task}/"}

    async def names(self) -> list[str]:
        found = await self._s3.list_objects_v2(**self._where)
        return [one["Key"].rpartition("/")[2] for one in found.get("Contents", [])]

    async def uploads(self) -> int:
        return len((await self._s3.list_multipart_uploads(**self._where)).get("Uploads", []))

    async def begin_upload(self) -> None:
        """An upload in parts that nobody finishes, as a killed runner leaves it."""
        where = {"Bucket": self._where["Bucket"], "Key": f"{self._where['Prefix']}7.jsonl"}
        begun = await self._s3.create_multipart_upload(**where)
        await self._s3.upload_part(**where, UploadId=begun["UploadId"], PartNumber=1, Body=b"x" * 1000)

    async def is_empty(self) -> bool:
        return await self.names() == [] and await self.uploads() == 0


async def read(owner: Client, task: str) -> list[dict[str, Any]]:
    found = await owner.get(f"/v1/tasks/{task}/file")
    async with owner.http.get(found["url"], timeout=aiohttp.ClientTimeout(20)) as response:
        return [json.loads(line) for line in (await response.read()).splitlines()]


STALLS = {
    "in mid-export": ("update of progress", "new.progress->>'rows' = '2000'"),
    "after the upload": ("update of state", "new.kind = 'export' and new.state = 'completed'"),
}


@pytest.mark.parametrize("moment", STALLS)
def test_server_and_runner_are_killed_and_the_export_is_whole_and_once(
    settings: AdologySettings, ads: Ads, moment: str
) -> None:
    own = quick(settings)

    async def scenario() -> None:
        await many(settings, ads)
        async with serving(settings) as nobody, open_client(settings.aws, "s3") as s3:
            with process(own, "server") as server:
                line = msgspec.json.decode(await server.wait_line("server listening"))
                owner = await with_space(Client(nobody.http, line["address"]))
                with stalling(ads, *STALLS[moment]) as stall:
                    task = await ask(owner)
                    server.kill()
                    with process(own, "tasks") as runner:
                        await runner.wait_line("task runner ready")
                        await stall.wait()
                        runner.kill()
                        stall.end()
            here, folder = nobody.as_(owner.token), Folder(s3, settings, task)
            assert await folder.names() == (["1.jsonl"] if moment == "after the upload" else [])
            await folder.begin_upload()
            async with running(own):
                done = await wait_task(here, task, is_("completed"))
                rows = await read(here, task)
                # What the killed one left is cleared away.
                await wait_until(lambda: _is_alone(folder, done), "only the file that is shown is there")
            seen = ads.rows("select source_ad_id from ads where owner_org_id is null")
            assert sorted(row["source_ad_id"] for row in rows) == sorted(name for (name,) in seen)
            assert done["result"]["rows"] == len(rows) == MANY * 9 // 10
            ends = ads.rows("select count(*) from events where task = %s and body->>'status' = 'completed'", [task])
            assert ends == [(1,)]

    asyncio.run(scenario())


async def _is_alone(folder: Folder, done: dict[str, Any]) -> bool:
    return await folder.names() == [done["result"]["object"].rpartition("/")[2]] and await folder.uploads() == 0


@pytest.mark.parametrize(
    "end", [*(pytest.param(end, marks=pytest.mark.slow) for end in ("cancelled", "late")), "expired"]
)
def test_no_file_stays_of_a_task_that_has_none_to_show(settings: AdologySettings, ads: Ads, end: str) -> None:
    own = quick(settings)
    ads.commit_ad("one")

    async def scenario() -> None:
        await follow(settings)
        async with serving(settings) as nobody, open_client(settings.aws, "s3") as s3:
            owner = await with_space(nobody)
            kept = await ask(owner)
            async with running(own):
                await wait_task(owner, kept, is_("completed"))
            # A runner is killed between the upload and the last word.
            with (
                stalling(ads, *STALLS["after the upload"]) as stall,
                process(own, "tasks") as runner,
            ):
                task = await ask(owner)
                await stall.wait()
                runner.kill()
                stall.end()
            folder = Folder(s3, settings, task)
            await folder.begin_upload()
            assert (await folder.names(), await folder.uploads()) == (["1.jsonl"], 1)
            if end == "cancelled":
                await owner.post(f"/v1/tasks/{task}/cancel", status=200)
            elif end == "late":
                ads.rows("update tasks set deadline = now() where id = %s", [task])
            async with running(own):
                if end == "expired":
                    await wait_task(owner, task, is_("completed"))
                    ads.rows("update tasks set expires_at = now() where id = %s", [task])
                await wait_until(folder.is_empty, "its files are gone", timeout_s=40)
            shown = {"cancelled": "cancelled", "late": "failed", "expired": "expired"}[end]
            assert (await owner.get(f"/v1/tasks/{task}"))["status"] == shown
            assert (await owner.ask("GET", f"/v1/tasks/{task}/file")).status in (409, 410)
            assert len(await read(owner, kept)) == 1, "another's file stays"
            assert ads.rows("select id::text from tasks where files") == [(kept,)]

    asyncio.run(scenario())


def test_an_export_is_cancelled_in_mid_way(
    settings: AdologySettings, ads: Ads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adology_server.tasks.export.PAGE", 2)  # a thousand pages: time enough

    async def scenario() -> None:
        await many(settings, ads)
        async with (
            serving(settings) as nobody,
            running(quick(settings)),
            open_client(settings.aws, "s3") as s3,
        ):
            owner = await with_space(nobody)
            task = await ask(owner)
            await wait_task(owner, task, lambda one: one["progress"].get("rows", 0) >= 20)
            await owner.post(f"/v1/tasks/{task}/cancel", status=200)
            at_cancel = (await owner.get(f"/v1/tasks/{task}"))["progress"]["rows"]
            assert 20 <= at_cancel < MANY
            # The runner is free again, and what it had begun does not go on.
            after = await ask(owner, sort="newest", brand="nobody")
            await wait_task(owner, after, is_("completed"))
            await asyncio.sleep(1)
            ended = await owner.get(f"/v1/tasks/{task}")
            assert (ended["status"], ended["result"], ended["progress"]["rows"]) == ("cancelled", None, at_cancel)
            assert await Folder(s3, settings, task).is_empty()

    asyncio.run(scenario())


def test_a_file_is_of_one_moment(settings: AdologySettings, ads: Ads) -> None:
    """An ad that is seen again while pages are read goes to the front of the order, and is in the file once."""

    async def scenario() -> None:
        await many(settings, ads)
        ads.rows("update feed set last_seen_at = first_seen_at")
        with stalling(ads, "update of progress", "new.progress->>'rows' = '1000'") as stall:
            async with serving(settings) as nobody, running(quick(settings)):
                owner = await with_space(nobody)
                task = await ask(owner, sort="last_seen")
                await stall.wait()
                # Those of the last page come first now; those of the first page come last.
                ads.rows("update feed set last_seen_at = now() - (last_seen_at - '2026-01-01'::timestamptz)")
                ads.rows("delete from feed where source_ad_id = 'ad-1'")
                stall.release()
                await wait_task(owner, task, is_("completed"))
                names = [row["source_ad_id"] for row in await read(owner, task)]
                assert names == [f"ad-{n}" for n in range(MANY, 0, -1) if n % 10]

    asyncio.run(scenario())
