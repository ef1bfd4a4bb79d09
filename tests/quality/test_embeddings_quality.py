"""Bars for the local embeddings, on a part of what `make quality` measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import bars, embeddings

CHANGES = ("crop to 50 %", "JPEG quality 15", "warmer", "panel", "mirrored")

pytestmark = pytest.mark.timeout(170)


def test_originals_are_found_by_changed_copies(shared_data: Path) -> None:
    rows = embeddings.measure_variants(shared_data, queries=12, gallery=50, changes=CHANGES)
    # 60 queries, the hardest changes among them: one that is found second only is more than a hundredth.
    at_once = bars.bar("embeddings", "visual: original from a variant, recall@1")
    assert bars.missed(rows, "embeddings", only="visual: original", but=[at_once]) == []
    assert next(value for measure, value, *_ in rows if measure == at_once.measure) >= 0.90


def test_the_nearest_picture_is_mostly_of_the_same_category(shared_data: Path) -> None:
    # Four pictures of a category instead of eight: there are fewer that could be the nearest.
    rows = {measure: value for measure, value, *_ in embeddings.measure_categories(shared_data, per_category=4)}
    assert rows["visual: nearest has the same category"] >= 0.63


def test_ads_are_found_by_paraphrases_and_translations() -> None:
    assert bars.missed(embeddings.measure_texts(), "embeddings", only="text: ") == []
