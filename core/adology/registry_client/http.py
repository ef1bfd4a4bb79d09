"""The registry over HTTP: MessagePack on kept-alive connections, quick tries, then `UnavailableError`."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import NoReturn, Self, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from adology.abc.sink import ItemResult
from adology.errors import AdologyError, EngineError, UnavailableError, describe
from adology.log import external_call, logger
from adology.registry_client.protocol import (
    BrandActiveError,
    CommitLeaseLostError,
    Progress,
    StaleBatchError,
    SubmitAnswer,
    UnknownBrandError,
)

ATTEMPTS = 3
FIRST_PAUSE_S = 0.05
KEEP_IDLE_S = 30.0
"""Shorter than the registry keeps idle connections, so that none is used as it closes."""
CHUNK_BYTES = 1024 * 1024
"""Most bytes of results in one `POST /submit-many`, single larger results aside."""
PAGE = 1000
"""Brands asked for at a time."""
MSGPACK = "application/msgpack"
NO_ANSWER = "ADO-5705"

T = TypeVar("T")


class RegistryRefusedError(EngineError):
    """The registry understood the call and refuses it: too large, malformed, or not a registry."""

    code = "ADO-5710"


class _Problem(msgspec.Struct, frozen=True):
    """What we read of a refusal; empty where the answer is no problem JSON."""

    code: str = ""
    detail: str = ""
    batch_id: str = ""


class _Page(msgspec.Struct, frozen=True):
    """One page of `GET /brands`."""

    brands: list[Progress]
    next: str | None = None


class _Reply(msgspec.Struct, frozen=True):
    """An answer as bytes, before anybody judges it."""

    status: int
    body: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode_answer = msgspec.msgpack.Decoder(SubmitAnswer).decode
_decode_progress = msgspec.msgpack.Decoder(Progress).decode
_decode_page = msgspec.msgpack.Decoder(_Page).decode
_decode_results = msgspec.msgpack.Decoder(list[ItemResult]).decode
_decode_problem = msgspec.json.Decoder(_Problem).decode


class HttpRegistry:
    """`Registry` over HTTP. One per process: it holds the connection pool. Use `async with`, or `close` it.

    Connection faults and 5xx answers are tried again within `timeout_s`, which bounds the whole
    call. A repeated submit counts once; but when the answer that won the commit is lost on the way,
    nobody holds that lease until it runs out, and a later submit or start wins the next one.

    Args:
        url: the registry's address (`registry.url`).
        timeout_s: longest time for one call with all its tries, seconds.
    """

    def __init__(self, url: str, *, timeout_s: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the pool. May be called twice."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def start(self, brand: str, expected_count: int, batch_id: str) -> SubmitAnswer:
        """See `Registry.start`."""
        body = {"brand": brand, "expected_count": expected_count, "batch_id": batch_id}
        return await self._post("start", _encode(body), _decode_answer)

    async def submit(self, brand: str, batch_id: str, result: ItemResult) -> SubmitAnswer:
        """See `Registry.submit`."""
        body = {"brand": brand, "batch_id": batch_id, "result": result}
        return await self._post("submit", _encode(body), _decode_answer)

    async def submit_many(self, brand: str, batch_id: str, results: Sequence[ItemResult]) -> SubmitAnswer:
        """See `Registry.submit_many`. Sent in chunks; if any wins the commit, so does the whole call."""
        won: SubmitAnswer | None = None
        answer = SubmitAnswer()
        try:
            for chunk in _chunks([_encode(result) for result in results]):
                answer = await self._submit_chunk(brand, batch_id, chunk)
                won = answer if answer.should_commit else won
        except AdologyError:
            if won is not None:
                # The caller will never learn of the lease: give it back for the next one.
                with contextlib.suppress(AdologyError):
                    await self.release(brand, batch_id, won.lease_token)
            raise
        if won is None or won is answer:
            return answer
        return msgspec.structs.replace(answer, should_commit=True, lease_token=won.lease_token, lease_s=won.lease_s)

    async def renew(self, brand: str, batch_id: str, lease_token: str) -> None:
        """See `Registry.renew`."""
        await self._post_lease("commit-renew", brand, batch_id, lease_token)

    async def release(self, brand: str, batch_id: str, lease_token: str) -> None:
        """See `Registry.release`. A lease that is not ours any more needs no giving back."""
        with contextlib.suppress(CommitLeaseLostError):
            await self._post_lease("commit-release", brand, batch_id, lease_token)

    async def complete(self, brand: str, batch_id: str, lease_token: str = "") -> None:
        """See `Registry.complete`."""
        await self._post_lease("commit-complete", brand, batch_id, lease_token)

    async def progress(self, brand: str) -> Progress | None:
        """See `Registry.progress`."""
        reply = await self._send("GET", "brand", f"/brands/{quote(brand, safe='')}")
        if reply.status == HTTPStatus.NOT_FOUND and _problem(reply).code == UnknownBrandError.code:
            return None
        return self._read(reply, "brand", _decode_progress)

    async def results(self, brand: str, batch_id: str = "") -> list[ItemResult]:
        """See `Registry.results`; in the order in which the URLs first came. Without an id: of any batch."""
        asked = f"?batch_id={quote(batch_id, safe='')}" if batch_id else ""
        reply = await self._send("GET", "results", f"/results/{quote(brand, safe='')}{asked}")
        try:
            return self._read(reply, "results", _decode_results)
        except (UnknownBrandError, StaleBatchError):
            return []

    async def brands(self) -> list[Progress]:
        """Every active brand, by name."""
        found: list[Progress] = []
        after: str | None = ""
        while after is not None:
            reply = await self._send("GET", "brands", f"/brands?limit={PAGE}&after={quote(after, safe='')}")
            page = self._read(reply, "brands", _decode_page)
            found += page.brands
            after = page.next
        return found

    async def _submit_chunk(self, brand: str, batch_id: str, chunk: Sequence[bytes]) -> SubmitAnswer:
        body = {"brand": brand, "batch_id": batch_id, "results": [msgspec.Raw(one) for one in chunk]}
        return await self._post("submit-many", _encode(body), _decode_answer)

    async def _post_lease(self, operation: str, brand: str, batch_id: str, lease_token: str) -> None:
        body = {"brand": brand, "batch_id": batch_id, "lease_token": lease_token}
        reply = await self._send("POST", operation, f"/{operation}", _encode(body))
        if reply.status != HTTPStatus.OK:
            _refuse(reply, operation)

    async def _post(self, operation: str, body: bytes, decode: Callable[[bytes], T]) -> T:
        return self._read(await self._send("POST", operation, f"/{operation}", body), operation, decode)

    def _read(self, reply: _Reply, operation: str, decode: Callable[[bytes], T]) -> T:
        if reply.status != HTTPStatus.OK:
            _refuse(reply, operation)
        try:
            return decode(reply.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RegistryRefusedError(
                f"{self._url} answered {operation} with what no registry answers ({error}): {reply.body[:100]!r}.",
                hint="Does registry.url point to the Active Brand Registry?",
            ) from None

    async def _send(self, method: str, operation: str, path: str, body: bytes | None = None) -> _Reply:
        """The answer of any status below 500, after as many tries as it takes and the time allows.

        Raises:
            UnavailableError: no such answer; the text tells of the last try.
        """
        seen = "no answer"
        tries = 0
        try:
            async with asyncio.timeout(self._timeout_s):
                while tries < ATTEMPTS:
                    if tries:
                        pause = FIRST_PAUSE_S * 4 ** (tries - 1) * (0.5 + random.random() / 2)  # noqa: S311 - jitter
                        logger.bind(service="registry", operation=operation, attempt=tries, reason=seen).info("retry")
                        await asyncio.sleep(pause)
                    tries += 1
                    try:
                        reply = await self._once(method, operation, path, body)
                    except (aiohttp.ClientError, OSError) as error:
                        seen = describe(error)
                        continue
                    if reply.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                        return reply
                    seen = f"status {reply.status}: {_problem(reply).detail or reply.body[:100]!r}"
        except TimeoutError:
            seen = f"cut off after {self._timeout_s:g} s; before that: {seen}"
        raise UnavailableError(
            f"the registry at {self._url} could not {operation} after {tries} tries, the last: {seen}.",
            hint="Is it running, and is registry.url its address?",
            code=NO_ANSWER,
        )

    async def _once(self, method: str, operation: str, path: str, body: bytes | None) -> _Reply:
        async with (
            external_call("registry", operation) as call,
            self._pool().request(method, self._url + path, data=body) as response,
        ):
            content = await response.read()
            call.fields.update(status=response.status, bytes=len(body or b"") + len(content))
            return _Reply(response.status, content)

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(keepalive_timeout=KEEP_IDLE_S),
                timeout=aiohttp.ClientTimeout(total=None),  # _send has the only clock
                headers={"Content-Type": MSGPACK, "Accept": MSGPACK},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


def _chunks(encoded: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Results in groups of at most `CHUNK_BYTES`; an empty list is one empty group, which still asks."""
    first, size = 0, 0
    for position, one in enumerate(encoded):
        if size and size + len(one) > CHUNK_BYTES:
            yield encoded[first:position]
            first, size = position, 0
        size += len(one)
    yield encoded[first:]


def _problem(reply: _Reply) -> _Problem:
    try:
        return _decode_problem(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Problem()


def _refuse(reply: _Reply, operation: str) -> NoReturn:
    """Raise what the answer's code says.

    Raises:
        UnknownBrandError, BrandActiveError, StaleBatchError, CommitLeaseLostError: as the registry says.
        RegistryRefusedError: any other refusal.
    """
    told = _problem(reply)
    if told.code == BrandActiveError.code:
        raise BrandActiveError(told.detail, batch_id=told.batch_id)
    kind = _KINDS.get(told.code)
    if kind is not None:
        raise kind(told.detail)
    raise RegistryRefusedError(
        f"the registry refused {operation} with status {reply.status}: {told.detail or repr(reply.body[:100])}"
    )


_KINDS: dict[str, type[EngineError]] = {
    kind.code: kind for kind in (UnknownBrandError, StaleBatchError, CommitLeaseLostError)
}
