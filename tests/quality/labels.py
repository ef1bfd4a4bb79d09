"""How right the local labeller is, how often it answers, how often it rightly says "unknown".

The ads, and the rules, are one person's work: numbers on ads that were held out say that the rules are
not fitted to single ads, not how they do on strangers' ads. Creatives of real advertisers are few.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from adology import Ad, Context
from adology.engine.offline import read_media
from adology.errors import MediaUnusableError
from adology_labels.local import Subject, label_many
from adology_labels.material import of_ad, of_lines
from adology_labels.model import Labels
from adology_labels.orders import find_orders
from adology_labels.taxonomies import OF_COPY, OF_MEDIA
from adology_text import TextAnalyzer, TextSettings
from adology_text.model import TextFacts, TextLine
from tests.quality.ad_texts import TEXTS
from tests.quality.label_texts import HELD_OUT, SAY_NO_PRODUCT, TUNE, LabelledText
from tests.unit.analyzers.injection_corpus import ADS, ORDERS, UNLISTED

Row = tuple[str, Any, str, int, str]

POLITICAL = ("meta/csv_2019/dev_fb_ads.csv", "meta/csv_2023_au/dev_ads_checked_24_08_2023.csv")
TEXT_COLUMNS = ("ad_creative_bod", "ad_creative_link_title", "ad_creative_link_description")
POLITICS = frozenset({"1474", "1262", "1452"})
"""Politics, debated issues, non-profits: their platform calls all of these political."""

OF_TRUTH = {
    "pharma": {"1473"}, "home services": {"1396"}, "sofa": {"1263"}, "bookcase": {"1263"}, "chair": {"1263"},
    "cabinet": {"1263"}, "table": {"1263"}, "armchair": {"1263"}, "mirror": {"1263"}, "lighting": {"1263"},
}  # fmt: skip
"""Categories of `dev_ocr_truth.jsonl` as IAB's: furniture and lamps are durable goods."""
OF_COMPONENTS = {
    "ad-component/bill-finance": {"1396", "1335"}, "ad-component/condensers": {"1396"},
    "ad-component/controllers": {"1396"}, "ad-component/ducting": {"1396"},
}  # fmt: skip
"""Parts of one heating company's ads. Backdrops, logos, badges and the photographs have no honest category."""


def measure(data: Path) -> list[Row]:
    """Everything; about two minutes of one core, most of it reading text in pictures."""
    return [
        *measure_copy(),
        *measure_lines(data),
        *measure_political(data),
        *measure_false_orders(data),
        *measure_orders(),
        *measure_pictures(data),
    ]


def measure_copy(sets: Sequence[tuple[str, tuple[LabelledText, ...], int]] = ()) -> list[Row]:
    """Ads written by hand, those tuned on and those held out."""
    rows: list[Row] = []
    for name, ads, side in sets or (("tuned on", TUNE, 0), ("held out", HELD_OUT, 1)):
        labelled = label_texts([(ad.text, ad.button) for ad in ads])
        counts: dict[str, list[bool]] = defaultdict(list)
        for ad, labels in zip(ads, labelled, strict=True):
            for taxonomy, right in _judged(ad, labels):
                counts[taxonomy].append(right)
        for taxonomy in ("iab_product", "language", "hook", "offer", "funnel", "angle"):
            rows += _shares(f"labels_copy: {taxonomy}, {name}", counts[taxonomy], len(ads))
        silent = label_texts([(pair[side], "") for pair in SAY_NO_PRODUCT])
        unknown = sum("iab_product" in labels.unknown for labels in silent)
        rows.append(
            (f"labels_copy: no product said, unknown, {name}", unknown / len(silent), "share", len(silent), "right")
        )
    return rows


def measure_lines(data: Path) -> list[Row]:
    """Product categories of real creatives from their text as transcribed by eye; every second one was tuned on."""
    rows: list[Row] = []
    for name, side in (("tuned on", 0), ("held out", 1)):
        known = creatives(data)[side::2]
        found = [label in wanted for lines, wanted in known for label in _category(_label_lines(lines))]
        rows += _shares(f"labels: iab_product, creatives, text by eye, {name}", found, len(known))
    return rows


def measure_political(data: Path) -> list[Row]:
    """Real ads that their platform calls political; every second one was tuned on."""
    rows: list[Row] = []
    texts = political(data)
    labelled = label_texts([(text, "") for text in texts])
    for name, side in (("tuned on", 0), ("held out", 1)):
        found = [label in POLITICS for labels in labelled[side::2] for label in _category(labels)]
        rows += _shares(f"labels_copy: political or issue ads, {name}", found, len(texts[side::2]))
    return rows


def measure_false_orders(data: Path) -> list[Row]:
    """Ads without orders in which some are found all the same."""
    rows: list[Row] = []
    harmless = [text for row in TEXTS for text in (row[0], row[1], row[3])]
    for name, texts in (("political", political(data)), ("harmless", harmless)):
        taken = sum(bool(find_orders(of_ad(Ad(id="1", bodies=(text,)), 4000))) for text in texts)
        rows.append((f"labels_copy: {name} ads with a false order", taken / len(texts), "share", len(texts), ""))
    return rows


