"""OpenAI for analyzers: embeddings, structured answers about text and pictures, moderation.

``ctx.settings`` has the fields of `OpenAISettings`. Every call raises what the engine acts on:

- Deferred: a budget, or the account's quota, is used up
- RetryLater: a rate limit; calls of the same key and model wait too
- Retry: a server fault, a time-out, an answer that was lost
- ConfigError: the key, the model, the schema
- Terminal: about this item: a bad picture, too long a text, `RefusedError`, `IncompleteError`,
  `UnusableAnswerError`
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np

from adology.context import Context
from adology.errors import ConfigError, Retry
from adology.money.calls import PaidCall
from adology.types import Struct
from adology.vendors.calls import excerpt, setting_key
from adology.vendors.errors import IncompleteError, RefusedError, UnusableAnswerError
from adology.vendors.openai_calls import call_openai
from adology.vendors.openai_faults import error_of_failure
from adology.vendors.openai_wire import Embeddings, Moderations, Response
from adology.vendors.pictures import Detail, most_picture_tokens, picture_type
from adology.vendors.schema import strict_schema
from adology.vendors.vectors import Embedded, Vectors, to_unit

T = TypeVar("T")

MOST_TEXTS = 2048
"""Inputs of one embedding request (the vendor's limit)."""
PICTURES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
SCHEMA_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MODERATION_MODEL = "omni-moderation-latest"


class Answered(Struct, Generic[T], frozen=True, kw_only=True):
    """A checked answer. `model` is named as the vendor returned it; `input_tokens` has the cached ones in it."""

    value: T
    model: str
    request_id: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int


class Moderation(Struct, frozen=True, kw_only=True):
    """A verdict. `scores`: category → 0 to 1, higher = more certain; `applied`: category → what it was judged by.

    A category that is not in `applied` for pictures was not looked for in the picture.
    """

    flagged: bool
    scores: dict[str, float]
    applied: dict[str, tuple[str, ...]]
    model: str


async def embed_texts(
    ctx: Context[Any], texts: Sequence[str], model: str, *, dimensions: int | None = None
) -> Embedded:
    """Unit vectors of the texts, in their order, in one request.

    Raises:
        ValueError: no text, an empty text, or more than `MOST_TEXTS`.
        UnusableAnswerError: the vendor left one out.
        ConfigError: the vectors have another length than was asked for: they would be another space.
    """
    if not 1 <= len(texts) <= MOST_TEXTS or not all(text.strip() for text in texts):
        raise ValueError(f"embed_texts takes 1 to {MOST_TEXTS} texts that are not empty, got {len(texts)}")
    inputs = [_clean(text) for text in texts]
    options: dict[str, Any] = {} if dimensions is None else {"dimensions": dimensions}

    def read(body: Embeddings, call: PaidCall, request_id: str) -> Embedded:
        tokens = body.usage.prompt_tokens if body.usage else 0
        call.bill(model=body.model, request_id=request_id, input_tokens=tokens)
        vectors = _vectors(ctx, body, len(inputs), model, dimensions)
        return Embedded(vectors, body.model or model, tokens, request_id)

    return await call_openai(
        ctx,
        "embeddings.create",
        model,
        {"input_tokens": sum(map(_most_tokens, inputs))},
        lambda client: client.embeddings.with_raw_response.create(
            input=inputs, model=model, encoding_format="base64", **options
        ),
        Embeddings,
        read,
    )


async def ask_json(
    ctx: Context[Any],
    model: str,
    instructions: str,
    parts: Sequence[str | bytes],
    *,
    schema: type[T],
    schema_name: str = "",
    max_output_tokens: int = 2000,
    detail: Detail = "low",
    effort: str | None = None,
) -> Answered[T]:
    """An answer of the shape of the Struct `schema`, validated again after the vendor's own strictness.

    Args:
        ctx: the analyzer's context.
        model: model id.
        instructions: what to do. Nothing of the item belongs in here.
        parts: the item: texts, and pictures as bytes (PNG, JPEG, WEBP, still GIF).
        schema: the Struct; see `adology.vendors.schema` for what its fields may be.
        schema_name: shown to the model; the Struct's own name by default.
        max_output_tokens: the answer's limit, reasoning included.
        detail: how closely pictures are looked at, which decides what they cost.
        effort: how much a reasoning model is to think; None: its own default.

    Raises:
        RefusedError: the model refuses.
        IncompleteError: the answer ends early.
        UnusableAnswerError: it is no JSON of that shape.
    """
    name = schema_name or schema.__name__
    if not SCHEMA_NAME.fullmatch(name):
        raise ValueError(f"schema name {name!r} is not 1 to 64 of letters, digits, _ and -")
    shape = strict_schema(schema)
    texts = [_clean(part) for part in parts if isinstance(part, str)]
    pictures = sum(isinstance(part, bytes) for part in parts)
    estimate = _most_tokens(instructions) + sum(map(_most_tokens, texts)) + len(msgspec.json.encode(shape)) // 2
    request: dict[str, Any] = {
        "model": model,
        "instructions": _clean(instructions),
        "input": [{"role": "user", "content": [_part(part, model, detail) for part in parts]}],
        "text": {"format": {"type": "json_schema", "name": name, "strict": True, "schema": shape}},
        "max_output_tokens": max_output_tokens,
        "store": False,  # customers' ads are not kept by the vendor
    }
    if effort is not None:
        request["reasoning"] = {"effort": effort}
    return await call_openai(
        ctx,
        "responses.create",
        model,
        {
            "input_tokens": estimate + pictures * most_picture_tokens(model, detail),
            "output_tokens": max_output_tokens,
        },
        lambda client: client.responses.with_raw_response.create(**request),
        Response,
        lambda body, call, request_id: _read_answer(body, call, request_id, model, schema),
    )


async def moderate(
    ctx: Context[Any], *, text: str = "", picture: bytes | None = None, model: str = MODERATION_MODEL
) -> Moderation:
    """OpenAI's verdict on a text, a picture, or both as one. Free of charge, and counted as a request.

    Raises:
        ValueError: there is neither.
        UnusableAnswerError: there is no verdict in the answer.
    """
    parts: list[dict[str, Any]] = [{"type": "text", "text": _clean(text)}] if text.strip() else []
    if picture is not None:
        parts.append({"type": "image_url", "image_url": {"url": _data_url(picture, model)}})
    if not parts:
        raise ValueError("moderate takes a text, a picture, or both")

    def read(body: Moderations, call: PaidCall, request_id: str) -> Moderation:
        call.bill(model=body.model, request_id=body.id or request_id, requests=1)
        if len(body.results) != 1:
            raise UnusableAnswerError(f"openai: {model} gave {len(body.results)} verdicts about one item")
        row = body.results[0]
        return Moderation(
            flagged=row.flagged,
            scores={name: score for name, score in row.category_scores.items() if score is not None},
            applied={name: tuple(kinds or ()) for name, kinds in row.category_applied_input_types.items()},
            model=body.model or model,
        )

    return await call_openai(
        ctx,
        "moderations.create",
        model,
        {"requests": 1},
        lambda client: client.moderations.with_raw_response.create(input=parts, model=model),
        Moderations,
        read,
    )


# Answers


def _read_answer(body: Response, call: PaidCall, request_id: str, model: str, schema: type[T]) -> Answered[T]:
    if body.usage is not None:
        call.bill(model=body.model, request_id=request_id or body.id, **body.usage.units)
    if body.status == "failed":
        failure = body.error
        raise error_of_failure(failure.code or "" if failure else "", failure.message if failure else "", model)
    reason = (body.incomplete_details.reason or "unknown") if body.incomplete_details else "unknown"
    if body.status == "incomplete":
        hint = "Raise max_output_tokens." if reason == "max_output_tokens" else None
        raise IncompleteError(f"openai: the answer of {model} ends early: {reason}", reason=reason, hint=hint)
    if body.status != "completed":
        raise Retry(f"openai: {model} answered with a response that is {body.status}", code="ADO-3205")
    try:
        parts = body.parts()
    except msgspec.DecodeError:
        raise UnusableAnswerError(f"openai: {model} answered with a message of an unknown shape") from None
    refusal = " ".join(part.refusal for part in parts if part.type == "refusal")
    if refusal:
        raise RefusedError(f"openai: {model} refuses: {excerpt(refusal)!r}")
    text = "".join(part.text for part in parts if part.type == "output_text")
    usage = body.usage
    return Answered(
        value=_validated(text, schema, model),
        model=body.model or model,
        request_id=request_id or body.id,
        input_tokens=usage.input_tokens if usage else 0,
        cached_tokens=usage.cached_tokens if usage else 0,
        output_tokens=usage.output_tokens if usage else 0,
    )


def _validated(text: str, schema: type[T], model: str) -> T:
    try:
        return msgspec.json.decode(text, type=schema)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnusableAnswerError(
            f"openai: {model} answered with something else than a {schema.__name__} ({error}): {excerpt(text)!r}"
        ) from None


def _vectors(ctx: Context[Any], body: Embeddings, count: int, model: str, dimensions: int | None) -> Vectors:
    by_index = {row.index: row.embedding for row in body.data}
    if sorted(by_index) != list(range(count)):
        raise UnusableAnswerError(f"openai: {model} gave {len(by_index)} vectors for {count} texts")
    try:
        rows = [_floats(by_index[index]) for index in range(count)]
    except (binascii.Error, ValueError):
        raise UnusableAnswerError(f"openai: {model} gave vectors that are no base64 of float32") from None
    lengths = {len(row) for row in rows}
    wanted = dimensions or len(rows[0])
    if lengths != {wanted}:
        problem = f"{model} gave vectors of {', '.join(map(str, sorted(lengths)))} numbers, asked for {wanted}"
        hint = "They would be another space. Ask for a length that the model has."
        raise ConfigError(setting_key(ctx, "dimensions"), problem, hint, code="ADO-3209")
    unit = to_unit(np.stack(rows))
    if unit is None:
        raise UnusableAnswerError(f"openai: {model} gave a vector without direction")
    return unit


def _floats(given: str | list[float]) -> Vectors:
    if isinstance(given, str):
        return np.frombuffer(base64.b64decode(given, validate=True), dtype="<f4").astype(np.float32)
    return np.asarray(given, dtype=np.float32)


# Requests


def _part(part: str | bytes, model: str, detail: Detail) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "input_text", "text": _clean(part)}
    # Detail is always said: what the vendor takes for granted can cost a multiple.
    return {"type": "input_image", "image_url": _data_url(part, model), "detail": detail}


def _data_url(data: bytes, model: str) -> str:
    """The picture itself: the vendor could not fetch an ad's signed, expiring address."""
    return f"data:{picture_type(data, PICTURES, model)};base64,{base64.b64encode(data).decode()}"


def _clean(text: str) -> str:
    """Half characters (lone surrogates) cannot be sent."""
    return text.encode("utf-8", "replace").decode()


def _most_tokens(text: str) -> int:
    """More tokens than the text has in any language that we measured: two bytes to a token."""
    return len(text.encode("utf-8", "replace")) // 2 + 8
