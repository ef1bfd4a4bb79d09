"""Amazon Bedrock for analyzers: vectors of pictures and texts in one space.

``ctx.settings`` has the fields of `BedrockSettings`. Models: Titan Multimodal Embeddings
(``amazon.titan-embed-image-v1``) and Nova Multimodal Embeddings
(``amazon.nova-2-multimodal-embeddings-v1:0``). Vectors of different models, dimensions or purposes
are not comparable. Calls raise what `adology.vendors.openai` lists.
"""

from __future__ import annotations

import asyncio
import base64
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

import aiohttp
import msgspec
import numpy as np

from adology.context import Context
from adology.errors import ConfigError, Retry, Terminal
from adology.money.calls import PaidCall
from adology.types import Struct
from adology.vendors.bedrock_faults import error_of, error_of_connection
from adology.vendors.bedrock_models import find_model
from adology.vendors.calls import excerpt, paid_call, read_secret, setting_key
from adology.vendors.clients import get_client
from adology.vendors.errors import AnswerLostError, UnusableAnswerError
from adology.vendors.lanes import LANES, Lane, digest
from adology.vendors.pictures import picture_type
from adology.vendors.vectors import Embedded, to_unit

Purpose = Literal[
    "GENERIC_INDEX", "GENERIC_RETRIEVAL", "TEXT_RETRIEVAL", "IMAGE_RETRIEVAL", "CLASSIFICATION", "CLUSTERING"
]
"""What a Nova vector is for: GENERIC_INDEX for all that is stored, a RETRIEVAL for queries. Titan has no such thing."""

MOST_BODY_BYTES = 25_000_000
POOL = 64
TITAN_PICTURES = frozenset({"image/png", "image/jpeg"})
NOVA_PICTURES = TITAN_PICTURES | {"image/gif", "image/webp"}
_CONNECT_S = 5.0


class TitanAnswer(Struct, frozen=True, kw_only=True):
    """Titan's body. `message` is an error that comes with status 200."""

    embedding: list[float] | None = None
    inputTextTokenCount: int | None = None  # noqa: N815 - the vendor's spelling
    message: str | None = None


class NovaVector(Struct, frozen=True, kw_only=True):
    """One of Nova's vectors."""

    embedding: list[float]


class NovaAnswer(Struct, frozen=True, kw_only=True):
    """Nova's body."""

    embeddings: list[NovaVector]


async def embed_image(
    ctx: Context[Any], model: str, picture: bytes, *, dimensions: int = 1024, purpose: Purpose = "GENERIC_INDEX"
) -> Embedded:
    """The unit vector of a picture. Titan takes PNG and JPEG of at most 2048 pixels a side, Nova also GIF and WEBP.

    Raises:
        Terminal: the picture is of another type, too large, or the model cannot work on it.
        ConfigError: `dimensions` is none of the model's.
    """
    is_nova = _is_nova(ctx, model, dimensions)
    kind = picture_type(picture, NOVA_PICTURES if is_nova else TITAN_PICTURES, model)
    encoded = base64.b64encode(picture).decode()
    source = {"format": kind.removeprefix("image/"), "detailLevel": "STANDARD_IMAGE", "source": {"bytes": encoded}}
    body = (
        _nova(purpose, dimensions, image=source)
        if is_nova
        else {"inputImage": encoded, "embeddingConfig": {"outputEmbeddingLength": dimensions}}
    )
    return await _invoke(ctx, model, body, dimensions, images=1)


