"""What analyzers say about files and texts, without servers: as a table, JSON and a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from adology.cli.analyze_page import render
from adology.cli.analyze_words import summary
from adology.cli.model import AnalyzedItem
from tests.unit.cli.conftest import Run


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    image = Image.new("RGB", (320, 200), "navy")
    ImageDraw.Draw(image).text((40, 80), "Half price", fill="white")
    path = tmp_path / "ad.png"
    image.save(path)
    return path


def test_every_analyzer_of_its_kind_says_something(run: Run, picture: Path) -> None:
    found = run("analyze", picture, "--text", "Only 49.99 € today", "--json", "--only", "media", "--only", "copy")
    assert found.code == 0, found.err
    image, copy = found.json
    assert (image["name"], image["kind"], image["content_type"]) == (str(picture), "image", "image/png")
    (media,) = image["analyses"]
    assert (media["analyzer"], media["result"]["width"], media["derived"]) == ("media", 320, ["thumbnail.jpg"])
    assert (copy["kind"], copy["analyses"][0]["result"]["prices"][0]["amount"]) == ("ad", "49.99")


def test_people_see_a_table_for_each(run: Run, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.txt").write_text("Only today: 20% off everything! https://shop.example")
    found = run("analyze", picture, "copy.txt", "--only", "media", "--only", "copy")
    assert found.code == 0, found.err
    assert f"{picture}  image/png" in found.out
    assert "320 × 200 px  png  other" in found.out  # noqa: RUF001 - the sign for sizes
    assert "20% off  shop.example" in found.out


def test_the_page_shows_the_picture_with_its_boxes_and_runs_nothing(run: Run, picture: Path, tmp_path: Path) -> None:
    found = run("analyze", picture, "--html", "page.html", "--only", "media")
    assert found.code == 0, found.err
    page = (tmp_path / "page.html").read_text()
    assert '<img alt="" src="data:image/webp;base64,' in page
    assert "default-src 'none'" in page
    assert "<dt>size</dt><dd><bdi>320 × 200 px</bdi></dd>" in page  # noqa: RUF001 - the sign for sizes
    assert "<script" not in page


def test_a_picture_that_cannot_be_shown_is_told(tmp_path: Path) -> None:
    (tmp_path / "half.jpg").write_bytes(b"\xff\xd8\xff\xe0nothing")
    assert "The picture cannot be shown." in render([(AnalyzedItem(name=str(tmp_path / "half.jpg"), kind="image"), [])])


def test_an_analyzer_that_fails_is_shown_and_is_exit_code_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "half.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(50))
    found = run("analyze", "half.jpg", "--only", "media", "--json")
    assert found.code == 1
    assert found.json[0]["analyses"][0]["error_code"] == "ADO-3101"


def test_what_an_analyzer_fails_on_or_declines_stands_in_the_answer_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "half.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(50))
    (tmp_path / "none.txt").touch()
    found = run("analyze", "half.jpg", "none.txt", "--only", "media", "--only", "copy")
    assert "[ADO-3101]" in found.out
    assert "ad none.txt has no copy" in found.out
    assert found.err == ""
    assert "WARNING" in run("analyze", "half.jpg", "--only", "media", "--log-level", "warning").err


def test_where_no_chosen_analyzer_takes_such_an_item_it_is_told(run: Run, picture: Path) -> None:
    found = run("analyze", picture, "--text", "Half price", "--only", "copy")
    assert found.code == 0, found.err
    assert "none of the analyzers chosen takes images" in found.out
    assert "none of the analyzers chosen takes copy" not in found.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "give files, or --text"),
        (["gone.png"], 1, "gone.png cannot be read: No such file or directory."),
        (["page.html"], 1, "page.html is text/html, not an image or a video."),
        (["ad.json"], 1, "ad.json is not an ad as JSON: JSON is malformed"),
        (["--text", "x", "--only", "wrods"], 2, "no analyzer of files or copies is called 'wrods'; there are"),
        (["--text", "x", "--html", "no/where.html"], 2, "there is no folder"),
        (["--text", "x", "--html", "."], 2, "--html . is a folder, not a file"),
        (["--text", " "], 2, "--text is empty"),
    ],
)
def test_what_cannot_be_analysed_is_named(
    run: Run, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "page.html").write_text("<!doctype html><html></html>")
    (tmp_path / "ad.json").write_text("{oops")
    found = run("analyze", *arguments)
    assert found.code == code
    assert words in " ".join(found.err.split())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a_b": 1, "empty": [], "none": None, "text": ""}, [("a b", "1")]),
        ({"x": True, "y": 0.123456, "z": float("nan")}, [("x", "yes"), ("y", "0.123"), ("z", "nan")]),
        ({"r": {"low": 0.1, "high": 0.25}, "o": {"low": 3}}, [("r", "0.1–0.25"), ("o", "≥ 3")]),  # noqa: RUF001 - ranges
        ({"v": [0.5] * 1024}, [("v", "1,024 numbers")]),
        ({"v": "A" * 5000}, [("v", "5,000 characters")]),
        ({"lines": [{"text": "one", "box": [0, 0, 1, 1]}, {"text": "two"}]}, [("lines", "one, two")]),
        ({"lines": [{"text": str(n)} for n in range(9)]}, [("lines", "0, 1, 2, 3 … (9)")]),
        ({"audio": {"codec": "aac", "rate": 48000, "note": ""}}, [("audio", "codec aac, rate 48000")]),
        ("plain", [("result", "plain")]),
    ],
)
def test_any_result_is_told_in_a_few_words(value: Any, words: list[tuple[str, str]]) -> None:
    assert list(summary(value)) == words
