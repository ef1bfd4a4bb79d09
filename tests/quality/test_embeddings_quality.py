"""Bars for the local embeddings, on a part of what `make quality` measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import embeddings

CHANGES = ("crop to 50 %", "JPEG quality 15", "warmer", "panel", "mirrored")

pytestmark = pytest.mark.timeout(170)


def values(rows: list[embeddings.Row]) -> dict[str, float]:
    return {f"{measure} | {note}": value for measure, value, _, _, note in rows}


def found(rows: list[embeddings.Row], *parts: str) -> float:
    (value,) = (value for name, value in values(rows).items() if all(part in name for part in parts))
    return value


def test_originals_are_found_by_changed_copies(shared_data: Path) -> None:
    rows = embeddings.measure_variants(shared_data, queries=12, gallery=50, changes=CHANGES)
    assert found(rows, "recall@1 ") >= 0.90
    assert found(rows, "original", "recall@5") >= 0.97


def test_the_nearest_picture_is_mostly_of_the_same_category(shared_data: Path) -> None:
    assert found(embeddings.measure_categories(shared_data, per_category=4), "nearest has") >= 0.63


def test_ads_are_found_by_paraphrases_and_translations() -> None:
    rows = embeddings.measure_texts()
    for how in ("ad by ad", "typed search"):
        assert found(rows, "paraphrase, recall@1", how) >= 0.77
        assert found(rows, "paraphrase, recall@5", how) >= 0.93
        assert found(rows, "translation, recall@1", how) >= 0.97
    assert found(rows, "few words, recall@1", "typed search") >= 0.86
