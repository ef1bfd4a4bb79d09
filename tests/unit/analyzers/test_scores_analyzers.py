"""The scoring analyzers with what they get from others."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from adology import Ad, AdItem, Context, MediaItem, Skip
from adology.engine.analyzers import fingerprint
from adology.errors import ConfigError
from adology.testing import AnalyzerConformance
from adology_copy import CopyAnalyzer, CopySettings
from adology_scores import (
    CopyScoresAnalyzer,
    Measures,
    Scores,
    ScoresAnalyzer,
    ScoresSettings,
    adology_analyzers,
    built_in,
    measure,
)
from tests.unit.analyzers.media_files import scene
from tests.unit.analyzers.test_measures_pixels import TEXT


def results() -> dict[str, Any]:
    found = measure("image", [(scene(400, 300), None)], {"text": TEXT})
    return {"text": TEXT, "measures": msgspec.to_builtins(found)}


@pytest.mark.anyio
class TestScores(AnalyzerConformance):
    plugin = ScoresAnalyzer
    results: ClassVar[dict[str, Any]] = results()


@pytest.mark.anyio
class TestScoresCopy(AnalyzerConformance):
    plugin = CopyScoresAnalyzer


def scores(given: dict[str, Any], kind: Any = "image", **settings: Any) -> Scores:
    item = MediaItem(sha256="0" * 64, path=Path("gone"), kind=kind, content_type="", size_bytes=1, results=given)
    return ScoresAnalyzer().analyze(Context("scores", ScoresSettings(**settings), section="analyzers"), item)


def test_every_pack_for_such_things_reports_and_nothing_is_summed_up() -> None:
    found = scores(results())
    packs = [report.pack for report in found.reports]
    assert packs == sorted(packs)
    assert {"meta-feed", "meta-reels", "legibility"} <= set(packs)
    assert "youtube-abcd" not in packs
    assert Scores.__struct_fields__ == ("reports",)


def test_a_verdict_shows_what_it_rests_on() -> None:
    (report,) = scores(results(), packs=("legibility",)).reports
    contrast = next(one for one in report.rules if one.rule == "cta-contrast")
    assert (contrast.verdict, contrast.threshold, contrast.unit, contrast.basis) == ("pass", "≥ 3", "ratio", "standard")
    assert (contrast.evidence[0].text, contrast.evidence[0].line) == ("Shop now", 0)
    assert contrast.source.startswith("W3C")


def test_without_measures_everything_lacks_data_and_says_so() -> None:
    for report in scores({}).reports:
        assert report.adherence is None
        assert {one.verdict for one in report.rules} == {"insufficient"}
    (report,) = scores({}, packs=("meta-carousel",)).reports
    assert {one.why for one in report.rules} == {"there is no result of the analyzer measures"}


def test_what_the_bytes_are_counts_not_what_they_were_called() -> None:
    film = {"measures": msgspec.to_builtins(Measures(kind="video", duration_s=9.0))}
    (report,) = scores(film, kind="image", packs=("youtube-abcd",)).reports
    assert report.insufficient == len(report.rules)


def test_a_result_with_fewer_fields_is_judged_by_what_it_has() -> None:
    (report,) = scores(
        {"measures": {"kind": "image", "text_density": {"low": 0.5, "high": 0.6}}}, packs=("meta-right-column",)
    ).reports
    assert {one.rule: one.verdict for one in report.rules} == {"aspect": "insufficient", "text-density": "fail"}


def test_an_unknown_pack_is_a_fault_of_the_settings() -> None:
    with pytest.raises(ConfigError, match=r"analyzers\.scores\.packs"):
        scores({}, packs=("nope",))


def copy_scores(**ad: Any) -> Scores:
    subject = Ad(id="1", **ad)
    copy = CopyAnalyzer().analyze(Context("copy", CopySettings(), section="analyzers"), AdItem(ad=subject))
    item = AdItem(ad=subject, results={"copy": msgspec.to_builtins(copy)})
    return CopyScoresAnalyzer().analyze(Context("scores_copy", ScoresSettings(), section="analyzers"), item)


def test_copy_is_held_against_every_placement() -> None:
    found = copy_scores(bodies=("Soft shoes.",), titles=("Shoes for long days",), cta="SHOP_NOW")
    told = {report.pack: {one.rule: one.verdict for one in report.rules} for report in found.reports}
    assert told["meta-feed-copy"] == {
        "primary-text": "pass",
        "headline": "pass",
        "description": "insufficient",
        "cta": "pass",
    }
    assert told["meta-reels-copy"]["headline"] == "fail"
    assert told["google-search-copy"] == {"headline": "pass", "description": "insufficient"}


def test_an_ad_without_copy_is_skipped() -> None:
    context = Context("scores_copy", ScoresSettings(), section="analyzers")
    with pytest.raises(Skip, match="ad 1 has no copy"):
        CopyScoresAnalyzer().analyze(context, AdItem(ad=Ad(id="1", landing_url="https://example.org")))


def print_of(folder: Path, most: str) -> str:
    pack = """
        id = "own"\ndate = 2026-01-01\ntitle = "Own"\nnetwork = "any"\nplacement = "any"\nkinds = ["image"]
        [[rules]]\nid = "d"\nsays = "d"\nmeasure = "text_density"\nat_most = {}\nsource = "s"\nbasis = "own"
    """
    folder.mkdir()
    (folder / "own.toml").write_text(pack.format(most))
    settings = ScoresSettings(folder=str(folder))
    return fingerprint("scores", ScoresAnalyzer.version, settings, ScoresAnalyzer.needs(settings).uses)


def test_a_changed_threshold_makes_verdicts_stale_and_a_moved_folder_does_not(tmp_path: Path) -> None:
    first = print_of(tmp_path / "a", "0.1")
    assert print_of(tmp_path / "b", "0.1") == first
    assert print_of(tmp_path / "c", "0.2") != first


def test_naming_the_packs_that_apply_anyway_makes_nothing_stale() -> None:
    default = ScoresSettings()
    named = ScoresSettings(packs=tuple(pack.id for pack in built_in()))
    prints = {fingerprint("scores", 1, one, ScoresAnalyzer.needs(one).uses) for one in (default, named)}
    assert len(prints) == 1
    fewer = ScoresSettings(packs=("legibility",))
    assert fingerprint("scores", 1, fewer, ScoresAnalyzer.needs(fewer).uses) not in prints


def test_the_package_offers_all_three() -> None:
    assert [one.name for one in adology_analyzers()] == ["measures", "scores", "scores_copy"]
