from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from adology import ConfigError, Context, MediaItem
from adology.engine.analyzers import prepare
from adology.engine.invoke import Invoker, Outcome, Work
from adology.isolation import IsolatedPool
from adology.money.calls import Payer
from adology.plugins import load_plugins
from adology.testing import AnalyzerConformance
from adology_open_nsfw import Reading, Sight, Sights
from adology_safety import MediaSafety, SafetyAnalyzer, SafetySettings, judging

from .media_files import encoded, film, scene

GIB = 1024**3


def item(path: Path) -> MediaItem:
    return MediaItem(sha256="0" * 64, path=path, kind="video", content_type="text/plain", size_bytes=1)


def analyze(path: Path, **settings: Any) -> MediaSafety:
    context = Context("safety", SafetySettings(**settings), section="analyzers")
    return asyncio.run(SafetyAnalyzer().analyze(context, item(path)))


class TestSafety(AnalyzerConformance):
    plugin = SafetyAnalyzer


def test_a_still_has_one_score_and_no_frames(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(scene(), "PNG"))
    result = analyze(tmp_path / "a.png")
    assert 0 <= result.score < 0.2
    assert (result.level, result.time_s, result.looked_at, result.frames) == ("none", None, 1, ())
    assert result.model == judging.model_id()


def test_every_looked_at_frame_of_a_film_has_its_score(tmp_path: Path) -> None:
    path = film(tmp_path / "x.mp4", [scene(160, 120, seed=i // 5) for i in range(20)], fps=10)
    result = analyze(path, frames=4)
    assert result.looked_at == len(result.frames) == 4
    assert result.score == max(frame.score for frame in result.frames)
    assert result.time_s == next(frame.time_s for frame in result.frames if frame.score == result.score)
    assert result.duration_s == pytest.approx(2.0, abs=0.11)


def test_the_worst_frame_counts_and_the_first_of_equals(monkeypatch: pytest.MonkeyPatch) -> None:
    # No picture that scores high can be kept among tests: the model's answers are given instead.
    scores = [0.1, 0.97, 0.2, 0.97]
    monkeypatch.setattr(
        judging,
        "read",
        lambda pictures, **_: [Reading(nsfw=s, pool=None) for s in scores[: len(pictures)]],  # type: ignore[arg-type]  # not read here
    )
    black = Image.new("RGB", (8, 8))
    sights = Sights(pictures=tuple(Sight(picture=black, time_s=float(i)) for i in range(4)), damaged=True)
    result = judging.judge(sights, SafetySettings())
    assert (result.score, result.level, result.time_s, result.damaged) == (0.97, "high", 1.0, True)


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (0.0, "none"),
        (0.1999, "none"),
        (0.2, "low"),
        (0.7999, "low"),
        (0.8, "medium"),
        (0.9499, "medium"),
        (0.95, "high"),
        (1.0, "high"),
    ],
)
def test_each_level_begins_at_its_threshold(score: float, level: str) -> None:
    assert judging.level_of(score, SafetySettings()) == level


def test_thresholds_out_of_order_are_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(scene(), "PNG"))
    with pytest.raises(
        ConfigError, match=r"analyzers\.safety\.low: the thresholds are low 0\.9, medium 0\.8, high 0\.95"
    ):
        analyze(tmp_path / "a.png", low=0.9)


def test_in_a_child_process_of_two_gib_a_film_is_judged_the_same(tmp_path: Path) -> None:
    path = film(tmp_path / "x.mp4", [scene(160, 120, seed=i // 5) for i in range(20)], fps=10)
    (analyzer,) = [one for one in prepare(load_plugins(only=("safety",)).loaded, {}) if one.name == "safety"]

    async def story() -> Outcome:
        async with IsolatedPool(1, memory_bytes=2 * GIB) as pool:
            return await Invoker(pool).invoke(analyzer, Work(item=item(path), key="", payer=Payer()), tmp_path)

    assert msgspec.convert(asyncio.run(story()).result, MediaSafety) == analyze(path)
