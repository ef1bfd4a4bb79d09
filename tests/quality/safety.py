"""What the safety analyzers say about harmless creatives and copy, and about real political ads.

There is no positive data for pictures: how many of the bad ones are found is unknown.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from adology.errors import MediaUnusableError
from adology_copy.model import Piece
from adology_open_nsfw import look
from adology_safety import CopySafety, MediaSafety, SafetySettings, copy_analyzer, judging
from adology_safety.levels import LEVELS
from tests.quality.ad_texts import TEXTS
from tests.quality.embeddings import PICTURES, Row

HARMLESS = ("photos", "creatives", "images/modes", "labelled/categories")
FILM_FOLDERS = ("videos/clips", "videos/near_dup")
FILMS = frozenset({".mp4", ".webm", ".mov"})
POLITICAL = ("meta/csv_2019/dev_fb_ads.csv", "meta/csv_2023_au/dev_ads_checked_24_08_2023.csv")
TEXT_COLUMNS = ("ad_creative_bod", "ad_creative_link_title", "ad_creative_link_description")
ABOUT_POLITICS = frozenset({"politics", "social_issue"})


def measure(data: Path) -> list[Row]:
    """Everything; about half a minute of one core."""
    return [*measure_pictures(data), *measure_films(data), *measure_copy(data)]


def measure_pictures(data: Path, *, most: int = 10_000) -> list[Row]:
    """Scores of harmless pictures, and how many of them each level would hold back."""
    paths = sorted(
        path for folder in HARMLESS for path in (data / folder).rglob("*") if path.suffix.lower() in PICTURES
    )
    results = list(_judged(paths[:: max(1, len(paths) // most)]))
    scores = np.array([result.score for result in results])
    note = f"harmless pictures of {', '.join(HARMLESS)}"
    points = ((50, "median"), (90, "90th percentile"), (99, "99th percentile"), (100, "highest"))
    return [
        *(
            (f"safety: score, {name}", float(np.percentile(scores, point)), "score", scores.size, note)
            for point, name in points
        ),
        *_false_positives("pictures", results),
    ]


def measure_films(data: Path, *, most: int = 10_000) -> list[Row]:
    """The same for the highest frame of harmless videos; several of them are cuts of one cartoon."""
    paths = sorted(p for folder in FILM_FOLDERS for p in (data / folder).iterdir() if p.suffix in FILMS)
    results = list(_judged(paths[:: max(1, len(paths) // most)]))
    scores = np.array([result.score for result in results])
    note = "harmless clips, highest of 8 frames; 5 are cuts of one cartoon"
    return [
        ("safety: score of a video, median", float(np.median(scores)), "score", scores.size, note),
        ("safety: score of a video, highest", float(scores.max()), "score", scores.size, note),
        *_false_positives("videos", results),
    ]


def measure_copy(data: Path) -> list[Row]:
    """Harmless copy of ours in several languages, and ads that their platform calls political."""
    ours = [judge(text) for each in TEXTS for text in (each[0], each[1], each[3])]
    flagged = sum(result.level != "none" for result in ours)
    political = [judge(text) for path in POLITICAL for text in _texts(data / path)]
    levels = Counter(_political_level(result) for result in political)
    found, hinted = levels["medium"] + levels["high"], levels["low"]
    others = sum(
        any(risk.category not in ABOUT_POLITICS and risk.level != "low" for risk in r.risks) for r in political
    )
    note = "platform's label; rules not tuned on them"
    n = len(political)
    return [
        ("safety_copy: harmless copy with any hit", flagged / len(ours), "share", len(ours), "written by us"),
        ("safety_copy: political ads at medium or above", found / n, "share", n, note),
        ("safety_copy: political ads at low or above", (found + hinted) / n, "share", n, note),
        ("safety_copy: political ads with another category", others / n, "share", n, "at medium or above"),
    ]


def judge(text: str) -> CopySafety:
    """The verdict on one text."""
    return copy_analyzer.judge([Piece(where="body", index=0, text=text)])


def _judged(paths: list[Path]) -> Iterator[MediaSafety]:
    settings = SafetySettings()
    for path in paths:
        try:
            sights = look(path, frames=settings.frames, max_pixels=settings.max_pixels, analyzer="safety")
        except MediaUnusableError:
            continue  # larger than the limit, on purpose
        yield judging.judge(sights, settings)


def _false_positives(what: str, results: list[MediaSafety]) -> list[Row]:
    defaults = SafetySettings()
    n = len(results)
    return [
        (
            f"safety: harmless {what} at {name} or above",
            sum(result.score >= threshold for result in results) / n,
            "share",
            n,
            f"score >= {threshold:g}",
        )
        for name, threshold in (("low", defaults.low), ("medium", defaults.medium), ("high", defaults.high))
    ]


def _political_level(result: CopySafety) -> str:
    levels = [risk.level for risk in result.risks if risk.category in ABOUT_POLITICS]
    return max(levels, key=LEVELS.index, default="none")


def _texts(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        rows = [
            "\n".join(value for name, value in row.items() if name and name.startswith(TEXT_COLUMNS) and value)
            for row in csv.DictReader(file)
        ]
    return sorted(set(rows) - {""})
