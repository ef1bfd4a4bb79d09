"""How well text is read, beside the bare library at its best setting in the same run.

Truth: `labelled/dev_ocr_truth.jsonl` of the shared data, and creatives drawn with known truth. The
bare library's best of three settings that were tried on that data is the default without its
upside-down classifier; with `text_score` 0.3 as well it is as good. Larger sides were not measured.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adology_copy import money
from adology_copy.model import Piece as Copy
from adology_media.sniff import sniff
from adology_text import TextFacts, TextSettings
from adology_text.decode import open_picture
from adology_text.engine import shared_reader
from adology_text.reading import read_pixels
from tests.quality import ocr_drawn as drawn
from tests.quality import ocr_scripts as scripts
from tests.quality.ocr_scoring import Tally
from tests.quality.ocr_script_lines import SCRIPTS

Row = tuple[str, Any, str, int, str]
Pixels = NDArray[np.uint8]
Lines = Callable[[Pixels], list[str]]

TRUTH = "labelled/dev_ocr_truth.jsonl"
GREEK_OR_MARKED = frozenset({"el", "vi", "tr"})
"""Languages whose letters the model has only in part."""

UNLISTED_PRICES = {"gold-A1.webp": (842.64,)}
"""Amounts that stand in a picture and not in its truth, which is partial: this one on an electricity bill in the photo.

