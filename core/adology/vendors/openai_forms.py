"""OpenAI's requests as JSON and what their answers mean: alike for a call and for a line of a batch."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
import numpy as np

from adology.context import Context
from adology.errors import ConfigError, Retry
from adology.types import Struct
from adology.vendors.calls import excerpt, setting_key
from adology.vendors.errors import IncompleteError, RefusedError, UnusableAnswerError
from adology.vendors.openai_faults import error_of_failure
from adology.vendors.openai_wire import Embeddings, Response
from adology.vendors.pictures import Detail, most_picture_tokens, picture_type
from adology.vendors.schema import strict_schema
from adology.vendors.vectors import Embedded, Vectors, to_unit

T = TypeVar("T")

MOST_TEXTS = 2048
"""Inputs of one embedding request (the vendor's limit)."""
PICTURES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
SCHEMA_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Form(NamedTuple):
    """A request: its JSON, and what the answer will use at most."""

    body: dict[str, Any]
    units: dict[str, float]


class Answered(Struct, Generic[T], frozen=True, kw_only=True):
    """A checked answer. `model` is named as the vendor returned it; `input_tokens` has the cached ones in it."""

    value: T
    model: str
    request_id: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int


def embeddings_form(texts: Sequence[str], model: str, dimensions: int | None = None) -> Form:
    """``POST /v1/embeddings``.

    Raises:
        ValueError: no text, an empty text, or more than `MOST_TEXTS`.
    """
    if not 1 <= len(texts) <= MOST_TEXTS or not all(text.strip() for text in texts):
        raise ValueError(f"embed_texts takes 1 to {MOST_TEXTS} texts that are not empty, got {len(texts)}")
    inputs = [clean(text) for text in texts]
    body: dict[str, Any] = {"input": inputs, "model": model, "encoding_format": "base64"}
    if dimensions is not None:
        body["dimensions"] = dimensions
    return Form(body, {"input_tokens": sum(map(_most_tokens, inputs))})


def read_embeddings(
    ctx: Context[Any], body: Embeddings, count: int, model: str, dimensions: int | None, request_id: str = ""
) -> Embedded:
    """What `embed_texts` returns, of an answer."""
    tokens = body.usage.prompt_tokens if body.usage else 0
    return Embedded(_vectors(ctx, body, count, model, dimensions), body.model or model, tokens, request_id)


def json_form(
    model: str,
    instructions: str,
    parts: Sequence[str | bytes],
    *,
    schema: type[Any],
    schema_name: str = "",
    max_output_tokens: int = 2000,
    detail: Detail = "low",
    effort: str | None = None,
) -> Form:
    """``POST /v1/responses``, as `adology.vendors.openai.ask_json` asks with these arguments.

    Raises:
        ValueError: `schema_name` is no name, or `schema` has a field that strict output cannot describe.
        Terminal: a picture is of a type that the vendor does not take.
    """
    name = schema_name or schema.__name__
    if not SCHEMA_NAME.fullmatch(name):
        raise ValueError(f"schema name {name!r} is not 1 to 64 of letters, digits, _ and -")
    shape = strict_schema(schema)
    texts = [clean(part) for part in parts if isinstance(part, str)]
    pictures = sum(isinstance(part, bytes) for part in parts)
    estimate = _most_tokens(instructions) + sum(map(_most_tokens, texts)) + len(msgspec.json.encode(shape)) // 2
    body: dict[str, Any] = {
        "model": model,
        "instructions": clean(instructions),
        "input": [{"role": "user", "content": [_part(part, model, detail) for part in parts]}],
        "text": {"format": {"type": "json_schema", "name": name, "strict": True, "schema": shape}},
        "max_output_tokens": max_output_tokens,
        "store": False,  # customers' ads are not kept by the vendor
    }
    if effort is not None:
        body["reasoning"] = {"effort": effort}
    units: dict[str, float] = {
        "input_tokens": estimate + pictures * most_picture_tokens(model, detail),
        "output_tokens": max_output_tokens,
    }
    return Form(body, units)


def read_json(ctx: Context[Any], answer: bytes, model: str, *, schema: type[T], limit_setting: str = "") -> Answered[T]:
    """The checked answer in the JSON body of a 200 to a `json_form`, for batches; `ask_json` reads as this does.

    Args:
        ctx: the analyzer's context.
        answer: the body.
        model: the model that was asked.
        schema: the Struct that was asked for.
        limit_setting: see `adology.vendors.openai.ask_form`.

    Raises:
        RefusedError: the model refuses.
        IncompleteError: the answer ends early.
        UnusableAnswerError: it is no JSON of that shape, or the body is no response at all.
        AdologyError: what a response that the vendor calls failed means, as for a call.
    """
    try:
        body = msgspec.json.decode(answer, type=Response)
    except (msgspec.DecodeError, RecursionError):
        shown = excerpt(answer[:2000].decode("utf-8", "replace"))
        raise UnusableAnswerError(f"openai: {model} answered with no response: {shown!r}") from None
    return read_response(ctx, body, model, schema, limit_setting=limit_setting)


def read_response(
    ctx: Context[Any], body: Response, model: str, schema: type[T], request_id: str = "", *, limit_setting: str = ""
) -> Answered[T]:
    """What `read_json` returns and raises, of a body that is decoded."""
    if body.status == "failed":
        failure = body.error
        raise error_of_failure(failure.code or "" if failure else "", failure.message if failure else "", model)
    if body.status == "incomplete":
        raise _incomplete(ctx, body, model, limit_setting)
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


def _incomplete(ctx: Context[Any], body: Response, model: str, limit_setting: str) -> IncompleteError:
    """Says which setting is to be raised, where the limit was the reason."""
    reason = (body.incomplete_details.reason or "unknown") if body.incomplete_details else "unknown"
    limit = setting_key(ctx, limit_setting) if limit_setting else "max_output_tokens"
    hint = f"Raise {limit}." if reason == "max_output_tokens" else None
    return IncompleteError(f"openai: the answer of {model} ends early: {reason}", reason=reason, hint=hint)


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


def _part(part: str | bytes, model: str, detail: Detail) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "input_text", "text": clean(part)}
    # Detail is always said: what the vendor takes for granted can cost a multiple.
    return {"type": "input_image", "image_url": data_url(part, model), "detail": detail}


def data_url(data: bytes, model: str) -> str:
    """The picture itself: the vendor could not fetch an ad's signed, expiring address."""
    return f"data:{picture_type(data, PICTURES, model)};base64,{base64.b64encode(data).decode()}"


def clean(text: str) -> str:
    """Half characters (lone surrogates) cannot be sent."""
    return text.encode("utf-8", "replace").decode()


def _most_tokens(text: str) -> int:
    """More tokens than the text has in any language that we measured: two bytes to a token."""
    return len(text.encode("utf-8", "replace")) // 2 + 8
