"""What was understood of ads: text and prices, labels, scores, videos, safety; by local models and rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from adology.settings import AdologySettings
from adology.store import Database

SURE = 0.5
Row = tuple[str, str, str, Any]
"""Key, subject, analyzer, result."""


class Read(msgspec.Struct, kw_only=True):
    """One brand's creatives: counts, and the longest line that was read."""

    creatives: int = 0
    with_text: int = 0
    lines: int = 0
    prices: int = 0
    suspect: int = 0
    highest_risk: float = 0.0
    example: str = ""


class Films(msgspec.Struct, kw_only=True):
    """One brand's videos; lists have an entry for each that has such a thing."""

    videos: int = 0
    lengths_s: list[float] = msgspec.field(default_factory=list)
    shots: int = 0
    first_cuts_s: list[float] = msgspec.field(default_factory=list)
    loudness: list[float] = msgspec.field(default_factory=list)
    silent: int = 0
    with_faces: int = 0
    looked_for_faces: int = 0


class Taxonomy(msgspec.Struct, kw_only=True):
    """Answers to one question: label → how often and the sum of confidences; `unknown`: subjects without one."""

    known: int = 0
    unknown: int = 0
    labels: Counter[str] = msgspec.field(default_factory=Counter)
    confidences: dict[str, float] = msgspec.field(default_factory=dict)


class Pack(msgspec.Struct, kw_only=True):
    """One pack of rules: of how many subjects something could be evaluated, and what failed most."""

    date: str = ""
    subjects: int = 0
    evaluated: int = 0
    adherence: float = 0.0
    lacking: int = 0
    rules: int = 0
    failed: Counter[str] = msgspec.field(default_factory=Counter)


class Understood(msgspec.Struct, kw_only=True):
    """Everything that the tables show; by brand, taxonomy and pack. Empty where nothing is installed that says it."""

    read: dict[str, Read] = msgspec.field(default_factory=dict)
    films: dict[str, Films] = msgspec.field(default_factory=dict)
    taxonomies: dict[str, Taxonomy] = msgspec.field(default_factory=dict)
    packs: dict[str, Pack] = msgspec.field(default_factory=dict)


async def understand(settings: AdologySettings, brands: Iterable[str]) -> Understood:
    """What the analyzers said of each brand's public ads. What two brands share counts once but for `read`."""
    told = Understood()
    counted: set[str] = set()
    async with Database(settings.postgres) as database:
        for brand in brands:
            add_rows(told, brand, await _load(database, brand), counted)
    return told


def add_rows(told: Understood, brand: str, rows: Sequence[Row], counted: set[str]) -> None:
    """Add one brand's results; the keys of labels and scores that are in `counted` are left out, the others put in."""
    _add_brand(told, brand, rows)
    for key, _, analyzer, result in rows:
        if key not in counted and analyzer.startswith(("labels", "scores")):
            counted.add(key)
            (_add_labels if analyzer.startswith("labels") else _add_scores)(told, result)


async def _load(database: Database, brand: str) -> list[Row]:
    """All results of the brand's public creatives and copies."""
    async with database.connection("demo.understood", brand=brand) as connection:
        found = await connection.execute(_RESULTS, [brand])
        return await found.fetchall()


def _add_brand(told: Understood, brand: str, rows: Iterable[Row]) -> None:
    read, films = Read(), Films()
    subjects = set()
    for _, subject, analyzer, result in rows:
        if analyzer == "text":
            _add_text(read, result)
        elif analyzer == "safety":
            read.highest_risk = max(read.highest_risk, result["score"])
        elif analyzer == "video":
            _add_film(films, result)
        if analyzer in ("text", "safety"):
            subjects.add(subject)
    read.creatives = len(subjects)
    if read.creatives:
        told.read[brand] = read
    if films.videos:
        told.films[brand] = films


def _add_text(told: Read, result: Mapping[str, Any]) -> None:
    lines = result.get("lines", [])
    told.with_text += bool(lines)
    told.lines += len(lines)
    prices = result.get("prices", [])
    told.prices += sum(price["confidence"] >= SURE for price in prices)
    told.suspect += sum(bool(price.get("suspect")) for price in prices)
    told.example = max(told.example, *(str(line["text"]) for line in lines), "", key=len)


def _add_film(told: Films, result: Mapping[str, Any]) -> None:
    told.videos += 1
    told.lengths_s.append(result["duration_s"])
    told.shots += len(result["shots"])
    if result.get("first_cut_s") is not None:
        told.first_cuts_s.append(result["first_cut_s"])
    loudness = (result.get("sound") or {}).get("lufs")
    if loudness is None:
        told.silent += 1
    else:
        told.loudness.append(loudness)
    told.looked_for_faces += bool(result["faces"].get("available"))
    told.with_faces += bool(result["faces"].get("share_of_time"))


def _add_labels(told: Understood, result: Mapping[str, Any]) -> None:
    answered = set()
    for label in result.get("labels", []):
        taxonomy, name = label["taxonomy"], label.get("name") or label["id"]
        one = told.taxonomies.setdefault(taxonomy, Taxonomy())
        one.labels[name] += 1
        one.confidences[name] = one.confidences.get(name, 0.0) + label["confidence"]
        answered.add(taxonomy)
    for taxonomy in answered:
        told.taxonomies[taxonomy].known += 1
    for taxonomy in result.get("unknown", []):
        told.taxonomies.setdefault(taxonomy, Taxonomy()).unknown += 1


def _add_scores(told: Understood, result: Mapping[str, Any]) -> None:
    for report in result.get("reports", []):
        pack = told.packs.setdefault(report["pack"], Pack())
        pack.date = report["date"]
        pack.subjects += 1
        pack.lacking += report["insufficient"]
        pack.rules += len(report["rules"])
        if report.get("adherence") is not None:
            pack.evaluated += 1
            pack.adherence += report["adherence"]
        pack.failed.update(rule["rule"] for rule in report["rules"] if rule["verdict"] == "fail")


_RESULTS = """
with public as (
    select d.id, d.copy_hash from brand_ads b join ads d on d.id = b.ad_id
    where b.brand = %s and d.owner_org_id is null
), keys as (
    select l.key, l.sha256 as subject, l.analyzer from public p join ad_assets m on m.ad_id = p.id
        join asset_analyses l on l.sha256 = m.sha256
    where l.analyzer in ('text', 'safety', 'video', 'labels', 'scores')
    union
    select l.key, p.copy_hash, l.analyzer from public p join ad_analyses l on l.ad_id = p.id
    where l.analyzer in ('labels_copy', 'scores_copy')
)
select k.key, k.subject, k.analyzer, n.result from keys k join analyses n on n.key = k.key
where n.state = 'done' order by k.subject, k.analyzer"""
