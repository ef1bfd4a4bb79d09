"""The object store on a real server: once only, in parts, listed, bounded in memory."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from adology.aws import open_client
from adology.errors import EngineError, UnavailableError
from adology.queues.admin import ensure_bucket
from adology.settings.model import S3Settings
from adology.storage import S3Store
from tests.system.conftest import Stack

pytestmark = pytest.mark.anyio
MIB = 1024 * 1024
LARGE = 12 * MIB + 5


class Spy:
    """The real client; counts calls, and lets a test step in before one."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls: list[str] = []
        self.before: dict[str, Any] = {}

    def __getattr__(self, operation: str) -> Any:
        async def call(**arguments: Any) -> Any:
            self.calls.append(operation)
            if operation in self.before:
                await self.before[operation](arguments)
            return await getattr(self.client, operation)(**arguments)

        return call


class Rig:
    def __init__(self, client: Any, settings: S3Settings) -> None:
        self.spy = Spy(client)
        self.settings = settings
        self.store = S3Store(self.spy, settings)

    async def fetch(self, key: str) -> tuple[bytes, dict[str, Any]]:
        answer = await self.spy.client.get_object(Bucket=self.settings.bucket, Key=key)
        return await answer["Body"].read(), answer

    async def open_uploads(self) -> list[str]:
        found = await self.spy.client.list_multipart_uploads(Bucket=self.settings.bucket)
        return [upload["Key"] for upload in found.get("Uploads", [])]


@contextlib.asynccontextmanager
async def open_store(stack: Stack, *, prefix: str = "") -> AsyncIterator[Rig]:
    """A store with a bucket of its own; parts begin at 6 MiB."""
    own = S3Settings(
        bucket=f"t-{uuid.uuid4().hex[:16]}",
        prefix=prefix,
        multipart_threshold_bytes=6 * MIB,
        part_bytes=5 * MIB,
    )
    await ensure_bucket(msgspec.structs.replace(stack.settings, s3=own))
    async with open_client(stack.settings.aws, "s3") as client:
        yield Rig(client, own)
        async for page in client.get_paginator("list_objects_v2").paginate(Bucket=own.bucket):
            keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
            if keys:
                await client.delete_objects(Bucket=own.bucket, Delete={"Objects": keys})
        await client.delete_bucket(Bucket=own.bucket)


def make_file(folder: Path, size: int, name: str = "media") -> Path:
    path = folder / name
    path.write_bytes(os.urandom(min(size, 4096)).ljust(size, b"\x07"))
    return path


