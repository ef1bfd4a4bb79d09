"""AWS's own client works against the stand-in unchanged, so the stand-in speaks as the vendor does."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aioboto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.unit.vendors.rig import picture
from upstreams.bedrock import ACCESS_KEY_ID, NOVA, SECRET_ACCESS_KEY, TITAN, BedrockServer
from upstreams.faults import Fault

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server() -> AsyncIterator[BedrockServer]:
    async with BedrockServer() as started:
        yield started


@pytest.fixture
async def client(server: BedrockServer) -> AsyncIterator[Any]:
    options = {"aws_access_key_id": ACCESS_KEY_ID, "aws_secret_access_key": SECRET_ACCESS_KEY}
    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    async with aioboto3.Session().client(
        "bedrock-runtime", region_name="eu-west-1", endpoint_url=server.origin, config=config, **options
    ) as made:
        yield made


async def _invoke(client: Any, model: str, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    response = await client.invoke_model(
        modelId=model, body=json.dumps(body), contentType="application/json", accept="application/json"
    )
    async with response["body"] as stream:
        return json.loads(await stream.read()), response["ResponseMetadata"]


def _titan(**given: Any) -> dict[str, Any]:
    return {"inputImage": base64.b64encode(picture()).decode(), **given}


def _nova(**content: Any) -> dict[str, Any]:
    params = {"embeddingPurpose": "GENERIC_INDEX", "embeddingDimension": 256, **content}
    return {
        "schemaVersion": "nova-multimodal-embed-v1",
        "taskType": "SINGLE_EMBEDDING",
        "singleEmbeddingParams": params,
    }


async def test_titan_answers_with_one_vector_beside_an_empty_message(client: Any) -> None:
    body, about = await _invoke(client, TITAN, _titan(inputText="red shoes"))
    assert len(body["embedding"]) == 1024
    assert body["inputTextTokenCount"] == 3
    assert body["message"] is None
    assert about["RequestId"]
    assert about["HTTPHeaders"]["x-amzn-bedrock-input-token-count"] == "3"
    alone, _ = await _invoke(client, TITAN, _titan(embeddingConfig={"outputEmbeddingLength": 256}))
    assert len(alone["embedding"]) == 256
    assert alone["inputTextTokenCount"] is None


async def test_novas_vector_lies_deeper_and_its_id_has_a_colon(client: Any, server: BedrockServer) -> None:
    image = {"format": "png", "detailLevel": "STANDARD_IMAGE", "source": {"bytes": _titan()["inputImage"]}}
    body, _ = await _invoke(client, NOVA, _nova(image=image))
    assert list(body) == ["embeddings"]
    assert body["embeddings"][0]["embeddingType"] == "IMAGE"
    assert len(body["embeddings"][0]["embedding"]) == 256
    text, _ = await _invoke(client, NOVA, _nova(text={"truncationMode": "END", "value": "red shoes"}))
    assert text["embeddings"][0]["embeddingType"] == "TEXT"
    assert {request.credential for request in server.requests} == {"header"}


@pytest.mark.parametrize(
    ("kind", "name", "status"),
    [
        ("throttling", "ThrottlingException", 429),
        ("not_ready", "ModelNotReadyException", 429),
        ("unavailable", "ServiceUnavailableException", 503),
        ("internal", "InternalServerException", 500),
        ("model_timeout", "ModelTimeoutException", 408),
        ("model_error", "ModelErrorException", 424),
        ("validation", "ValidationException", 400),
        ("quota", "ServiceQuotaExceededException", 400),
        ("access_denied", "AccessDeniedException", 403),
        ("not_found", "ResourceNotFoundException", 404),
    ],
)
async def test_an_error_is_the_clients_own(
    client: Any, server: BedrockServer, kind: str, name: str, status: int
) -> None:
    server.faults.add(Fault(kind=kind))
    with pytest.raises(getattr(client.exceptions, name)) as caught:
        await _invoke(client, TITAN, _titan())
    assert caught.value.response["Error"]["Code"] == name
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    if kind == "model_error":
        assert caught.value.response["originalStatusCode"] == 500


async def test_the_clients_own_retries_leave_model_errors_alone(server: BedrockServer) -> None:
    attempts = {}
    for kind in ("model_error", "model_timeout"):
        server.reset()
        server.faults.add(Fault(kind=kind, times=-1))
        async with aioboto3.Session().client(
            "bedrock-runtime",
            region_name="eu-west-1",
            endpoint_url=server.origin,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
            config=Config(retries={"mode": "standard"}),
        ) as client:
            with pytest.raises(ClientError):
                await _invoke(client, TITAN, _titan())
        attempts[kind] = len(server.requests)
    assert attempts == {"model_error": 1, "model_timeout": 1}


@pytest.mark.parametrize(
    ("model", "body", "words"),
    [
        (TITAN, {"embeddingConfig": {"outputEmbeddingLength": 256}}, "at least one of"),
        (TITAN, _titan(embeddingConfig={"outputEmbeddingLength": 512}), "512 is not a valid enum value"),
        (TITAN, {"inputImage": "data:image/png;base64,AAAA"}, "not valid base64"),
        (TITAN, _titan(input="x"), r"extraneous key \[input\]"),
        (TITAN, {"inputText": "x" * 2000}, "maximum is 256"),
        (NOVA, _nova(), "Exactly one of"),
        (NOVA, _nova(text={"value": "x"}), "truncationMode"),
        (NOVA, _nova(text={"truncationMode": "END", "value": "x"}, embeddingDimension=512), "512"),
        (NOVA, _nova(text={"truncationMode": "END", "value": "x"}, embeddingPurpose="ANY"), "embeddingPurpose"),
        ("amazon.titan-embed-image-v9", _titan(), "model identifier is invalid"),
    ],
)
async def test_what_a_model_does_not_take_is_a_validation_error(
    client: Any, server: BedrockServer, model: str, body: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=words) as caught:
        await _invoke(client, model, body)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert not server.charges.counts


async def test_a_strangers_key_is_refused(server: BedrockServer) -> None:
    async with aioboto3.Session().client(
        "bedrock-runtime",
        region_name="eu-west-1",
        endpoint_url=server.origin,
        aws_access_key_id="AKIASOMEBODYELSE0000",
        aws_secret_access_key="x" * 40,
    ) as client:
        with pytest.raises(ClientError, match="security token"):
            await _invoke(client, TITAN, _titan())
