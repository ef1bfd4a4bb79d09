"""OpenAI's Batch API: files of requests, answered within a day for half the price.

Nothing here touches the ledger: a batch is reserved as a whole before it is created, and settled
when it ends. Every function raises what `adology.vendors.openai` raises; `GoneError` where the
vendor does not have the file or batch any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from adology.context import Context
from adology.errors import AdologyError, Retry, Terminal
from adology.log import external_call
from adology.types import Struct
from adology.vendors.calls import excerpt
from adology.vendors.errors import AnswerLostError
from adology.vendors.openai_calls import connect, decode, timeout_of
from adology.vendors.openai_faults import Told, error_of, error_of_connection, told_by
from adology.vendors.openai_wire import EmbeddingUsage, Usage

T = TypeVar("T")

SERVICE = "openai-batch"
"""As the ledger and the price table name it."""
ENDPOINTS = frozenset({"/v1/embeddings", "/v1/responses", "/v1/moderations"})
MARK = "adology"
"""The metadata that holds our id."""
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
CALL_S = 60.0
UPLOAD_S = 600.0
INPUT_KEPT_S = 3 * 24 * 3600
"""Files of requests are deleted once their batch ends; by the vendor itself where nobody does."""
MOST_LINE_BYTES = 16 * 1024 * 1024
_ABOUT = "the Batch API"
_PAGE = 100
_MOST_PAGES = 100
_CLOCKS_APART = timedelta(hours=1)


class GoneError(Terminal):
    """The vendor has no such file or batch."""

    code = "ADO-3211"


class Counts(Struct, frozen=True, kw_only=True):
    """Requests of a batch as the vendor counts them."""

    total: int = 0
    completed: int = 0
    failed: int = 0


class Problem(Struct, frozen=True, kw_only=True):
    """Why a batch failed as a whole."""

    code: str | None = None
    message: str | None = None


class Problems(Struct, frozen=True, kw_only=True):
    """All of them."""

    data: list[Problem] | None = None


class VendorState(Struct, frozen=True, kw_only=True):
    """A batch as the vendor shows it."""

    id: str
    status: str
    created_at: float = 0
    output_file_id: str | None = None
    error_file_id: str | None = None
    request_counts: Counts | None = None
    metadata: dict[str, str] | None = None
    errors: Problems | None = None

    @property
    def mark(self) -> str:
        """Our id; empty for a batch that is not ours."""
        return (self.metadata or {}).get(MARK, "")

    @property
    def why(self) -> str:
        """The first of its problems, in the vendor's words."""
        problems = (self.errors.data if self.errors else None) or []
        return "; ".join(excerpt(f"{one.code}: {one.message}") for one in problems[:1])


class Line(Struct, frozen=True, kw_only=True):
    """One answer of an output or error file."""

    custom_id: str
    response: LineResponse | None = None
    error: Problem | None = None


class LineResponse(Struct, frozen=True, kw_only=True):
    """The answer as a call would have got it."""

    status_code: int
    request_id: str | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")


class _File(Struct, frozen=True, kw_only=True):
    id: str


class _Page(Struct, frozen=True, kw_only=True):
    data: list[VendorState]
    has_more: bool = False


def request_line(custom_id: str, endpoint: str, body: dict[str, Any]) -> bytes:
    """One line of an input file, with its line break."""
    asked = {"custom_id": custom_id, "method": "POST", "url": endpoint, "body": body}
    return msgspec.json.encode(asked) + b"\n"


async def upload(ctx: Context[Any], path: Path, name: str) -> str:
    """The id of the input file at the vendor, which deletes it after three days by itself."""
    expires = {"anchor": "created_at", "seconds": INPUT_KEPT_S}
    data = await asyncio.to_thread(path.read_bytes)
    made = await _call(
        ctx,
        "files.create",
        lambda client: client.files.with_raw_response.create(
            file=(name, data, "application/jsonl"), purpose="batch", expires_after=expires
        ),
        _File,
        timeout_s=UPLOAD_S,
    )
    return made.id


async def create(ctx: Context[Any], endpoint: str, input_file_id: str, our_id: str) -> VendorState:
    """A new batch of the requests in the file.

    Raises:
        AnswerLostError: it may exist or not: look for it before another is made.
    """
    return await _call(
        ctx,
        "batches.create",
        lambda client: client.batches.with_raw_response.create(
            completion_window="24h", endpoint=endpoint, input_file_id=input_file_id, metadata={MARK: our_id}
        ),
        VendorState,
        lost_is_told=True,
    )


async def look(ctx: Context[Any], vendor_id: str) -> VendorState:
    """How the batch is."""
    return await _call(
        ctx, "batches.retrieve", lambda client: client.batches.with_raw_response.retrieve(vendor_id), VendorState
    )


async def find(ctx: Context[Any], our_id: str, since: datetime) -> list[VendorState]:
    """The vendor's batches that were created for ours, which is as old as `since`; oldest first."""
    oldest = (since - _CLOCKS_APART).timestamp()
    found: list[VendorState] = []
    after: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        page = await _call(
            ctx,
            "batches.list",
            lambda client, after=after: client.batches.with_raw_response.list(limit=_PAGE, **after),  # type: ignore[misc]  # bound now
            _Page,
        )
        found += [one for one in page.data if one.mark == our_id]
        if not page.has_more or not page.data or page.data[-1].created_at < oldest:
            break
        after = {"after": page.data[-1].id}
    return found[::-1]


