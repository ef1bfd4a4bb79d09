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
from adology.log import logger
from adology.settings import AdologySettings
from adology.types import Ad
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
    with pytest.raises(ValueError, match=r"no analyzer of files or copies is called 'medai'\. Did you mean media\?"):
        analyzed(texts=["x"], only=["medai"])
    with pytest.raises(ValueError, match=r"is called 'zzzz'; there are copy, .*, media, "):
        analyzed(texts=["x"], only=["zzzz"])


def test_an_analyzer_that_cannot_work_is_asked_for_in_vain_and_the_reason_is_told() -> None:
    settings = AdologySettings(analyzers={"copy": {"max_carsh": 500}})
    with pytest.raises(workbench.UnknownAnalyzerError, match=r"analyzer copy cannot work: .*Did you mean .*max_chars"):
        analyzed(texts=["x"], only=["copy"], settings=settings)
    (one,) = analyzed(texts=["x"], settings=settings)
    assert "copy" not in one.results


def test_an_analyzer_with_nothing_to_say_is_no_failure_in_the_log() -> None:
    lines: list[Any] = []
    handler = logger.add(lambda line: lines.append(line.record), level="DEBUG")
    try:
        (one,) = analyzed(texts=["   "], only=["copy"])
    finally:
        logger.remove(handler)
    (said,) = one.said
    assert (said.skipped, said.error_code) == (True, "ADO-5002")
    (call,) = [line for line in lines if line["extra"].get("operation") == "copy"]
    assert (call["level"].name, call["extra"]["outcome"]) == ("DEBUG", "ok")
    assert "has no copy" in call["extra"]["declined"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_copy_of_a_text_file_is_read_in_its_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "AD.TXT").write_bytes("Nur 9,99 € für Schuhe".encode(encoding))
    (one,) = analyzed([tmp_path / "AD.TXT"], only=["copy"])
    assert isinstance(one.subject, Ad)
    assert one.subject.bodies == ("Nur 9,99 € für Schuhe",)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("ad.txt", b"\xff\xd8\xff\xe0" + bytes(50), r"is image/jpeg, although its name ends as that of a text\.$"),
        ("ad.txt", b"some\0bytes", r"is of an unknown type, although its name ends as that of a text\.$"),
        ("ad.jpg", b"just words", r"is text/plain, not an image or a video\. Copy of an ad stands in a \.txt file\.$"),
        ("ad.jpg", b"", r"is of an unknown type, not an image or a video\.$"),
        ("folder", None, r"cannot be read: Is a directory\. Give the files in it, such as FOLDER/\*\.$"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(EngineError, match=words):
        analyzed([path], only=["media", "copy"])


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
