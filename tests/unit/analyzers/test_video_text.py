"""When a film shows text, taken from what the text analyzer says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from adology_text import Span, TextFacts, TextLine
from adology_video import TextTimes
from adology_video.video_analyzer import text_times
from tests.unit.analyzers.media_files import film, scene
from tests.unit.analyzers.video_lab import run


def line(*spans: tuple[float, float]) -> TextLine:
    found = tuple(Span(start_s=start, end_s=end) for start, end in spans)
    return TextLine(text="Sale", box=(0, 0, 1, 1), confidence=0.9, height_px=20, height_share=0.1, spans=found)


def plain(*lines: TextLine) -> Any:
    times = (0.5, 1.5, 2.5, 3.5)
    return msgspec.to_builtins(TextFacts(kind="video", width=320, height=180, lines=lines, sampled_s=times))


def test_the_first_line_and_the_share_of_looks_with_text() -> None:
    found = text_times(plain(line((2.5, 3.5)), line((1.5, 1.5), (3.5, 3.5))))
    assert found == TextTimes(first_s=1.5, share_of_time=0.75, lines=2)


def test_a_film_without_text_has_no_first_time() -> None:
    assert text_times(plain()) == TextTimes()


@pytest.mark.parametrize("result", [None, {"kind": "video"}, {"lines": 3}, "text"])
def test_without_a_usable_result_nothing_is_said(result: Any) -> None:
    assert text_times(result) is None


def test_the_analyzer_takes_it_from_the_results_of_the_item(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", [scene(320, 180)] * 5)
    assert run(path, tmp_path / "a", {"text": plain(line((0.5, 0.5)))}).facts.text == TextTimes(
        first_s=0.5, share_of_time=0.25, lines=1
    )
    assert run(path, tmp_path / "b").facts.text is None