async def cancel(ctx: Context[Any], vendor_id: str) -> None:
    """Stop a batch; what it has answered by then is charged."""
    await _call(ctx, "batches.cancel", lambda client: client.batches.with_raw_response.cancel(vendor_id), VendorState)


async def delete_file(ctx: Context[Any], file_id: str) -> None:
    """Delete a file; no harm if it is gone."""
    try:
        await _call(ctx, "files.delete", lambda client: client.files.with_raw_response.delete(file_id), _File)
    except GoneError:
        return


async def read_lines(ctx: Context[Any], file_id: str) -> AsyncIterator[bytes]:
    """The lines of a file, as they come; of one that is longer than any answer, its beginning.

    Raises:
        GoneError: the vendor has no such file any more.
        Retry: the download broke off.
    """
    client, lane = await connect(ctx, _ABOUT)
    await lane.enter()
    import openai  # noqa: PLC0415 - a second of import that is loaded by now

    rest = b""
    try:
        async with (
            external_call("openai", "files.content", file=file_id),
            client.with_options(timeout=timeout_of(CALL_S)).files.with_streaming_response.content(file_id) as answer,
        ):
            async for chunk in _chunks(answer):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield line
                # An endless line: the first piece is no JSON, nor are those that follow.
                if len(rest) > MOST_LINE_BYTES:
                    yield rest
                    rest = b""
    except openai.APIStatusError as error:
        raise _error_of(ctx, told_by(error)) from None
    except openai.APIConnectionError as error:
        raise _ours(error_of_connection(error, _ABOUT)) from None
    if rest:
        yield rest


async def _chunks(answer: Any) -> AsyncIterator[bytes]:
    chunks = answer.iter_bytes()
    while True:
        try:
            chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except Exception as error:  # noqa: BLE001 - the SDK lets its transport's own errors through here
            raise Retry(f"openai: a download broke off ({type(error).__name__})", code="ADO-3205") from None
        yield chunk


def line_error(ctx: Context[Any], status: int, body: bytes, model: str) -> AdologyError:
    """What the engine is to do about the error answer of one request: as if it had been a call."""
    try:
        whole = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        whole = {}
    error = whole.get("error")
    given = error if isinstance(error, dict) else {}
    told = Told(
        status=status,
        code=str(given.get("code") or ""),
        kind=str(given.get("type") or ""),
        param=str(given.get("param") or ""),
        message=excerpt(str(given.get("message") or body[:500].decode("utf-8", "replace"))),
        headers={},
    )
    return error_of(ctx, told, model)


class _Used(Struct, frozen=True, kw_only=True):
    model: str = ""
    usage: msgspec.Raw = msgspec.Raw(b"null")


def used_by(endpoint: str, body: bytes) -> tuple[str, dict[str, float]]:
    """The model of an answer, as the vendor returned it, and the units that are billed."""
    try:
        used = msgspec.json.decode(body, type=_Used)
        if endpoint == "/v1/moderations":
            return used.model, {"requests": 1.0}
        if endpoint == "/v1/embeddings":
            embedded = msgspec.json.decode(used.usage, type=EmbeddingUsage | None)
            return used.model, {"input_tokens": float(embedded.prompt_tokens)} if embedded else {}
        answered = msgspec.json.decode(used.usage, type=Usage | None)
    except (msgspec.DecodeError, RecursionError):
        return "", {}
    return used.model, dict(answered.units) if answered else {}


# One call


async def _call(
    ctx: Context[Any],
    operation: str,
    request: Callable[[Any], Awaitable[Any]],
    kind: type[T],
    *,
    timeout_s: float = CALL_S,
    lost_is_told: bool = False,
) -> T:
    client, lane = await connect(ctx, _ABOUT)
    await lane.enter()
    import openai  # noqa: PLC0415 - a second of import that is loaded by now

    try:
        async with external_call("openai", operation), asyncio.timeout(timeout_s):
            raw = await request(client.with_options(timeout=timeout_of(timeout_s)))
            return decode(raw, kind, _ABOUT)
    except openai.APIStatusError as error:
        ours = _error_of(ctx, told_by(error))
        lane.note(ours)
        if lost_is_told and error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise AnswerLostError(ours) from None
        raise ours from None
    except openai.APIConnectionError as error:
        lost = error_of_connection(error, _ABOUT)
        raise (lost if lost_is_told else _ours(lost)) from None
    except AnswerLostError as lost:
        raise (lost if lost_is_told else lost.because) from None
    except TimeoutError:
        late = Retry(f"openai: no answer to {operation} within {timeout_s:g} s", code="ADO-3205")
        raise (AnswerLostError(late) if lost_is_told else late) from None


def _error_of(ctx: Context[Any], told: Told) -> AdologyError:
    if told.status == HTTPStatus.NOT_FOUND:
        return GoneError(f"openai: there is no such file or batch: {told.message!r}")
    return error_of(ctx, told, _ABOUT)


def _ours(error: AdologyError | AnswerLostError) -> AdologyError:
    return error.because if isinstance(error, AnswerLostError) else error