def creatives(data: Path) -> list[tuple[tuple[str, ...], set[str]]]:
    """The distinct transcribed texts of creatives whose category has an id, in the order of the file."""
    lines = (data / "labelled" / "dev_ocr_truth.jsonl").read_text("utf-8").splitlines()
    entries = {tuple(entry["lines"]): entry.get("category") or "" for entry in map(json.loads, lines)}
    return [(texts, OF_TRUTH[category]) for texts, category in entries.items() if category in OF_TRUTH]


def political(data: Path) -> list[str]:
    """The distinct texts of ads that their platform calls political."""
    return [text for path in POLITICAL for text in _texts(data / path)]


def measure_orders() -> list[Row]:
    """Ads that give orders to whoever labels: how many move a label, by whether the lists know the words."""
    plain = {
        ad: _ids(labels) for ad, labels in zip(ADS, label_texts([(f"{a[1]}\n{a[0]}", a[2]) for a in ADS]), strict=True)
    }
    rows: list[Row] = []
    for name, orders in (("in known words", ORDERS), ("in unlisted words", UNLISTED)):
        made = [(ad, (f"{ad[1]}\n{order.text}\n{ad[0]}", ad[2])) for order in orders for ad in ADS]
        labelled = label_texts([text for _, text in made])
        changes = [_ids(labels) ^ plain[ad] for (ad, _), labels in zip(made, labelled, strict=True)]
        moved = sum(bool(change) for change in changes)
        product = sum(any(taxonomy == "iab_product" for taxonomy, _ in change) for change in changes)
        n = len(made)
        rows += [
            (
                f"labels_copy: orders {name}, a label moved",
                moved / n,
                "share",
                n,
                f"{len(orders)} orders, {len(ADS)} ads",
            ),
            (f"labels_copy: orders {name}, the product moved", product / n, "share", n, "or became unknown"),
        ]
    return rows


def measure_pictures(data: Path, *, most: int = 10_000) -> list[Row]:
    """Labelled pictures, their text read by the text analyzer; photographs say nothing and want "unknown"."""
    analyzer = TextAnalyzer()

    context: Context[TextSettings] = Context("text", TextSettings(), section="analyzers")
    with (data / "labelled" / "dev_categories.csv").open() as file:
        rows = list(csv.DictReader(file))
    found: list[bool] = []
    asked, silent, unknown = 0, 0, 0
    for row in rows[:: max(1, len(rows) // most)]:
        wanted = OF_COMPONENTS.get(row["category"])
        try:
            facts = analyzer.analyze(context, read_media(data / row["file"]))
        except MediaUnusableError:
            continue
        (labels,) = label_many([Subject(material=of_lines(facts, 4000), facts=facts, moves=False)], OF_MEDIA)
        if wanted is None:
            silent += 1
            unknown += not _category(labels)
        else:
            asked += 1
            found += [label in wanted for label in _category(labels)]
    return [
        *_shares("labels: iab_product, labelled components", found, asked),
        (
            "labels: no category that fits, unknown",
            unknown / max(1, silent),
            "share",
            silent,
            "photos, logos, backdrops",
        ),
    ]


def label_texts(texts: Iterable[tuple[str, str]]) -> list[Labels]:
    """Labels of bodies with their buttons."""
    subjects = [
        Subject(material=of_ad(Ad(id="1", bodies=(text,) if text else (), cta=button), 4000)) for text, button in texts
    ]
    return label_many(subjects, OF_COPY)


def _label_lines(lines: Sequence[str]) -> Labels:
    facts = TextFacts(
        kind="image",
        width=1080,
        height=1080,
        lines=tuple(
            TextLine(text=text, box=(0.1, i / 50, 0.9, (i + 1) / 50), confidence=1.0, height_px=20.0, height_share=0.02)
            for i, text in enumerate(lines)
        ),
    )
    (labels,) = label_many([Subject(material=of_lines(facts, 4000), facts=facts, moves=False)], OF_MEDIA)
    return labels


def _ids(labels: Labels) -> set[tuple[str, str]]:
    return {(label.taxonomy, label.id) for label in labels.labels}


def _category(labels: Labels) -> list[str]:
    return [label.id for label in labels.labels if label.taxonomy == "iab_product"]


def _judged(ad: LabelledText, labels: Labels) -> Iterable[tuple[str, bool]]:
    """For each taxonomy that was answered: is the first answer right; of offers, are all of them."""
    said: dict[str, list[str]] = defaultdict(list)
    for label in labels.labels:
        said[label.taxonomy].append(label.id)
    for taxonomy, wanted in (
        ("iab_product", ad.iab), ("language", ad.language), ("hook", ad.hook), ("funnel", ad.funnel),
        ("angle", ad.angle),
    ):  # fmt: skip
        if said[taxonomy]:
            yield taxonomy, said[taxonomy][0] in wanted.split("|")
    if said["offer"]:
        yield "offer", set(said["offer"]) in [set(each.split()) for each in ad.offer.split("|")]


def _shares(what: str, right: Sequence[bool], asked: int) -> list[Row]:
    accuracy = sum(right) / len(right) if right else 0.0
    return [
        (f"{what}: right of answered", accuracy, "share", len(right), ""),
        (f"{what}: answered", len(right) / max(1, asked), "share", asked, ""),
    ]


def _texts(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        rows = [
            "\n".join(value for name, value in row.items() if name and name.startswith(TEXT_COLUMNS) and value)
            for row in csv.DictReader(file)
        ]
    return sorted(set(rows) - {""})
