"""The analyzer with its real models, on pictures and a film that are drawn here."""

from __future__ import annotations

import importlib.util
import logging
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from adology import Context, MediaItem
from adology.errors import ConfigError, MediaUnusableError
from adology.testing import AnalyzerConformance
from adology_text import TextAnalyzer, TextFacts, TextSettings, engine

pytestmark = pytest.mark.anyio
pytest.importorskip("rapidocr", reason="the extra `local` is not installed")


class TestText(AnalyzerConformance):
    plugin = TextAnalyzer


def analyze(path: Path, **settings: float) -> TextFacts:
    item = MediaItem(
        sha256="0" * 64, path=path, kind="image", content_type="text/plain", size_bytes=path.stat().st_size
    )
    given = TextSettings(**settings)  # type: ignore[arg-type]  # by keyword
    facts = TextAnalyzer().analyze(Context("text", given), item)
    assert isinstance(facts, TextFacts)
    return facts


def write(picture: Image.Image, text: str, at: tuple[int, int], size: int, colour: str = "black") -> None:
    ImageDraw.Draw(picture).text(at, text, font=ImageFont.load_default(size), fill=colour)


def saved(picture: Image.Image, path: Path) -> Path:
    picture.save(path)
    return path


def test_a_script_that_the_model_does_not_know_is_left_out_and_said_to_be_unread(tmp_path: Path) -> None:
    picture = Image.new("RGB", (900, 700), "white")
    try:
        font = ImageFont.truetype("DejaVuSans-Bold.ttf", 54)
    except OSError:
        pytest.skip("no font with Cyrillic letters is installed")
    lines = ("СКИДКА на всё", "Только до 30 июня", "Бесплатная доставка", "Подробности на сайте")
    for row, line in enumerate(lines):
        ImageDraw.Draw(picture).text((40, 40 + 110 * row), line, font=font, fill="black")
    write(picture, "Brandline", (40, 560), 60)

    facts = analyze(saved(picture, tmp_path / "a.png"))

    assert [line.text for line in facts.lines] == ["Brandline"]
    assert facts.unread >= 3


def test_lines_are_read_with_place_height_and_contrast(tmp_path: Path) -> None:
    picture = Image.new("RGB", (800, 600), "white")
    write(picture, "Summer sale", (80, 60), 70)
    write(picture, "Only $49.99 until 28 May 2026", (80, 300), 36)
    write(picture, "Save 20% today", (80, 500), 30, "#767676")

    facts = analyze(saved(picture, tmp_path / "a.png"))

    assert [line.text for line in facts.lines] == ["Summer sale", "Only $49.99 until 28 May 2026", "Save 20% today"]
    assert (facts.kind, facts.width, facts.height, facts.scale) == ("image", 800, 600, 1.0)
    first, _, last = facts.lines
    assert first.box[0] == pytest.approx(0.1, abs=0.02)
    assert first.box[1] < 0.15 < first.box[3]
    assert first.confidence > 0.9
    assert first.contrast == pytest.approx(21, abs=0.5)
    assert last.contrast == pytest.approx(4.54, abs=0.3)
    assert facts.lowest_contrast == last.contrast
    assert 15 < last.height_px < 35
    assert facts.smallest_height_px == min(line.height_px for line in facts.lines)
    assert 0.05 < facts.text_share < 0.3
    (price,) = facts.prices
    assert (price.amount, price.currency, price.line, price.suspect) == ("49.99", "USD", 1, False)
    assert price.confidence > 0.8
    assert [(one.percent, one.line) for one in facts.percents] == [("20", 2)]
    assert [(one.values, one.line) for one in facts.dates] == [(("2026-05-28",), 1)]


def test_a_picture_without_text_has_no_lines_and_no_numbers(tmp_path: Path) -> None:
    facts = analyze(saved(Image.new("RGB", (400, 300), (90, 120, 60)), tmp_path / "a.png"))

    assert facts.lines == ()
    assert (facts.text_share, facts.smallest_height_px, facts.lowest_contrast) == (0.0, None, None)


def test_a_very_wide_creative_is_tiled_without_cut_or_double_lines(tmp_path: Path) -> None:
    picture = Image.new("RGB", (4000, 640), "white")
    text = "One long line that goes on over the border of every tile that it meets"
    write(picture, text, (60, 240), 100)

    facts = analyze(saved(picture, tmp_path / "wide.png"))

    assert [line.text.replace(" ", "") for line in facts.lines] == [text.replace(" ", "")]


def test_a_tiny_banner_is_enlarged(tmp_path: Path) -> None:
    picture = Image.new("RGB", (320, 50), "white")
    write(picture, "Free shipping today", (12, 16), 13)

    assert [line.text for line in analyze(saved(picture, tmp_path / "a.png")).lines] == ["Free shipping today"]


@pytest.mark.parametrize("turn", [90, 270])
def test_text_on_its_side_is_read(tmp_path: Path, turn: int) -> None:
    picture = Image.new("RGB", (700, 300), "white")
    write(picture, "Summer sale", (100, 100), 60)

    (line,) = analyze(saved(picture.rotate(turn, expand=True), tmp_path / "a.png")).lines

    assert line.text == "Summer sale"
    assert len(line.corners) == 4


def test_a_picture_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (200, 200)), tmp_path / "a.png")

    with pytest.raises(MediaUnusableError, match="40000 pixels, 1000 are allowed"):
        analyze(path, max_pixels=1000)


def test_a_broken_picture_is_refused_without_naming_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)

    with pytest.raises(MediaUnusableError, match="its header makes no sense") as refused:
        analyze(path)

    assert str(tmp_path) not in str(refused.value)


def test_lines_beyond_the_limit_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    picture = Image.new("RGB", (800, 740), "white")
    for row in range(3):
        write(picture, f"Line number {row + 1}", (80, 60 + 200 * row), 60)

    facts = analyze(saved(picture, tmp_path / "a.png"), max_lines=2)

    assert [line.text for line in facts.lines] == ["Line number 1", "Line number 2"]
    assert facts.truncated


def test_a_line_that_stands_over_frames_of_a_film_has_its_times(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(40):
            picture = Image.new("RGB", (640, 360), "white")
            write(picture, "Summer sale", (60, 60), 60)
            if number >= 20:
                write(picture, "Only $49.99", (60, 220), 60)
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)

    facts = analyze(path)

    assert facts.sampled_s == pytest.approx((0.5, 1.5, 2.5, 3.5), abs=0.11)
    assert [(line.text, [(one.start_s, one.end_s) for one in line.spans]) for line in facts.lines] == [
        ("Summer sale", [(facts.sampled_s[0], facts.sampled_s[3])]),
        ("Only $49.99", [(facts.sampled_s[2], facts.sampled_s[3])]),
    ]
    assert (facts.kind, facts.width, facts.height) == ("video", 640, 360)
    assert [price.amount for price in facts.prices] == ["49.99"]
    assert facts.mean_text_share is not None
    assert 0 < facts.mean_text_share < facts.text_share


def test_importing_the_package_loads_no_models() -> None:
    heavy = "{'onnxruntime', 'rapidocr', 'cv2', 'numpy', 'av'}"
    program = f"import sys, adology_text; print({heavy} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "set()"


def test_reading_says_nothing_on_the_way(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        engine.Reader(1).find(np.full((64, 64, 3), 255, dtype=np.uint8))

    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_missing_package_is_a_fault_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(ConfigError, match=r"needs the packages rapidocr and onnxruntime") as failed:
        engine.Reader(1)

    assert failed.value.setting == "analyzers.text"
    assert "pip install 'adology[local]'" in str(failed.value.hint)
