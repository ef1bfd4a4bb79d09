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

from collections.abc import Sequence
from typing import Any, TypeVar

from adology.context import Context
from adology.money.calls import PaidCall
from adology.types import Struct
from adology.vendors.errors import UnusableAnswerError
from adology.vendors.openai_calls import call_openai
from adology.vendors.openai_forms import (
    MOST_TEXTS,
    Answered,
    Form,
    clean,
    data_url,
    embeddings_form,
    json_form,
    read_embeddings,
    read_json,
    read_response,
)
from adology.vendors.openai_wire import Embeddings, Moderations, Response
from adology.vendors.pictures import Detail
from adology.vendors.vectors import Embedded

__all__ = [
    "MOST_TEXTS",
    "Answered",
    "Form",
    "Moderation",
    "ask_form",
    "ask_json",
    "embed_texts",
    "json_form",
    "moderate",
    "read_json",
]

T = TypeVar("T")

MODERATION_MODEL = "omni-moderation-latest"


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
    form = embeddings_form(texts, model, dimensions)

    def read(body: Embeddings, call: PaidCall, request_id: str) -> Embedded:
        tokens = body.usage.prompt_tokens if body.usage else 0
        call.bill(model=body.model, request_id=request_id, input_tokens=tokens)
        return read_embeddings(ctx, body, len(texts), model, dimensions, request_id)

    return await call_openai(
        ctx,
        "embeddings.create",
        model,
        form.units,
        lambda client: client.embeddings.with_raw_response.create(**form.body),
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
    limit_setting: str = "",
) -> Answered[T]:
    """An answer of the shape of the Struct `schema`, validated again after the vendor's own strictness.

    `json_form` and then `ask_form`. An analyzer that can ask in batches calls these itself, and
    `read_json` where the answer comes in a batch.

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
        limit_setting: see `ask_form`.

    Raises:
        RefusedError: the model refuses.
        IncompleteError: the answer ends early.
        UnusableAnswerError: it is no JSON of that shape.
    """
    form = json_form(
        model,
        instructions,
        parts,
        schema=schema,
        schema_name=schema_name,
        max_output_tokens=max_output_tokens,
        detail=detail,
        effort=effort,
    )
    return await ask_form(ctx, form, schema=schema, limit_setting=limit_setting)


async def ask_form(ctx: Context[Any], form: Form, *, schema: type[T], limit_setting: str = "") -> Answered[T]:
    """The answer to a `json_form` that was made for `schema`.

    Args:
        ctx: the analyzer's context.
        form: the request.
        schema: the Struct that it asks for.
        limit_setting: the analyzer's setting that holds `max_output_tokens`: whoever gets an answer
            that ends early is told to raise it.

    Raises:
        RefusedError, IncompleteError, UnusableAnswerError: as `ask_json`.
    """
    model: str = form.body["model"]

    def read(body: Response, call: PaidCall, request_id: str) -> Answered[T]:
        if body.usage is not None:
            call.bill(model=body.model, request_id=request_id or body.id, **body.usage.units)
        return read_response(ctx, body, model, schema, request_id, limit_setting=limit_setting)

    return await call_openai(
        ctx,
        "responses.create",
        model,
        form.units,
        lambda client: client.responses.with_raw_response.create(**form.body),
        Response,
        read,
    )


async def moderate(
    ctx: Context[Any], *, text: str = "", picture: bytes | None = None, model: str = MODERATION_MODEL
) -> Moderation:
    """OpenAI's verdict on a text, a picture, or both as one. Free of charge, and counted as a request.

    Raises:
        ValueError: there is neither.
        UnusableAnswerError: there is no verdict in the answer.
    """
    parts: list[dict[str, Any]] = [{"type": "text", "text": clean(text)}] if text.strip() else []
    if picture is not None:
        parts.append({"type": "image_url", "image_url": {"url": data_url(picture, model)}})
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
