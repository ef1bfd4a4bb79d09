"""Bars for near-duplicates, on a part of what `make quality` measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from adology_likeness import SURE
from tests.quality import bars, likeness, likeness_drawn
from tests.quality.embeddings import Row

pytestmark = pytest.mark.timeout(170)


def values(rows: list[Row]) -> dict[str, float]:
    return {f"{measure.removeprefix('likeness: ')} ({note})": value for measure, value, _, _, note in rows}


def test_changed_images_are_found_and_other_ads_of_a_template_are_not_merged(shared_data: Path) -> None:
    rows = likeness.measure_images(shared_data, most=8, drawn=2, changes=("crop to 50 %",))
    measured = values(rows)
    # Ten true pairs of the hardest change: one that is missed is a tenth of the recall.
    too_few = (
        bars.bar("likeness", "likeness: images, F1", "held out"),
        bars.bar("likeness", "likeness: original from a variant, recall@5"),
    )
    assert bars.missed(rows, "likeness", only="likeness: images", but=too_few) == []
    assert measured["images, F1 (held out)"] >= 0.87
    assert next(v for name, v in measured.items() if name.startswith("images, true pairs proposed")) >= 0.9
    assert next(v for name, v in measured.items() if "variant, recall@5" in name) >= 0.9


@pytest.mark.parametrize(
    ("seed", "number", "how"),
    [
        (97, 35, "other product"),
        (7, 2, "other product"),
        (11, 6, "other product"),
        (7, 32, "other panel, words"),
        (5, 26, "other panel, words"),
    ],
)
def test_other_ads_of_a_template_that_were_once_merged_are_not(
    shared_data: Path, seed: int, number: int, how: str
) -> None:
    # A small pale product on white; a product that looks the same turned round; a bar found a little aslant.
    *_, plan = likeness_drawn.plans(shared_data, number + 1, seed=seed)
    one, other = (likeness.creative(likeness_drawn.draw(ad)) for ad in (plan.base, plan.others[how]))
    assert likeness.judge(one, other, true=False, held_out=False).confidence < SURE


@pytest.mark.slow
def test_changed_videos_are_found_and_others_are_not(shared_data: Path) -> None:
    clips = ("clips/carphone_pristine.mp4", "near_dup/bigbuckbunny__q.mp4")
    rows = likeness.measure_films(shared_data, clips=clips, changes=("trimmed",))
    # With a handful of true pairs none may be missed, of the one half as of the other.
    assert bars.missed(rows, "likeness", only="likeness: videos") == []
    measured = values(rows)
    assert measured["videos, precision (fitted on)"] == 1
    assert measured["videos, recall (fitted on)"] >= 0.9