@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 6 * MIB, 6 * MIB + 1, LARGE])
async def test_a_file_is_stored_byte_for_byte_whatever_its_size(stack: Stack, tmp_path: Path, size: int) -> None:
    path = make_file(tmp_path, size)
    async with open_store(stack) as rig:
        assert await rig.store.put_file("assets/ab/x.bin", path, content_type="video/mp4")
        body, answer = await rig.fetch("assets/ab/x.bin")
        assert hashlib.sha256(body).digest() == hashlib.sha256(path.read_bytes()).digest()
        assert answer["ContentType"] == "video/mp4"
        parts = -(-size // (5 * MIB)) if size > 6 * MIB else 0
        assert rig.spy.calls.count("upload_part") == parts
        assert answer["ETag"].strip('"').endswith(f"-{parts}") == bool(parts)
        assert not await rig.store.put_file("assets/ab/x.bin", path, content_type="video/mp4")
        assert await rig.open_uploads() == []


@pytest.mark.parametrize("size", [10, 2 * MIB, LARGE])
async def test_of_many_writers_of_one_key_exactly_one_wins(stack: Stack, tmp_path: Path, size: int) -> None:
    """GIVEN eight writers with different bytes THEN one True, and the object is that writer's, whole."""
    paths = [make_file(tmp_path, size, f"m{n}") for n in range(8)]
    async with open_store(stack) as rig:
        won = await asyncio.gather(*(rig.store.put_file("k", path, content_type="x/y") for path in paths))
        assert sum(won) == 1
        assert (await rig.fetch("k"))[0] == paths[won.index(True)].read_bytes()
        assert await rig.open_uploads() == []


async def test_bytes_are_kept_and_never_replaced(stack: Stack) -> None:
    async with open_store(stack) as rig:
        store = rig.store
        assert await store.get_bytes("a") is None
        assert not await store.exists("a")
        assert await store.put_bytes("a", b"1", content_type="text/plain")
        assert not await store.put_bytes("a", b"2", content_type="text/plain")
        assert await store.get_bytes("a") == b"1"
        assert await store.exists("a")


async def test_a_key_that_appears_during_the_upload_leaves_no_parts_behind(stack: Stack, tmp_path: Path) -> None:
    """GIVEN another writer that finishes while our parts go up THEN False, its bytes stay, no upload is left."""
    path = make_file(tmp_path, LARGE)
    async with open_store(stack) as rig:

        async def somebody_else(_: Any) -> None:
            await rig.spy.client.put_object(Bucket=rig.settings.bucket, Key="k", Body=b"theirs")

        rig.spy.before["complete_multipart_upload"] = somebody_else
        assert not await rig.store.put_file("k", path, content_type="x/y")
        assert (await rig.fetch("k"))[0] == b"theirs"
        assert await rig.open_uploads() == []


async def test_a_failed_part_ends_the_upload_and_every_part_under_way(stack: Stack, tmp_path: Path) -> None:
    path = make_file(tmp_path, 40 * MIB)
    async with open_store(stack) as rig:
        under_way = 0

        async def fail_second(arguments: Any) -> None:
            nonlocal under_way
            if arguments["PartNumber"] == 2:
                raise ClientError({"Error": {"Code": "SlowDown", "Message": "reduce your rate"}}, "UploadPart")
            under_way += 1
            try:
                await asyncio.sleep(20)
            finally:
                under_way -= 1

        rig.spy.before["upload_part"] = fail_second
        with pytest.raises(UnavailableError, match="s3: upload_part k: SlowDown") as caught:
            await rig.store.put_file("k", path, content_type="x/y")
        assert caught.value.code == "ADO-5601"
        assert under_way == 0
        assert await rig.open_uploads() == []
        assert not await rig.store.exists("k")


async def test_a_cancelled_upload_leaves_nothing_behind(stack: Stack, tmp_path: Path) -> None:
    path = make_file(tmp_path, LARGE)
    async with open_store(stack) as rig:
        reached = asyncio.Event()

        async def hang(_: Any) -> None:
            reached.set()
            await asyncio.Event().wait()

        rig.spy.before["upload_part"] = hang
        putting = asyncio.create_task(rig.store.put_file("k", path, content_type="x/y"))
        await reached.wait()
        assert await rig.open_uploads() == ["k"]
        putting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await putting
        assert await rig.open_uploads() == []


async def test_a_file_that_shrinks_meanwhile_is_not_stored(stack: Stack, tmp_path: Path) -> None:
    path = make_file(tmp_path, LARGE)
    async with open_store(stack) as rig:

        async def shrink(_: Any) -> None:
            os.truncate(path, MIB)

        rig.spy.before["create_multipart_upload"] = shrink
        with pytest.raises(EngineError, match="changed while it went up to k"):
            await rig.store.put_file("k", path, content_type="x/y")
        assert await rig.open_uploads() == []


@pytest.mark.parametrize("size", [10, 2 * MIB, LARGE])
async def test_a_conflict_with_another_writer_is_tried_again(stack: Stack, tmp_path: Path, size: int) -> None:
    """S3 answers 409 while another write of the key is under way, which may yet fail."""
    path = make_file(tmp_path, size)
    async with open_store(stack) as rig:
        left = 2

        async def conflict(_: Any) -> None:
            nonlocal left
            left -= 1
            if left >= 0:
                raise ClientError({"Error": {"Code": "ConditionalRequestConflict", "Message": "409"}}, "Put")

        rig.spy.before["put_object"] = rig.spy.before["complete_multipart_upload"] = conflict
        assert await rig.store.put_file("k", path, content_type="x/y")
        assert (await rig.fetch("k"))[0] == path.read_bytes()
        left = 100
        with pytest.raises(UnavailableError, match="ConditionalRequestConflict"):
            await rig.store.put_file("other", path, content_type="x/y")
        assert not await rig.store.exists("other")
        assert await rig.open_uploads() == []


async def test_keys_are_listed_in_order_over_many_pages(stack: Stack) -> None:
    async with open_store(stack, prefix="team/") as rig:
        names = [f"batches/b1/{n:05}" for n in range(1105)]
        gate = asyncio.Semaphore(40)

        async def put(name: str) -> None:
            async with gate:
                await rig.spy.client.put_object(Bucket=rig.settings.bucket, Key=f"team/{name}", Body=b"")

        await asyncio.gather(*map(put, [*names, "batches/b2/0", "other"]))
        assert [key async for key in rig.store.list_keys("batches/b1/")] == names
        assert rig.spy.calls.count("list_objects_v2") == 2
        assert [key async for key in rig.store.list_keys("none/")] == []


async def test_uploads_that_nobody_finished_are_ended_under_a_prefix_alone(stack: Stack) -> None:
    async with open_store(stack, prefix="team/") as rig:
        for key in ("team/a/1", "team/a/1", "team/a/2", "team/b/1", "a/1"):
            await rig.spy.client.create_multipart_upload(Bucket=rig.settings.bucket, Key=key)
        assert await rig.store.abort_uploads("a/") == 3
        assert sorted(await rig.open_uploads()) == ["a/1", "team/b/1"]
        assert await rig.store.abort_uploads("a/") == 0


async def test_a_prefix_is_put_before_every_key_and_taken_off_again(stack: Stack, tmp_path: Path) -> None:
    async with open_store(stack, prefix="team/a b/") as rig:
        store, bucket = rig.store, rig.settings.bucket
        await store.put_bytes("x/ü", b"1", content_type="text/plain")
        await store.put_file("x/large", make_file(tmp_path, LARGE), content_type="x/y")
        assert store.uri("x/ü") == f"s3://{bucket}/team/a b/x/ü"
        found = await rig.spy.client.list_objects_v2(Bucket=bucket)
        assert [e["Key"] for e in found["Contents"]] == ["team/a b/x/large", "team/a b/x/ü"]
        assert [key async for key in store.list_keys("x/")] == ["x/large", "x/ü"]
        assert await store.get_bytes("x/ü") == b"1"


async def test_a_missing_bucket_is_named_with_what_makes_it(stack: Stack) -> None:
    async with open_client(stack.settings.aws, "s3") as client:
        store = S3Store(client, S3Settings(bucket="nobody-made-this"))
        told = (
            "s3: bucket nobody-made-this does not exist. `adology up` creates it on one machine; on AWS Terraform does."
        )
        with pytest.raises(EngineError) as caught:
            await store.put_bytes("k", b"", content_type="x/y")
        assert (str(caught.value), caught.value.code) == (told, "ADO-5602")
        with pytest.raises(EngineError, match="bucket nobody-made-this does not exist"):
            await store.get_bytes("k")
        with pytest.raises(EngineError, match="bucket nobody-made-this does not exist"):
            _ = [key async for key in store.list_keys("")]


async def test_a_server_that_is_not_there_is_an_outage(stack: Stack) -> None:
    nowhere = msgspec.structs.replace(stack.settings.aws, endpoint_url="http://127.0.0.1:9")
    async with open_client(nowhere, "s3") as client:
        with pytest.raises(UnavailableError, match=r"s3: head_object k: EndpointConnectionError"):
            await S3Store(client, S3Settings(bucket="any-bucket")).exists("k")


async def test_a_bucket_of_ours_is_left_alone(stack: Stack) -> None:
    async with open_store(stack) as rig:
        await rig.store.put_bytes("k", b"1", content_type="x/y")
        await ensure_bucket(msgspec.structs.replace(stack.settings, s3=rig.settings))
        assert await rig.store.get_bytes("k") == b"1"


UPLOAD = """
import asyncio, resource, sys
from pathlib import Path
import msgspec
from adology.aws import open_client
from adology.settings.model import AwsSettings, S3Settings
from adology.storage import S3Store

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

async def main():
    async with open_client(msgspec.json.decode(sys.argv[1], type=AwsSettings), "s3") as client:
        store = S3Store(client, S3Settings(bucket=sys.argv[2]))
        small, large = Path(sys.argv[3]), Path(sys.argv[4])
        assert await store.put_file("small", small, content_type="video/mp4")
        before = peak()
        assert await store.put_file("large", large, content_type="video/mp4")
        print(peak() - before)

asyncio.run(main())
"""


@pytest.mark.parametrize("mebibytes", [128, pytest.param(300, marks=pytest.mark.slow)])
async def test_memory_stays_flat_for_a_large_file(stack: Stack, tmp_path: Path, mebibytes: int) -> None:
    """GIVEN a large file after one that fills all parallel parts THEN it needs hardly more memory."""
    small, large = tmp_path / "small", tmp_path / "large"
    for path, size in ((small, 48 * MIB), (large, mebibytes * MIB)):
        with path.open("wb") as file:
            file.truncate(size)
    async with open_store(stack) as rig:
        aws = msgspec.json.encode(stack.settings.aws).decode()
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", UPLOAD, aws, rig.settings.bucket, str(small), str(large)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert int(done.stdout) < 40 * MIB
        head = await rig.spy.client.head_object(Bucket=rig.settings.bucket, Key="large")
        assert head["ContentLength"] == mebibytes * MIB


@pytest.mark.parametrize("size", [0, 5, LARGE])
async def test_a_file_comes_back_as_it_was(stack: Stack, tmp_path: Path, size: int) -> None:
    async with open_store(stack, prefix="x/") as rig:
        sent, got = tmp_path / "sent", tmp_path / "got"
        sent.write_bytes(os.urandom(size))
        await rig.store.put_file("k", sent, content_type="video/mp4")
        assert await rig.store.get_file(rig.store.key_of(rig.store.uri("k")), got)
        assert got.read_bytes() == sent.read_bytes()
        assert not await rig.store.get_file("another", got)


async def test_an_address_of_another_bucket_is_no_key_of_ours(stack: Stack) -> None:
    async with open_store(stack, prefix="x/") as rig:
        for address in ("s3://elsewhere/x/k", rig.store.uri("k").replace("/x/", "/y/"), "k"):
            with pytest.raises(EngineError, match=r"is not under s3://.*/x/\. Were s3\.bucket or s3\.prefix changed\?"):
                rig.store.key_of(address)
