from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageOps

from adology import Context, MediaItem
from adology.engine.analyzers import prepare
from adology.engine.invoke import Invoker, Outcome, Work
from adology.isolation import IsolatedPool
from adology.money.calls import Payer
from adology.plugins import load_plugins
from adology.testing import AnalyzerConformance
from adology_embeddings import (
    VisualEmbedding,
    VisualEmbeddingAnalyzer,
    VisualEmbeddingSettings,
    cosine,
    pictures,
    unpack,
)
from adology_open_nsfw import Sight, Sights

from .media_files import encoded, film, scene

GIB = 1024**3


def item(path: Path) -> MediaItem:
    # The kind and type are wrong on purpose: only the bytes may count.
    return MediaItem(sha256="0" * 64, path=path, kind="image", content_type="text/plain", size_bytes=1)


def analyze(path: Path, **settings: Any) -> VisualEmbedding:
    context = Context("visual_embedding", VisualEmbeddingSettings(**settings), section="analyzers")
    return asyncio.run(VisualEmbeddingAnalyzer().analyze(context, item(path)))


def of(picture: Image.Image) -> VisualEmbedding:
    return pictures.embed(Sights(pictures=(Sight(picture=picture),)))


class TestVisualEmbedding(AnalyzerConformance):
    plugin = VisualEmbeddingAnalyzer


def test_a_changed_picture_is_nearer_than_another(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(scene(seed=1), "PNG"))
    original = analyze(tmp_path / "a.png")
    mirrored = of(ImageOps.mirror(scene(seed=1)).resize((200, 170)))
    assert cosine(original, mirrored) > max(cosine(original, of(scene(seed=seed))) for seed in range(2, 6))


def test_the_result_names_its_space_and_the_vector_has_length_one() -> None:
    result = of(scene())
    assert result.space == pictures.space().id
    assert result.space.startswith("open-nsfw-pool/")
    assert result.space.endswith("/1024/f32")
    assert np.linalg.norm(unpack(result.vector, result.space)) == pytest.approx(1.0, abs=1e-6)
    assert VisualEmbeddingAnalyzer.needs(VisualEmbeddingSettings()).uses == (result.space,)


def test_a_still_has_no_frames() -> None:
    assert of(scene()).frames == ()
    assert (of(scene()).pictures, of(scene()).flat) == (1, False)


def test_a_film_is_the_mean_of_its_frames(tmp_path: Path) -> None:
    path = film(tmp_path / "x.mp4", [scene(160, 120, seed=i // 5) for i in range(20)], fps=10)
    result = analyze(path, frames=4)
    vectors = np.stack([unpack(frame.vector, result.space) for frame in result.frames])
    mean = vectors.mean(axis=0)
    assert len(vectors) == result.pictures == 4
    assert unpack(result.vector, result.space) == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_black_at_the_beginning_and_end_does_not_count(tmp_path: Path) -> None:
    black = [Image.new("RGB", (160, 120))] * 10
    shown = [scene(160, 120, seed=1)] * 10
    result = analyze(film(tmp_path / "x.mp4", [*black, *shown, *black], fps=10), frames=3)
    assert (result.pictures, len(result.frames), result.flat) == (1, 3, False)
    assert cosine(result, of(scene(160, 120, seed=1))) > 0.9


def test_a_blank_picture_says_that_it_is_blank() -> None:
    assert of(Image.new("RGB", (100, 100), "white")).flat


@pytest.mark.parametrize(("most", "kept"), [(0, 0), (1, 1), (2, 2), (9, 6)])
def test_no_more_frames_are_kept_than_asked_for(most: int, kept: int) -> None:
    sights = Sights(pictures=tuple(Sight(picture=scene(64, 48, seed=i), time_s=float(i)) for i in range(6)))
    result = pictures.embed(sights, frame_vectors=most)
    assert len(result.frames) == kept
    assert result.pictures == 6
    assert [frame.time_s for frame in result.frames] == sorted({frame.time_s for frame in result.frames})


def test_in_a_child_process_of_two_gib_the_result_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(scene(), "PNG"))
    (analyzer,) = [
        one for one in prepare(load_plugins(only=("embeddings",)).loaded, {}) if one.name == "visual_embedding"
    ]

    async def story() -> Outcome:
        async with IsolatedPool(1, memory_bytes=2 * GIB) as pool:
            work = Work(item=item(tmp_path / "a.png"), key="", payer=Payer())
            return await Invoker(pool).invoke(analyzer, work, tmp_path)

    assert msgspec.convert(asyncio.run(story()).result, VisualEmbedding) == analyze(tmp_path / "a.png")
