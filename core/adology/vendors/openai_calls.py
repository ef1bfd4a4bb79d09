"""One call to OpenAI: the shared client, the lane, the ledger, and errors turned into ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from adology.context import Context
from adology.errors import ConfigError, Retry, RetryLater
from adology.money.calls import PaidCall
from adology.vendors.calls import excerpt, paid_call, read_secret, setting_key
from adology.vendors.clients import get_client
from adology.vendors.errors import AnswerLostError
from adology.vendors.lanes import LANES, Lane, digest
from adology.vendors.openai_faults import error_of, error_of_connection, told_by

R = TypeVar("R")
T = TypeVar("T")

_CONNECT_S = 5.0


async def call_openai(
    ctx: Context[Any],
    operation: str,
    model: str,
    units: dict[str, float],
    request: Callable[[Any], Awaitable[Any]],
    kind: type[R],
    read: Callable[[R, PaidCall, str], T],
) -> T:
    """Sends, bills by the returned usage, and judges. `read` bills before it judges: what came was paid for."""
    client, lane = await connect(ctx, model)
    import openai  # noqa: PLC0415 - a second of import that is loaded by now

    async with paid_call(ctx, lane, "openai", operation, model, ctx.settings.openai_timeout_s, **units) as call:
        try:
            raw = await request(client)
        except openai.APIStatusError as error:
            told = told_by(error)
            ours = error_of(ctx, told, model)
            lane.note(ours)
            if not isinstance(ours, RetryLater):  # which says itself how long, and mostly less than the headers
                lane.heed(told.headers, units.get("input_tokens", 0))
            raise ours from None
        except openai.APIConnectionError as error:
            raise error_of_connection(error, model) from None
        lane.heed(raw.headers, units.get("input_tokens", 0) + units.get("output_tokens", 0))
        body = decode(raw, kind, model)
        try:
            return read(body, call, raw.headers.get("x-request-id", ""))
        except Retry as error:
            lane.note(error)
            raise


async def connect(ctx: Context[Any], model: str) -> tuple[Any, Lane]:
    """The client of the settings' key, and the lane where its calls to that model queue."""
    settings = ctx.settings
    key = (await read_secret(ctx, "openai_api_key")).strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError(
            setting_key(ctx, "openai_api_key"), "the value cannot be a key", "It has odd characters.", code="ADO-3208"
        )
    url: str = settings.openai_base_url
    if url and not url.startswith(("http://", "https://")):
        # Not shown: a key that was written into the wrong field would be.
        raise ConfigError(setting_key(ctx, "openai_base_url"), "is no http(s) address", code="ADO-3209")
    credential = digest(key, url)
    try:
        client = await get_client(f"openai:{credential}", lambda: asyncio.to_thread(_make_client, key, url))
    except ImportError:
        hint = "Install it: pip install openai."
        raise ConfigError(f"analyzers.{ctx.plugin}", "needs the package openai", hint, code="ADO-3210") from None
    # Time-outs differ by analyzer, connections are shared.
    client = client.with_options(timeout=timeout_of(settings.openai_timeout_s))
    return client, LANES.get("openai", credential, model, calls_per_minute=settings.openai_calls_per_minute)


def _make_client(key: str, url: str) -> Any:
    import openai  # noqa: PLC0415 - a second of import that most processes never need

    # The engine owns the retries: the SDK's would come on top, and it repeats an exhausted quota too.
    return openai.AsyncOpenAI(api_key=key, base_url=url or None, max_retries=0)


def timeout_of(seconds: float) -> Any:
    """The client's time-outs."""
    import openai  # noqa: PLC0415 - loaded by now

    # A little longer than `paid_call` waits: who gives up first is then no matter of chance.
    return openai.Timeout(seconds + 1, connect=min(seconds, _CONNECT_S))


def decode(raw: Any, kind: type[R], model: str) -> R:
    """A 200's body. A proxy's page in its place does not say whether the vendor did the work."""
    try:
        return msgspec.json.decode(raw.content, type=kind)
    except (msgspec.DecodeError, RecursionError):
        shown = excerpt(raw.content[:2000].decode("utf-8", "replace"))
        kind_of = raw.headers.get("content-type", "no content type")
        raise AnswerLostError(
            Retry(f"openai: {model} answered 200 with {kind_of} that is no answer: {shown!r}", code="ADO-3205")
        ) from None
