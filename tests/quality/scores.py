"""Do verdicts from text that was read agree with those from true text? On creatives drawn with known truth.

The built-in packs for pictures are held against both. Where a range lies on both sides of a threshold
the verdict is "insufficient": that is counted apart, as abstaining is no mistake. Labelled creatives
have true lines without boxes: what they allow is whether a call to action is found.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from adology_media.sniff import sniff
from adology_scores import Facts, evaluate, facts_of_measures
from adology_scores.catalogue import PICTURES
from adology_scores.choice import choose
from adology_scores.inputs import Text
from adology_scores.layout import measure_layout
from adology_scores.lines import asks
from adology_scores.settings import ScoresSettings
from adology_scores.sheet import Sheet
from adology_text import TextFacts, TextSettings
from adology_text.decode import open_picture
from adology_text.engine import shared_reader
from adology_text.reading import read_pixels
from tests.quality import scores_drawn

Row = tuple[str, Any, str, int, str]
Verdicts = dict[tuple[str, str], str]

RULES = {
    "legibility": ("text-contrast", "cta-contrast", "type-size"),
    "meta-feed": ("text-density",),
    "meta-reels": ("safe-zone",),
    "meta-stories@2025-01-01": ("safe-zone",),
}
"""Those that rest on text, each once; the two zones differ."""

SETTINGS = TextSettings(threads=2)
TRUTH = "labelled/dev_ocr_truth.jsonl"
NOTE = "drawn 9:16; of verdicts that are not insufficient"


def measure(data: Path) -> list[Row]:
    """Everything; about two minutes of one core."""
    return [*measure_drawn(data), *measure_labelled(data)]


def measure_drawn(data: Path, *, count: int = 60, seed: int = 4) -> list[Row]:
    """Agreement by rule, over all packs that have it."""
    pairs = list(_pairs(data, count, seed))
    told: dict[str, Counter[str]] = {}
    for found, true in pairs:
        for name, verdict in true.items():
            if verdict != "insufficient":
                told.setdefault(name[1], Counter()).update((_outcome(found[name], verdict), f"truly {verdict}"))
    rows: list[Row] = []
    for rule, counts in sorted(told.items()):
        rows += _rows(rule, counts)
    whole = sum(told.values(), Counter[str]())
    return [*_rows("all rules", whole), *rows]


def _outcome(found: str, true: str) -> str:
    if found == "insufficient":
        return "abstained"
    return "agreed" if found == true else f"false {found}"


def _rows(rule: str, counts: Counter[str]) -> list[Row]:
    """Agreement among what was decided, and how much was not."""
    n = counts["truly pass"] + counts["truly fail"]
    decided = n - counts["abstained"]
    truth = f"in truth {counts['truly pass']} pass and {counts['truly fail']} fail"
    wrong = f"{counts['false pass']} passed and {counts['false fail']} failed wrongly"
    rows: list[Row] = [(f"scores: {rule}: insufficient", counts["abstained"] / n, "share", n, truth)]
    if decided:
        rows.insert(0, (f"scores: {rule}: agreement", counts["agreed"] / decided, "share", decided, f"{NOTE}; {wrong}"))
    return rows


def _pairs(data: Path, count: int, seed: int) -> Iterable[tuple[Verdicts, Verdicts]]:
    """Verdicts from what was read, and from the truth, of each creative."""
    photos = sorted((data / "photos").rglob("*.jpg"))
    for creative in scores_drawn.creatives(count, photos, seed=seed):
        read = read_pixels(creative.picture, SETTINGS, shared_reader(SETTINGS.threads))
        yield verdicts(as_text(read), exact=False), verdicts(creative.truth, exact=True)


def as_text(read: TextFacts) -> Text:
    """What the measures analyzer gets of a stored result."""
    return msgspec.convert(msgspec.to_builtins(read), Text)


def verdicts(text: Text, *, exact: bool) -> Verdicts:
    """By pack and rule."""
    packs = choose(ScoresSettings(packs=tuple(RULES)), PICTURES)
    known = facts(text, exact=exact)
    wanted = {name.partition("@")[0]: rules for name, rules in RULES.items()}
    reports = [evaluate(pack, known) for pack in packs]
    return {
        (report.pack, one.rule): one.verdict
        for report in reports
        for one in report.rules
        if one.rule in wanted[report.pack]
    }


def facts(text: Text, *, exact: bool) -> Facts:
    """What is known of a still with this text."""
    sheet = Sheet()
    sheet.put("aspect_ratio", round(text.width / text.height, 4))
    measure_layout(text, sheet, exact=exact)
    return facts_of_measures(sheet.close("image"), text)


def measure_labelled(data: Path, *, step: int = 1) -> list[Row]:
    """Is a call to action found where the true lines hold one?"""
    entries = [json.loads(line) for line in (data / TRUTH).read_text("utf-8").splitlines()]
    counts: Counter[str] = Counter()
    for entry in entries[::step]:
        if entry.get("partial"):
            continue
        path = data / entry["file"]
        picture = open_picture(path, sniff(path), SETTINGS.max_pixels)
        found = facts(as_text(read_pixels(picture, SETTINGS, shared_reader(SETTINGS.threads))), exact=False)
        said = found.values["cta_in_picture"].value if "cta_in_picture" in found.values else None
        true = any(asks(line) for line in entry["lines"])
        counts["same" if said is true else "different"] += 1
        counts["true"] += true
    n = counts["same"] + counts["different"]
    note = f"{counts['true']} of them have one"
    return [("scores: labelled, call to action told rightly", counts["same"] / n, "share", n, note)]
