"""Results as a page: what is shown, that strangers' words stay words, and that pages are well-formed."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from adology.cli.analyze_page import render
from adology.cli.model import AnalyzedItem
from adology.engine.offline import Said
from tests.unit.cli import results

VOID = {"meta", "img", "br", "input"}


class Outline(HTMLParser):
    """Tags as a browser sees them; fails on a tag that is not closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.titles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.titles += [value or "" for name, value in attrs if name == "title"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def outline(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    found.close()
    assert found.open == []
    return found


def said_of(found: dict[str, Any]) -> list[Said]:
    return [Said(analyzer=name, version=1, result=one) for name, one in found.items()]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.new("RGB", (320, 400), "navy").save(tmp_path / "ad.png")
    return tmp_path / "ad.png"


def page_of(picture: Path, said: list[Said], kind: str = "image", name: str = "") -> str:
    return render([(AnalyzedItem(name=name or str(picture), kind=kind, sha256="" if kind == "ad" else "00"), said)])


def test_each_analyzer_has_a_section_that_people_can_read(picture: Path) -> None:
    page = page_of(picture, said_of(results.ALL))
    text = " ".join("".join(outline(page).texts).split())
    for words in (
        "1 of 3", "Text covers little.", "0.39–0.491", "nobody knows the brand", "source: a norm (norm)",  # noqa: RUF001
        "“50% off” line 3".replace("“", "").replace("”", ""), "unknown (2)", "people who like trains",
        "suspect: no decimals, tiny, a second look reads 5.8", "seen in the picture, at 1:01.2", "50% of 60 looks",
        "-17.2 LUFS", "Buy it now.", "flagged", "Casino", "no call to action was found", "640 × 360 px", "m/1/384/f32",  # noqa: RUF001
    ):  # fmt: skip
        assert words in text, words
    assert [name for name in results.ALL if f"<h3>{name}</h3>" not in page] == []
    assert page.count('<details class="raw">') == len(results.ALL)
    assert "A" * 300 not in page


def test_text_is_marked_on_the_picture_and_failed_rules_can_be(picture: Path) -> None:
    page = page_of(picture, said_of(results.ALL))
    assert '<span class="box text" tabindex="0" style="left:10.00%;top:10.00%;width:30.00%;height:10.00%">' in page
    assert '<span class="box text r d" tabindex="0" style="left:60.00%' in page
    assert '<input type="checkbox" class="switch t" id="t1" checked>' in page
    assert '<label class="kf" for="f1">failed rules (1)</label>' in page
    assert "<b>✗ text-density: 0.39–0.491<small>≤ 0.2; meta-feed</small></b>" in page  # noqa: RUF001 - a range


def test_a_video_has_its_storyboard_and_a_timeline(tmp_path: Path, picture: Path) -> None:
    sheet = tmp_path / "storyboard.jpg"
    Image.new("RGB", (640, 300), "red").save(sheet)
    said = [
        Said(analyzer="video", version=1, result=results.VIDEO, derived=(sheet,)),
        *said_of({"text": results.TEXT, "transcript": results.TRANSCRIPT}),
    ]
    page = page_of(picture, said, kind="video")
    found = outline(page)
    assert page.count('src="data:image/webp;base64,') == 1
    for title in (
        "0:00.0–0:04.2 shot 1, start", "0:04.2–1:00.0 shot 2, cut", "0:01.0–0:03.0 Half price", "0:02.0–0:09.0 faces",  # noqa: RUF001
        "0:00.5–0:02.0 Buy it now.", "0:50.0–0:53.0 silence",  # noqa: RUF001 - ranges
    ):  # fmt: skip
        assert title in found.titles
    assert '<span style="left:100.00%">1:15</span>' in page


@pytest.mark.parametrize("kind", ["image", "video", "ad"])
@pytest.mark.parametrize("text", [results.EVIL, results.TURNED], ids=["markup", "direction"])
def test_what_strangers_write_stays_words(picture: Path, kind: str, text: str) -> None:
    said = said_of({name: results.spoil(one, text) for name, one in results.ALL.items()})
    said.append(Said(analyzer="broken", version=2, error=text, error_code="ADO-3002"))
    item = AnalyzedItem(name=text if kind == "ad" else str(picture), kind=kind, sha256="" if kind == "ad" else "00")
    page = render([(item, said), (AnalyzedItem(name=text, kind="ad"), [])])
    found = outline(page)
    assert not found.seen & {"script", "svg", "iframe", "object", "link", "base", "form"}
    assert not {name for name in found.attributes if name.startswith("on")}
    assert "<img src=x" not in page
    assert "url(//evil)" not in page.replace("(//evil)&quot;", "")
    assert all(letter.isprintable() or letter == "\n" for letter in page)
    assert page.count("default-src 'none'; img-src data:; style-src 'unsafe-inline'") == 1


def test_colours_that_are_none_do_not_get_into_the_style(picture: Path) -> None:
    page = page_of(picture, said_of({"media": results.MEDIA}))
    assert "background:#a3bb3c" in page
    assert "background:red" not in page


@pytest.mark.parametrize("name", results.ALL)
def test_results_of_the_right_names_and_wrong_kinds_break_nothing(picture: Path, name: str) -> None:
    for kind in ("image", "video"):
        outline(page_of(picture, said_of({name: results.mangle(results.ALL[name])}), kind))


def test_several_items_have_a_menu(picture: Path) -> None:
    item = AnalyzedItem(name=str(picture), kind="image", sha256="00")
    page = render([(item, []), (item, [])])
    assert '<a href="#i2">' in page
    assert 'id="i2"' in page
    assert "<nav>" not in render([(item, [])])
