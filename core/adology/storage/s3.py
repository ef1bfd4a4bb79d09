"""S3 for the engine: conditional writes, multipart above a threshold, flat memory."""

from __future__ import annotations

import asyncio
import mmap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from adology.errors import EngineError, UnavailableError
from adology.log import external_call
from adology.settings.model import S3Settings

PRECONDITION_FAILED = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
SMALL = 1024 * 1024
"""Files up to this size are read into memory for their upload; larger ones are mapped."""


class S3Store:
    """Objects of one bucket, under a prefix."""

    def __init__(self, client: Any, settings: S3Settings) -> None:
        self._client = client
        self._settings = settings
        self._parts = asyncio.Semaphore(4)

    def uri(self, key: str) -> str:
        """The ``s3://`` address of a key."""
        return f"s3://{self._settings.bucket}/{self._settings.prefix}{key}"

    async def put_bytes(self, key: str, data: bytes, *, content_type: str, replace: bool = False) -> bool:
        """Store `data`. False when the key was there already and `replace` is False."""
        condition = {} if replace else {"IfNoneMatch": "*"}
        answer = await self._call(
            "put_object", key, Body=data, ContentType=content_type, none_if=PRECONDITION_FAILED, **condition
        )
        return answer is not None

    async def put_file(self, key: str, path: Path, *, content_type: str) -> bool:
        """Store a file unless the key exists; large files go up in parts. False if it existed."""
        size = path.stat().st_size
        if size > self._settings.multipart_threshold_bytes:
            if await self.exists(key):
                return False
            return await self._put_parts(key, path, size, content_type)
        if size <= SMALL:
            return await self.put_bytes(key, path.read_bytes(), content_type=content_type)
        with path.open("rb") as file:
            answer = await self._call(
                "put_object",
                key,
                Body=file,
                ContentType=content_type,
                IfNoneMatch="*",
                none_if=PRECONDITION_FAILED,
            )
        return answer is not None

    async def _put_parts(self, key: str, path: Path, size: int, content_type: str) -> bool:
        created = await self._call("create_multipart_upload", key, ContentType=content_type)
        upload_id = created["UploadId"]
        part_bytes = max(self._settings.part_bytes, -(-size // 10_000))
        try:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:

                async def put(number: int) -> dict[str, Any]:
                    async with self._parts:
                        start = (number - 1) * part_bytes
                        answer = await self._call(
                            "upload_part",
                            key,
                            UploadId=upload_id,
                            PartNumber=number,
                            Body=bytes(view[start : start + part_bytes]),
                        )
                        return {"PartNumber": number, "ETag": answer["ETag"]}

                count = -(-size // part_bytes)
                parts = await asyncio.gather(*(put(number) for number in range(1, count + 1)))
            done = await self._call(
                "complete_multipart_upload",
                key,
                UploadId=upload_id,
                MultipartUpload={"Parts": list(parts)},
                IfNoneMatch="*",
                none_if=PRECONDITION_FAILED,
            )
        except BaseException:
            await asyncio.shield(self._abort(key, upload_id))
            raise
        return done is not None

    async def _abort(self, key: str, upload_id: str) -> None:
        try:
            await self._call("abort_multipart_upload", key, UploadId=upload_id)
        except (UnavailableError, EngineError):
            # The bucket's lifecycle rule ends incomplete uploads; the first error matters more.
            return

    async def get_bytes(self, key: str) -> bytes | None:
        """The object's bytes, None when there is no such key."""
        answer = await self._call("get_object", key, none_if=MISSING)
        if answer is None:
            return None
        try:
            async with answer["Body"] as body:
                return bytes(await body.read())
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise UnavailableError(f"s3: reading {key}: {type(error).__name__}: {error}", code="ADO-5601") from error

    async def exists(self, key: str) -> bool:
        """Whether the key exists."""
        return await self._call("head_object", key, none_if=MISSING) is not None

    async def list_keys(self, prefix: str) -> AsyncIterator[str]:
        """Keys under `prefix` in order, without the store's own prefix."""
        own = self._settings.prefix
        token: dict[str, Any] = {}
        while True:
            answer = await self._call("list_objects_v2", None, Prefix=own + prefix, **token)
            for entry in answer.get("Contents", []):
                yield str(entry["Key"]).removeprefix(own)
            if not answer.get("IsTruncated"):
                return
            token = {"ContinuationToken": answer["NextContinuationToken"]}

    async def _call(
        self, operation: str, key: str | None, *, none_if: frozenset[str] = frozenset(), **arguments: Any
    ) -> Any:
        if key is not None:
            arguments["Key"] = self._settings.prefix + key
        try:
            async with external_call("s3", operation, key=key) as call:
                try:
                    return await getattr(self._client, operation)(Bucket=self._settings.bucket, **arguments)
                except ClientError as error:
                    code = str(error.response.get("Error", {}).get("Code", ""))
                    if code not in none_if:
                        raise
                    call.fields["answer"] = code
                    return None
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code == "NoSuchBucket":
                raise EngineError(
                    f"s3: bucket {self._settings.bucket} does not exist",
                    hint="`adology up` creates it on one machine; on AWS Terraform does.",
                    code="ADO-5602",
                ) from error
            raise UnavailableError(f"s3: {operation} {key}: {code}: {error}", code="ADO-5601") from error
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise UnavailableError(f"s3: {operation} {key}: {type(error).__name__}: {error}", code="ADO-5601") from error
