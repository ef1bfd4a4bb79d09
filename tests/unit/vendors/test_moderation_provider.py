"""The safety analyzers with OpenAI's moderation besides the local result."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adology import Ad, AdItem, ConfigError, Deferred, MediaItem, Needs, Retry, RetryLater
from adology_safety import CopySafetyAnalyzer, CopySafetySettings, Moderated, SafetyAnalyzer, SafetySettings
from tests.unit.analyzers.media_files import film, scene
from tests.unit.vendors.rig import Rig, error_of
from upstreams.faults import Fault
from upstreams.openai import OpenAiServer

pytestmark = pytest.mark.anyio

OF_PICTURES = {"self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "violence", "violence/graphic"}


def creatives(server: OpenAiServer, **settings: Any) -> Rig:
    return Rig(server, plugin="safety", kind=SafetySettings, provider="openai", **settings)


def copies(server: OpenAiServer, **settings: Any) -> Rig:
    return Rig(server, plugin="safety_copy", kind=CopySafetySettings, provider="openai", **settings)


def item(path: Path) -> MediaItem:
    return MediaItem(sha256="0" * 64, path=path, kind="image", content_type="image/png", size_bytes=1)


def ad(*bodies: str) -> AdItem:
    return AdItem(ad=Ad(id="1", bodies=bodies))


async def test_a_picture_is_judged_by_both_and_neither_changes_the_other(
    openai_server: OpenAiServer, tmp_path: Path
) -> None:
    scene().save(tmp_path / "a.png")
    local = await SafetyAnalyzer().analyze(Rig(plugin="safety", kind=SafetySettings).ctx, item(tmp_path / "a.png"))
    rig = creatives(openai_server)
    both = await SafetyAnalyzer().analyze(rig.ctx, item(tmp_path / "a.png"))
    said = both.moderation
    assert said is not None
    assert (local.score, local.level, local.moderation) == (both.score, both.level, None)
    assert (said.provider, said.model, said.looked_at) == ("openai", "omni-moderation-2024-09-26", 1)
    assert {judged.category for judged in said.categories} == OF_PICTURES
    assert {judged.by for judged in said.categories} == {("image",)}
    assert "hate" in said.unjudged
    scores = [judged.score for judged in said.categories]
    assert scores == sorted(scores, reverse=True)
    assert (rig.bill.units, rig.bill.cost_usd) == ({"requests": 1}, Decimal(0))


async def test_of_a_film_the_highest_score_counts_with_its_time(openai_server: OpenAiServer, tmp_path: Path) -> None:
    path = film(tmp_path / "x.mp4", [scene(160, 120, seed=i // 5) for i in range(20)], fps=10)
    rig = creatives(openai_server, frames=4)
    result = await SafetyAnalyzer().analyze(rig.ctx, item(path))
    assert result.moderation is not None
    assert result.moderation.looked_at == len(rig.calls) == 4
    times = {frame.time_s for frame in result.frames}
    assert {judged.time_s for judged in result.moderation.categories} <= times
    assert len({judged.time_s for judged in result.moderation.categories}) > 1, "by category, not by frame"


async def test_a_picture_that_the_vendor_will_not_judge_is_counted(openai_server: OpenAiServer, tmp_path: Path) -> None:
    path = film(tmp_path / "x.mp4", [scene(160, 120, seed=i // 5) for i in range(20)], fps=10)
    openai_server.faults.add(Fault(kind="bad_image", times=1, after=1))
    result = await SafetyAnalyzer().analyze(creatives(openai_server, frames=3).ctx, item(path))
    assert result.moderation is not None
    assert (result.moderation.looked_at, result.moderation.refused) == (2, 1)
    openai_server.faults.add(Fault(kind="bad_image", times=-1))
    result = await SafetyAnalyzer().analyze(creatives(openai_server, frames=3).ctx, item(path))
    assert result.moderation == Moderated(
        provider="openai", model="omni-moderation-latest", flagged=False, looked_at=0, refused=3
    )


async def test_copy_is_judged_by_rules_and_by_the_vendor(openai_server: OpenAiServer) -> None:
    rig = copies(openai_server)
    result = await CopySafetyAnalyzer().analyze(rig.ctx, ad("Knives that kill any onion.", "Play poker"))
    said = result.moderation
    assert said is not None
    assert said.flagged
    assert (said.categories[0].category, said.categories[0].score, said.categories[0].by) == (
        "violence",
        0.97,
        ("text",),
    )
    assert said.unjudged == ()
    assert {risk.category for risk in result.risks} == {"gambling"}
    assert openai_server.asked[0]["input"] == [{"type": "text", "text": "Knives that kill any onion.\nPlay poker"}]


async def test_a_long_text_is_cut_and_says_so(openai_server: OpenAiServer) -> None:
    result = await CopySafetyAnalyzer().analyze(copies(openai_server).ctx, ad("word " * 3000))
    assert result.moderation is not None
    assert result.moderation.truncated
    assert len(openai_server.asked[0]["input"][0]["text"]) == 8000


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(kind="rate_429", seconds=30), RetryLater),
        (Fault(kind="error_503"), Retry),
        (Fault(kind="quota_429"), Deferred),
        (Fault(kind="bad_key"), ConfigError),
    ],
)
async def test_a_failing_vendor_puts_off(
    openai_server: OpenAiServer, tmp_path: Path, fault: Fault, kind: type[Exception]
) -> None:
    scene().save(tmp_path / "a.png")
    openai_server.faults.add(fault)
    assert isinstance(await error_of(CopySafetyAnalyzer().analyze(copies(openai_server).ctx, ad("Shoes"))), kind)


async def test_without_a_key_the_setting_is_named(openai_server: OpenAiServer, tmp_path: Path) -> None:
    scene().save(tmp_path / "a.png")
    rig = creatives(openai_server, openai_api_key="env:NO_SUCH_KEY")
    error = await error_of(SafetyAnalyzer().analyze(rig.ctx, item(tmp_path / "a.png")))
    assert isinstance(error, ConfigError)
    assert "analyzers.safety.openai_api_key" in str(error)


def test_the_vendors_model_is_part_of_the_fingerprint_and_costs_nothing() -> None:
    local, both = SafetyAnalyzer.needs(SafetySettings()), SafetyAnalyzer.needs(SafetySettings(provider="openai"))
    assert both == Needs(uses=(*local.uses, "omni-moderation-latest"), packages=(*local.packages, "openai"), pays=())
    copy = CopySafetyAnalyzer.needs(CopySafetySettings(provider="openai", model="omni-2"))
    assert copy.uses[1:] == ("omni-2",)
    assert copy.packages == ("openai",)
