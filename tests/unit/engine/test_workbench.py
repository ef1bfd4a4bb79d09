"""Analyzers over files and texts without any server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adology import workbench
from adology.errors import EngineError
from adology_copy.model import CopyFacts
from adology_media.model import MediaFacts
from tests.bench.media_files import draw_pictures


def analyzed(files: Sequence[Path] = (), texts: Sequence[str] = (), **how: Any) -> list[workbench.Analyzed]:
    async def all_of_them() -> list[workbench.Analyzed]:
        return [one async for one in workbench.analyze(files, texts, **how)]

    return asyncio.run(all_of_them())


def test_files_and_texts_are_analysed_in_order_with_results_as_structs(tmp_path: Path) -> None:
    files = draw_pictures(tmp_path, 2)
    one, other, text = analyzed(files, ["Only 9.99 €"], scratch=tmp_path / "made")
    assert [one.name, other.name, text.name] == [*map(str, files), "Only 9.99 €"]
    media = one.result("media", MediaFacts)
    assert media is not None
    assert (media.kind, media.format) == ("image", "jpeg")
    copy = text.result("copy", CopyFacts)
    assert copy is not None
    assert [price.amount for price in copy.prices] == ["9.99"]
    assert one.result("copy", CopyFacts) is None
    with pytest.raises(msgspec.ValidationError):
        one.result("media", CopyFacts)
    assert list((tmp_path / "made" / "0").rglob("thumbnail.jpg"))


def test_only_some_analyzers_run_and_a_wrong_name_is_told(tmp_path: Path) -> None:
    (one,) = analyzed(draw_pictures(tmp_path, 1), only=["media"])
    assert set(one.results) == {"media"}
    with pytest.raises(ValueError, match=r"no analyzer of files or copies is called 'medai'; there are .*media"):
        analyzed(texts=["x"], only=["medai"])


def test_a_file_that_cannot_be_read_is_told_of_before_anything_runs(tmp_path: Path) -> None:
    good = draw_pictures(tmp_path, 1)
    with pytest.raises(EngineError, match="cannot be read"):
        analyzed([*good, tmp_path / "absent.png"])


def test_a_broken_picture_has_an_error_in_the_place_of_its_result(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (one,) = analyzed([broken], only=["media"])
    assert one.results == {}
    assert [said.error_code for said in one.said] == ["ADO-3101"]