async def embed_text(
    ctx: Context[Any], model: str, text: str, *, dimensions: int = 1024, purpose: Purpose = "TEXT_RETRIEVAL"
) -> Embedded:
    """The unit vector of a text, in the space of the model's pictures.

    Titan takes 256 tokens of English; Nova shortens at the end what is too long.

    Raises:
        ValueError: the text is empty.
    """
    if not text.strip():
        raise ValueError("embed_text takes a text that is not empty")
    text = text.encode("utf-8", "replace").decode()
    body = (
        _nova(purpose, dimensions, text={"truncationMode": "END", "value": text})
        if _is_nova(ctx, model, dimensions)
        else {"inputText": text, "embeddingConfig": {"outputEmbeddingLength": dimensions}}
    )
    return await _invoke(ctx, model, body, dimensions, input_tokens=len(text.encode()) // 2 + 8)


def _is_nova(ctx: Context[Any], model: str, dimensions: int) -> bool:
    found = find_model(model)
    if found is None:
        problem = f"{model!r} is no model whose requests are known here"
        raise ConfigError(
            setting_key(ctx, "model"), problem, "Known: Titan and Nova multimodal embeddings.", code="ADO-3209"
        )
    if dimensions not in found.lengths:
        problem = f"{model} has no vectors of {dimensions} numbers"
        raise ConfigError(
            setting_key(ctx, "dimensions"), problem, f"Allowed: {', '.join(map(str, found.lengths))}.", code="ADO-3209"
        )
    return found.family == "nova"


def _nova(purpose: Purpose, dimensions: int, **content: Any) -> dict[str, Any]:
    params = {"embeddingPurpose": purpose, "embeddingDimension": dimensions, **content}
    return {
        "schemaVersion": "nova-multimodal-embed-v1",
        "taskType": "SINGLE_EMBEDDING",
        "singleEmbeddingParams": params,
    }


async def _invoke(ctx: Context[Any], model: str, body: dict[str, Any], dimensions: int, **units: float) -> Embedded:
    """One call: sent, billed, judged."""
    data = msgspec.json.encode(body)
    if len(data) > MOST_BODY_BYTES:
        raise Terminal(f"bedrock: {len(data)} bytes for {model}, at most {MOST_BODY_BYTES} are taken", code="ADO-3204")
    client, lane = await _connect(ctx, model)
    timeout_s = ctx.settings.bedrock_timeout_s
    async with paid_call(ctx, lane, "bedrock", "invoke_model", model, timeout_s, **units) as call:
        answer, headers = await _send(ctx, client, lane, model, data)
        request_id = headers.get("x-amzn-requestid", "")
        return _read(ctx, call, answer, headers, model, dimensions, request_id, units)


async def _send(ctx: Context[Any], client: Any, lane: Lane, model: str, data: bytes) -> tuple[bytes, dict[str, str]]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - loaded by now

    try:
        response = await client.invoke_model(
            modelId=model, body=data, contentType="application/json", accept="application/json"
        )
        async with response["body"] as stream:  # closes the connection when reading ends early
            answer = await stream.read()
    except ClientError as error:
        ours = error_of(ctx, error.response, model)
        lane.note(ours)
        raise ours from None
    except (BotoCoreError, aiohttp.ClientError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        raise error_of_connection(ctx, error, model) from None
    return answer, response["ResponseMetadata"].get("HTTPHeaders", {})


def _read(
    ctx: Context[Any],
    call: PaidCall,
    answer: bytes,
    headers: dict[str, str],
    model: str,
    dimensions: int,
    request_id: str,
    units: dict[str, float],
) -> Embedded:
    vector, tokens = _take_apart(answer, model)
    tokens = tokens if tokens is not None else _header_count(headers)
    billed = {**units, "input_tokens": tokens} if tokens is not None else units
    call.bill(model=model, request_id=request_id, **billed)
    if not vector:
        raise UnusableAnswerError(f"bedrock: {model} answered without a vector")
    if len(vector) != dimensions:
        problem = f"{model} gave a vector of {len(vector)} numbers, asked for {dimensions}"
        raise ConfigError(setting_key(ctx, "dimensions"), problem, "It would be another space.", code="ADO-3209")
    unit = to_unit(np.asarray([vector], dtype=np.float32))
    if unit is None:
        raise UnusableAnswerError(f"bedrock: {model} gave a vector without direction")
    return Embedded(unit, model, int(tokens or 0), request_id)


def _take_apart(answer: bytes, model: str) -> tuple[list[float] | None, int | None]:
    """Vector and tokens.

    Raises:
        Terminal: Titan says in a 200 that it failed.
        AnswerLostError: no answer of the model at all, a proxy's page say.
    """
    try:
        if "nova" in model:
            found = msgspec.json.decode(answer, type=NovaAnswer)
            return (found.embeddings[0].embedding if found.embeddings else None), None
        titan = msgspec.json.decode(answer, type=TitanAnswer)
    except (msgspec.DecodeError, RecursionError):
        shown = excerpt(answer[:2000].decode("utf-8", "replace"))
        said = Retry(f"bedrock: {model} answered 200 with what is no answer: {shown!r}", code="ADO-3205")
        raise AnswerLostError(said) from None
    if titan.message:
        raise Terminal(f"bedrock: {model} answered 200 with an error: {excerpt(titan.message)!r}", code="ADO-3204")
    return titan.embedding, titan.inputTextTokenCount


def _header_count(headers: dict[str, str]) -> int | None:
    text = headers.get("x-amzn-bedrock-input-token-count", "")
    return int(text) if text.isascii() and text.isdigit() else None


async def _connect(ctx: Context[Any], model: str) -> tuple[Any, Lane]:
    settings = ctx.settings
    key_id = secret = ""
    if settings.bedrock_access_key_id:
        key_id = await read_secret(ctx, "bedrock_access_key_id")
        secret = await read_secret(ctx, "bedrock_secret_access_key")
    timeout_s: float = settings.bedrock_timeout_s
    credential = digest(settings.bedrock_region, settings.bedrock_endpoint_url, key_id, secret)
    client = await get_client(
        f"bedrock:{credential}:{timeout_s:g}",
        lambda: asyncio.to_thread(_make_client, settings, key_id, secret, timeout_s),
    )
    return client, LANES.get(
        "bedrock", credential, model, calls_per_minute=settings.bedrock_calls_per_minute, quota_per_model=True
    )


def _make_client(settings: Any, key_id: str, secret: str, timeout_s: float) -> AbstractAsyncContextManager[Any]:
    import aioboto3  # noqa: PLC0415 - half a second of import that most processes never need
    from botocore.config import Config  # noqa: PLC0415 - as above

    options: dict[str, Any] = {"region_name": settings.bedrock_region}
    if settings.bedrock_endpoint_url:
        options["endpoint_url"] = settings.bedrock_endpoint_url
    if key_id:
        options["aws_access_key_id"], options["aws_secret_access_key"] = key_id, secret
    config = Config(
        # The engine owns the retries: botocore's would come on top.
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=min(timeout_s, _CONNECT_S),
        read_timeout=timeout_s + 1,  # a little longer than `paid_call` waits: who gives up first is then clear
        max_pool_connections=POOL,
    )
    client: AbstractAsyncContextManager[Any] = aioboto3.Session().client("bedrock-runtime", config=config, **options)
    return client