Reporting one is right; whether it is found does not count, as nobody looked for all others of its kind.
"""

GROUPS = {"creatives/egh": "photo ads", "creatives/hvac": "dense ads", "creatives/banners_es": "banners"}
CONFIDENT = 0.8
SETTINGS = TextSettings(threads=2)


@dataclass(frozen=True)
class Labelled:
    """A picture with its true lines; `partial`: there are more lines in it. `unlisted`: amounts in some of those."""

    picture: Pixels
    lines: tuple[str, ...]
    group: str
    partial: bool
    unlisted: tuple[float, ...] = ()


@dataclass
class Prices:
    """What became of true prices, and of those that were reported."""

    true: int = 0
    found: int = 0
    sure: int = 0
    reported: int = 0
    wrong: int = 0
    wrong_sure: int = 0


def measure(data: Path) -> list[Row]:
    """Everything; about ten minutes of one core."""
    return [*measure_labelled(data), *measure_drawn(data), *measure_prices(data), *measure_scripts(data)]


def measure_labelled(data: Path, *, step: int = 1) -> list[Row]:
    """Line recall and character error on the labelled pictures, by group."""
    rows: list[Row] = []
    prices = Prices()
    pictures = list(labelled(data, step))
    ours: list[list[str]] = []
    began = time.perf_counter()
    for one in pictures:
        facts = _facts(one.picture)
        ours.append([line.text for line in facts.lines])
        _count(prices, facts, _true_amounts(one.lines), partial=one.partial, unlisted=one.unlisted)
    took = time.perf_counter() - began
    bare = bare_reader()
    began = time.perf_counter()
    theirs = [bare(one.picture) for one in pictures]
    for name, seen, seconds in (("adology", ours, took), ("bare", theirs, time.perf_counter() - began)):
        tallies: dict[str, Tally] = {}
        for one, lines in zip(pictures, seen, strict=True):
            for group in ("all", one.group):
                tallies.setdefault(group, Tally()).add(one.lines, lines, partial=one.partial)
        for group, tally in tallies.items():
            rows += _rows(f"text: {group}, {name}", tally)
        rows.append((f"text: time, {name}", seconds / len(pictures), "s/picture", len(pictures), "2 threads"))
    return [
        *rows,
        *_price_rows("text: prices, labelled", prices, "truth of dense ads is partial: wrong is an upper bound"),
    ]


def measure_drawn(
    data: Path,
    *,
    count: int = 40,
    kinds: Sequence[str] = (drawn.SMALL, drawn.PALE, drawn.NORMAL),
    sizes: Sequence[tuple[int, int]] = drawn.SIZES,
) -> list[Row]:
    """The same on drawn creatives: letters of 9 to 12 px, contrast of about 1.6, and ordinary ones."""
    bare, rows = bare_reader(), list[Row]()
    for kind in kinds:
        ours, theirs = Tally(), Tally()
        for one in drawn.creatives(kind, count, photos(data), sizes=sizes):
            ours.add(one.lines, [line.text for line in _facts(one.picture).lines], partial=False)
            theirs.add(one.lines, bare(one.picture), partial=False)
        rows += [*_rows(f"text: drawn, {kind}, adology", ours), *_rows(f"text: drawn, {kind}, bare", theirs)]
    return rows


def measure_prices(data: Path, *, count: int = 150, seed: int = 11) -> list[Row]:
    """Drawn ads with one price each; half of the prices are 13 px high or less."""
    prices = Prices()
    for one in drawn.prices(count, photos(data), seed=seed):
        _count(prices, _facts(one.picture), [float(one.price)], partial=False)
    return _price_rows("text: prices, drawn", prices, "sizes 9 to 40 px, mostly straight on photos")


def measure_scripts(data: Path, *, names: Sequence[str] = tuple(SCRIPTS), rounds: int = 3, seed: int = 1) -> list[Row]:
    """Drawn lines of many scripts: those that the recogniser knows, and what it makes of the others."""
    rows: list[Row] = []
    for name in names:
        drawn_ = scripts.drawn_script(name, photos(data), rounds=rounds, seed=seed)
        facts = [_facts(one.picture) for one in drawn_]
        rows += scripts.measure_script(name, drawn_, facts) if drawn_ else scripts.skipped(name)
    return rows


def labelled(data: Path, step: int = 1) -> Iterator[Labelled]:
    """Every `step`-th labelled picture."""
    for text in (data / TRUTH).read_text(encoding="utf-8").splitlines()[::step]:
        entry = json.loads(text)
        path = data / entry["file"]
        group = next((name for start, name in GROUPS.items() if entry["file"].startswith(start)), "")
        if not group:
            page = not entry["file"].startswith("labelled/ocr/overlay")
            group = "pages" if page else "partly known letters" if entry["lang"] in GREEK_OR_MARKED else "overlays"
        picture = open_picture(path, sniff(path), SETTINGS.max_pixels)
        unlisted = UNLISTED_PRICES.get(path.name, ())
        yield Labelled(picture, tuple(entry["lines"]), group, entry.get("partial", False), unlisted)


def photos(data: Path) -> list[Path]:
    """Backgrounds."""
    return sorted((data / "photos").rglob("*.jpg"))[:25]


def bare_reader() -> Lines:
    """The library as it comes, at its best setting."""
    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "EngineConfig.onnxruntime.intra_op_num_threads": SETTINGS.threads,
        }
    )
    return lambda picture: _texts(engine(np.ascontiguousarray(picture[:, :, ::-1])))


def _texts(answer: Any) -> list[str]:
    """The library answers with one of several types; with all three steps it is the one with texts."""
    return list(answer.txts or ())


def _facts(picture: Pixels) -> TextFacts:
    return read_pixels(picture, SETTINGS, shared_reader(SETTINGS.threads))


def _true_amounts(lines: Iterable[str]) -> list[float]:
    found, off = money.find([Copy(where="body", index=0, text=line) for line in lines], "en")
    return [*(float(one.amount) for one in found), *(float(one.amount) for one in off if one.amount)]


def _count(
    prices: Prices, facts: TextFacts, true: Sequence[float], *, partial: bool, unlisted: Sequence[float] = ()
) -> None:
    seen = [(float(one.amount), one.confidence > CONFIDENT) for one in facts.prices]
    prices.true += len(true)
    prices.found += sum(any(amount == one for one, _ in seen) for amount in true)
    prices.sure += sum(any(amount == one and sure for one, sure in seen) for amount in true)
    if not partial or true:
        prices.reported += len(seen)
        wrong = [sure for amount, sure in seen if amount not in true and amount not in unlisted]
        prices.wrong += len(wrong)
        prices.wrong_sure += sum(wrong)


def _rows(name: str, tally: Tally) -> list[Row]:
    rows: list[Row] = [
        (f"{name}: line recall", tally.recall, "share", tally.lines, "at most 10% of the letters wrong"),
        (f"{name}: lines exact", tally.exact_share, "share", tally.lines, "but for case and spaces"),
    ]
    if tally.letters:
        rows.append((f"{name}: character error", tally.cer, "share", tally.letters, "case and spaces count"))
        rows.append((f"{name}: lines not in the truth", tally.invented_share, "share", tally.seen, ""))
    return rows


def _price_rows(name: str, prices: Prices, note: str) -> list[Row]:
    true, reported = max(1, prices.true), max(1, prices.reported)
    return [
        (f"{name}: found with the right amount", prices.found / true, "share", prices.true, note),
        (f"{name}: … with confidence above 0.8", prices.sure / true, "share", prices.true, note),
        (f"{name}: wrong", prices.wrong / reported, "share", prices.reported, note),
        (f"{name}: wrong with confidence above 0.8", prices.wrong_sure, "prices", prices.reported, note),
    ]
