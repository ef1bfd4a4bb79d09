"""What the measures have to reach: the one place where that is said.

`python -m tests.quality` holds its table against all of these. The short tests in `test_*_quality.py`
take theirs from here too; where their few samples would make a bar a lottery they say why theirs is looser.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Row = tuple[str, Any, str, int, str]
"""What was measured, its value and unit, on how many, and what to know of it."""

SKIPPED = "skipped"
"""The value of a row that cannot be measured on this machine; its note says what for."""
How = Literal[">=", "<=", ">", "="]


@dataclass(frozen=True)
class Bar:
    """A measure, and the number it has to reach, or the measure that it has to reach or beat.

    `note` is how the row's note has to begin, where several rows share a name.
    """

    measure: str
    how: How
    than: float | str
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """A bar held against the rows: the row it is about and its value, none where there is no such row.

    `needed` is the number to reach; none where it is another row's, which was not measured.
    """

    bar: Bar
    place: int | None
    seen: Any
    needed: Any

    @property
    def passed(self) -> bool:
        """Whether it is reached; what was not measured is not, but for what cannot be measured here."""
        if self.seen == SKIPPED:
            return True
        if not (isinstance(self.seen, float | int) and isinstance(self.needed, float | int)):
            return False
        return {
            ">=": self.seen >= self.needed,
            "<=": self.seen <= self.needed,
            ">": self.seen > self.needed,
            "=": self.seen == self.needed,
        }[self.bar.how]

    @property
    def shown(self) -> str:
        """As the table says it."""
        if self.seen == SKIPPED:
            return SKIPPED
        needed = self.bar.than if self.needed is None else round(self.needed, 3)
        return f"{self.bar.how} {needed} {'pass' if self.passed else 'MISSED'}"


TEXT = (
    Bar("text: all, adology: line recall", ">=", "text: all, bare: line recall"),
    Bar("text: banners, adology: line recall", ">=", "text: banners, bare: line recall"),
    Bar("text: drawn, small, adology: line recall", ">", "text: drawn, small, bare: line recall"),
    Bar("text: drawn, low contrast, adology: line recall", ">=", "text: drawn, low contrast, bare: line recall"),
    Bar("text: prices, labelled: found with the right amount", ">=", 0.9),
    Bar("text: prices, labelled: wrong with confidence above 0.8", "=", 0),
    Bar("text: prices, drawn: found with the right amount", ">=", 0.8),
    Bar("text: prices, drawn: wrong with confidence above 0.8", "=", 0),
)
SCRIPTS = (
    *(Bar(f"text: script {name}: line recall", ">=", 0.95) for name in ("Latin", "Chinese", "Japanese")),
    # What is not known is to be left out; one line in some thirty may look like a known word by chance.
    *(
        Bar(f"text: script {name}: wrong with confidence above 0.8", "<=", 1)
        for name in (
            "Latin", "Greek", "Cyrillic", "Chinese", "Japanese", "Korean", "Arabic", "Hebrew", "Thai", "Devanagari",
            "Georgian",
        )
    ),
)  # fmt: skip
EMBEDDINGS = (
    Bar("visual: original from a variant, recall@1", ">=", 0.93),
    Bar("visual: original from a variant, recall@5", ">=", 0.97),
    Bar("visual: nearest has the same category", ">=", 0.72),
    *(
        bar
        for how in ("ad by ad", "typed search")
        for bar in (
            Bar("text: paraphrase, recall@1", ">=", 0.77, how),
            Bar("text: paraphrase, recall@5", ">=", 0.93, how),
            Bar("text: translation, recall@1", ">=", 0.97, how),
        )
    ),
    Bar("text: few words, recall@1", ">=", 0.86, "typed search"),
)
SAFETY = (
    Bar("safety: score, median", "<=", 0.02),
    Bar("safety: harmless pictures at low or above", "<=", 0.02),
    Bar("safety: harmless pictures at medium or above", "=", 0),
    Bar("safety: harmless videos at medium or above", "=", 0),
    Bar("safety_copy: harmless copy with any hit", "<=", 0.02),
    Bar("safety_copy: political ads at low or above", ">=", 0.65),
    Bar("safety_copy: political ads with another category", "<=", 0.05),
)
LABELS = (
    *(
        bar
        for taxonomy, right, answered in (
            ("iab_product", 0.92, 0.8),
            ("language", 0.95, 0.7),
            ("hook", 0.8, 0.6),
            ("offer", 0.93, 0.85),
            ("funnel", 0.93, 0.8),
            ("angle", 0.9, 0.65),
        )
        for bar in (
            Bar(f"labels_copy: {taxonomy}, held out: right of answered", ">=", right),
            Bar(f"labels_copy: {taxonomy}, held out: answered", ">=", answered),
        )
    ),
    Bar("labels_copy: no product said, unknown, held out", ">=", 0.9),
    Bar("labels: iab_product, creatives, text by eye, held out: right of answered", ">=", 0.75),
    Bar("labels_copy: political ads with a false order", "<=", 0.02),
    Bar("labels_copy: harmless ads with a false order", "=", 0),
)
VIDEO = (
    Bar("video: hard cuts over drawn pictures, recall", ">=", 0.97),
    Bar("video: hard cuts over drawn pictures, precision", ">=", 0.97),
    Bar("video: all over drawn pictures, recall", ">=", 0.95),
    Bar("video: all over drawn pictures, precision", ">=", 0.95),
    Bar("video: hard cuts over photographs, recall", ">=", 0.95),
    Bar("video: hard cuts over photographs, precision", ">=", 0.97),
    Bar("video: dissolves and fades over photographs, recall", ">=", 0.9),
    Bar("video: hard cuts of joined real clips, recall", ">=", 0.95),
    Bar("video: hard cuts of joined real clips, precision", ">=", 0.95),
    Bar("video: false changes in real clips", "<=", 1),
    Bar("video: missed changes in real clips", "=", 0),
    Bar("video: integrated loudness, largest difference to FFmpeg", "<=", 0.1),
    Bar("video: loudness range, largest difference to FFmpeg", "<=", 1.0),
    Bar("video: sample peak, largest difference to FFmpeg", "<=", 0.3),
)
LIKENESS = (
    Bar("likeness: images, precision", ">=", 0.99, "held out"),
    Bar("likeness: images, F1", ">=", 0.95, "held out"),
    Bar("likeness: images, hard negatives merged", "=", 0, "held out"),
    Bar("likeness: labelled images, hard negatives merged", "=", 0),
    Bar("likeness: labelled images, F1", ">=", 0.95),
    Bar("likeness: original from a variant, recall@5", ">=", 0.97),
    Bar("likeness: videos, precision", "=", 1, "held out"),
    Bar("likeness: videos, recall", ">=", 0.95, "held out"),
    Bar("likeness: videos, hard negatives merged", "=", 0, "held out"),
    Bar("likeness: labelled videos, hard negatives merged", "=", 0),
    Bar("likeness: labelled videos, F1", ">=", 0.95),
)
SCORES = (
    Bar("scores: all rules: agreement", ">=", 0.95),
    Bar("scores: all rules: insufficient", "<=", 0.35),
    Bar("scores: safe-zone: agreement", "=", 1),
    Bar("scores: text-density: agreement", "=", 1),
    Bar("scores: labelled, call to action told rightly", ">=", 0.95),
)
BARS: dict[str, tuple[Bar, ...]] = {
    "text": (*TEXT, *SCRIPTS),
    "embeddings": EMBEDDINGS,
    "safety": SAFETY,
    "labels": LABELS,
    "video": VIDEO,
    "likeness": LIKENESS,
    "scores": SCORES,
}


def bar(part: str, measure: str, note: str = "") -> Bar:
    """The one bar of a part for a measure, by its whole name.

    Raises:
        ValueError: there is no such bar, or there are several.
    """
    (found,) = (one for one in BARS[part] if one.measure == measure and one.note == note)
    return found


def hold(rows: Sequence[Row], bars: Iterable[Bar]) -> list[Verdict]:
    """Each bar held against the rows; one that nothing was measured for is missed."""
    return [_held(rows, one) for one in bars]


def _held(rows: Sequence[Row], one: Bar) -> Verdict:
    place = next((at for at, row in enumerate(rows) if row[0] == one.measure and row[4].startswith(one.note)), None)
    needed: Any = one.than
    if isinstance(needed, str):
        needed = next((row[1] for row in rows if row[0] == one.than), None)
    return Verdict(one, place, None if place is None else rows[place][1], needed)


def missed(rows: Sequence[Row], part: str, *, only: str = "", but: Iterable[Bar] = ()) -> list[str]:
    """What falls short, in words: for the short tests, which measure a share of what a part has.

    `only`: bars whose measure begins so; `but`: bars that they do not hold to.
    """
    left_out = set(but)
    bars = [one for one in BARS[part] if one.measure.startswith(only) and one not in left_out]
    assert bars, f"no bar of {part} begins with {only!r}"
    return [describe(verdict) for verdict in hold(rows, bars) if not verdict.passed]


def describe(verdict: Verdict) -> str:
    """One line for whoever has to mend it."""
    one = verdict.bar
    seen = "was not measured" if verdict.seen is None else f"is {_short(verdict.seen)}"
    than = f"{_short(verdict.needed)} ({one.than})" if isinstance(one.than, str) else _short(one.than)
    note = f" ({one.note})" if one.note else ""
    return f"{one.measure}{note} {seen}, should be {one.how} {than}"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
