"""S3 for the engine: conditional writes, multipart above a threshold, flat memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from adology.errors import EngineError, UnavailableError
from adology.log import external_call
from adology.settings.model import S3Settings

PRECONDITION_FAILED = frozenset({"PreconditionFailed", "412"})
CONFLICT = frozenset({"ConditionalRequestConflict", "OperationAborted", "409"})
"""Another write of the key was under way: says nothing about whether the key exists now."""
CONFLICT_ATTEMPTS = 4
MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
NO_UPLOAD = frozenset({"NoSuchUpload", "404"})
SMALL = 1024 * 1024
"""Files up to this size are read into memory for their upload; larger ones are streamed."""
PIECE = 1024 * 1024
FAULTS = (BotoCoreError, ResponseParserError, aiohttp.ClientError, OSError, TimeoutError)
"""No usable answer: botocore wraps most, but not all, of what its HTTP client raises."""

MOST_PARTS = 10_000


class S3Store:
    """Objects of one bucket, under a prefix."""

    def __init__(self, client: Any, settings: S3Settings) -> None:
        self._client = client
        self._settings = settings
        self._parts = asyncio.Semaphore(4)

    def uri(self, key: str) -> str:
        """The ``s3://`` address of a key."""
        return f"s3://{self._settings.bucket}/{self._settings.prefix}{key}"

    def key_of(self, uri: str) -> str:
        """The key behind an address that `uri` gave.

        Raises:
            EngineError: it is an address of another bucket or prefix.
        """
        start = self.uri("")
        if not uri.startswith(start):
            raise EngineError(
                f"s3: {uri} is not under {start}", hint="Were s3.bucket or s3.prefix changed?", code="ADO-5604"
            )
        return uri.removeprefix(start)

    async def put_bytes(self, key: str, data: bytes, *, content_type: str) -> bool:
        """Store `data` unless the key exists. False if it existed."""
        return await self._once(lambda: self._put_new(key, data, content_type))

    async def put_file(self, key: str, path: Path, *, content_type: str) -> bool:
        """Store a file unless the key exists; large files go up in parts. False if it existed."""
        size = path.stat().st_size
        if size > self._settings.multipart_threshold_bytes:
            if await self.exists(key):
                return False
            return await self._once(lambda: self._put_parts(key, path, size, content_type))
        if size <= SMALL:
            return await self.put_bytes(key, path.read_bytes(), content_type=content_type)
        with path.open("rb") as file:
            return await self._once(lambda: self._put_new(key, file, content_type))

    async def _put_new(self, key: str, body: bytes | BinaryIO, content_type: str) -> bool:
        if not isinstance(body, bytes):
            body.seek(0)
        answer = await self._call(
            "put_object", key, Body=body, ContentType=content_type, IfNoneMatch="*", none_if=PRECONDITION_FAILED
        )
        return answer is not None

    async def _once(self, put: Callable[[], Awaitable[bool]]) -> bool:
        """The outcome of a conditional write; a conflict with another writer is tried again."""
        for attempt in range(1, CONFLICT_ATTEMPTS):
            try:
                return await put()
            except _ConflictError:
                await asyncio.sleep(0.05 * 2**attempt)
        return await put()

    async def _put_parts(self, key: str, path: Path, size: int, content_type: str) -> bool:
        created = await self._call("create_multipart_upload", key, ContentType=content_type)
        upload_id = created["UploadId"]
        done = None
        try:
            parts = await self._send_parts(key, path, size, upload_id)
            done = await self._call(
                "complete_multipart_upload",
                key,
                UploadId=upload_id,
                MultipartUpload={"Parts": parts},
                IfNoneMatch="*",
                none_if=PRECONDITION_FAILED,
            )
        finally:
            if done is None:
                # Parts cost money until somebody ends the upload: also where the key turned out to exist.
                await asyncio.shield(self._abort(key, upload_id))
        return done is not None

    async def _send_parts(self, key: str, path: Path, size: int, upload_id: str) -> list[dict[str, Any]]:
        part_bytes = max(self._settings.part_bytes, -(-size // MOST_PARTS))
        with path.open("rb") as file:

            async def put(number: int) -> dict[str, Any]:
                async with self._parts:
                    start = (number - 1) * part_bytes
                    body = await asyncio.to_thread(os.pread, file.fileno(), part_bytes, start)
                    if len(body) != min(part_bytes, size - start):
                        raise EngineError(f"s3: {path} changed while it went up to {key}", code="ADO-5603")
                    answer = await self._call("upload_part", key, UploadId=upload_id, PartNumber=number, Body=body)
                    return {"PartNumber": number, "ETag": answer["ETag"]}

            tasks = [asyncio.create_task(put(number)) for number in range(1, -(-size // part_bytes) + 1)]
            try:
                return await asyncio.gather(*tasks)
            finally:
                # None may still read the file, or send a part to an upload that was given up.
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

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
        except FAULTS as error:
            raise UnavailableError(f"s3: reading {key}: {type(error).__name__}: {error}", code="ADO-5601") from error

    async def get_file(self, key: str, path: Path) -> bool:
        """Write the object to `path`, piece by piece. False when there is no such key."""
        answer = await self._call("get_object", key, none_if=MISSING)
        if answer is None:
            return False
        try:
            async with answer["Body"] as body:
                with path.open("wb") as file:
                    async for piece in body.content.iter_chunked(PIECE):
                        await asyncio.to_thread(file.write, piece)
        except FAULTS as error:
            raise UnavailableError(f"s3: reading {key}: {type(error).__name__}: {error}", code="ADO-5601") from error
        return True

    async def exists(self, key: str) -> bool:
        """Whether the key exists."""
        return await self._call("head_object", key, none_if=MISSING) is not None

    async def delete(self, key: str) -> None:
        """Remove the key, if it is there. The archive never does: for what can be made again."""
        await self._call("delete_object", key)

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

    async def abort_uploads(self, prefix: str) -> int:
        """End uploads in parts under `prefix` that nobody finished; how many. Whoever is at one of them fails."""
        own, count = self._settings.prefix, 0
        marker: dict[str, Any] = {}
        while True:
            answer = await self._call("list_multipart_uploads", None, Prefix=own + prefix, **marker)
            for upload in answer.get("Uploads", []):
                key, upload_id = str(upload["Key"]).removeprefix(own), upload["UploadId"]
                gone = await self._call("abort_multipart_upload", key, UploadId=upload_id, none_if=NO_UPLOAD)
                count += gone is not None
            if not answer.get("IsTruncated"):
                return count
            marker = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}

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
            kind = _ConflictError if code in CONFLICT else UnavailableError
            raise kind(f"s3: {operation} {key}: {code}: {error}", code="ADO-5601") from error
        except FAULTS as error:
            raise UnavailableError(
                f"s3: {operation} {key}: {type(error).__name__}: {error}", code="ADO-5601"
            ) from error


class _ConflictError(UnavailableError):
    """Somebody else wrote the same key at the same moment."""
