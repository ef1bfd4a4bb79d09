from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from adology.aws import open_client
from adology.errors import EngineError, UnavailableError
from adology.settings import AdologySettings
from adology_s3 import S3Sink
from tests.system.batches import ListBatch, opened

pytestmark = pytest.mark.anyio
KEY = "assets/ab/abcd.jpg"


async def read(settings: AdologySettings, key: str) -> tuple[bytes, str]:
    async with open_client(settings.aws, "s3") as client:
        answer = await client.get_object(Bucket=settings.s3.bucket, Key=settings.s3.prefix + key)
        async with answer["Body"] as body:
            return await body.read(), answer["ContentType"]


async def test_a_file_is_archived_once(settings: AdologySettings, tmp_path: Path) -> None:
    file = tmp_path / "creative"
    file.write_bytes(b"first")
    async with opened(S3Sink(), settings) as (sink, _):
        assert await sink.put(KEY, file, "image/jpeg") is True
        file.write_bytes(b"another")
        assert await sink.put(KEY, file, "image/png") is False
    assert await read(settings, KEY) == (b"first", "image/jpeg")


async def test_a_large_file_goes_up_in_parts(settings: AdologySettings, tmp_path: Path) -> None:
    file = tmp_path / "video"
    file.write_bytes(bytes(range(256)) * 50_000)
    small_parts = msgspec.structs.replace(
        settings.s3, multipart_threshold_bytes=5 * 1024 * 1024, part_bytes=5 * 1024 * 1024, prefix="team/"
    )
    changed = msgspec.structs.replace(settings, s3=small_parts)
    async with opened(S3Sink(), changed) as (sink, _):
        assert await sink.put(KEY, file, "video/mp4") is True
        assert await sink.put(KEY, file, "video/mp4") is False
    assert await read(changed, KEY) == (file.read_bytes(), "video/mp4")


async def test_a_batch_leaves_nothing_to_do(settings: AdologySettings) -> None:
    async with opened(S3Sink(), settings) as (sink, context):
        await sink.write(context, ListBatch("b1"))
    async with open_client(settings.aws, "s3") as client:
        assert (await client.list_objects_v2(Bucket=settings.s3.bucket))["KeyCount"] == 0


async def test_a_missing_bucket_says_who_creates_it(settings: AdologySettings, tmp_path: Path) -> None:
    file = tmp_path / "creative"
    file.write_bytes(b"x")
    nowhere = msgspec.structs.replace(settings, s3=msgspec.structs.replace(settings.s3, bucket="not-there"))
    async with opened(S3Sink(), nowhere) as (sink, _):
        with pytest.raises(EngineError, match="bucket not-there does not exist"):
            await sink.put(KEY, file, "image/jpeg")


async def test_an_endpoint_that_is_not_there_means_try_again(settings: AdologySettings, tmp_path: Path) -> None:
    file = tmp_path / "creative"
    file.write_bytes(b"x")
    aws = msgspec.structs.replace(settings.aws, endpoint_url="http://127.0.0.1:9")
    async with opened(S3Sink(), msgspec.structs.replace(settings, aws=aws)) as (sink, _):
        with pytest.raises(UnavailableError, match="s3: put_object"):
            await sink.put(KEY, file, "image/jpeg")


async def test_close_is_harmless_without_open() -> None:
    await S3Sink().close()
