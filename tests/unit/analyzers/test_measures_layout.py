from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adology_scores.evidence import Box, Range
from adology_scores.inputs import Line, Stretch, Text
from adology_scores.layout import blocks, cells, contrast, level, margin, measure_layout, type_size
from adology_scores.lines import area, ink_box, type_size_px, union
from adology_scores.measures_model import Measures
from adology_scores.sheet import Sheet

SHARE = st.floats(0, 1, allow_nan=False)
BOXES = st.lists(
    st.tuples(SHARE, SHARE, SHARE, SHARE).map(
        lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
    ),
    max_size=8,
)


def line(text: str = "Summer sale", box: Box = (0.1, 0.1, 0.9, 0.2), **more: Any) -> Line:
    fields: dict[str, Any] = {"confidence": 0.99, "height_px": 60.0, "height_share": 0.06, "contrast": 8.0}
    return Line(text=text, box=box, **(fields | more))


def page(*lines: Line, width: int = 1000, height: int = 1000, **more: Any) -> Text:
    return Text(width=width, height=height, lines=lines, **more)


def measured(text: Text) -> Measures:
    sheet = Sheet()
    measure_layout(text, sheet, exact=True)
    return sheet.close("image")


def missing(measures: Measures) -> dict[str, str]:
    return {one.measure: one.why for one in measures.missing}


def test_a_picture_without_text_has_none_of_it_and_says_what_cannot_be_known() -> None:
    found = measured(page())
    assert found.text_density == Range(low=0.0, high=0.0)
    assert (found.text_cells, found.text_level, found.text_lines) == (0.0, "none", 0)
    assert found.cta_in_picture is False
    assert missing(found) == {
        "text_contrast": "no text was found",
        "text_contrast_margin": "no text was found",
        "text_size_px": "no text was found",
        "cta_share": "no call to action was found in the text",
        "cta_contrast": "no call to action was found in the text",
    }


def test_text_in_a_script_that_cannot_be_read_is_no_absence_of_text() -> None:
    found = measured(page(unread=3))
    assert found.text_density is None
    assert found.cta_in_picture is None
    assert missing(found)["text_density"] == "3 places look like text that could not be read"


def test_lines_that_were_read_badly_and_lone_signs_do_not_count() -> None:
    found = measured(page(line(confidence=0.69), line("*"), line("5")))
    assert found.text_lines == 0


def read(*lines: Line, share: float) -> Measures:
    sheet = Sheet()
    measure_layout(page(*lines, text_share=share), sheet)
    return sheet.close("image")


def test_density_counts_overlaps_once_and_lies_between_letters_and_the_boxes_around_them() -> None:
    twice = measured(page(line(height_px=100.0), line(height_px=100.0)))
    assert twice.text_density == Range(low=0.08, high=0.08)
    found = read(line(height_px=60.0), share=0.08)
    assert found.text_density == Range(low=round(0.76 * 0.06, 4), high=0.08)
    assert found.text_level == "low"


def test_a_level_is_told_only_where_both_ends_are_of_it() -> None:
    found = read(line(height_px=60.0), share=0.12)
    assert found.text_level is None
    assert missing(found)["text_level"] == "between low and medium: boxes are not exact enough"


@pytest.mark.parametrize(
    ("density", "name"),
    [(0.0, "none"), (0.0001, "low"), (0.1, "low"), (0.1001, "medium"), (0.2, "medium"), (0.2001, "high"), (1, "high")],
)
def test_levels_begin_above_their_edges(density: float, name: str) -> None:
    assert level(density) == name


def test_a_box_over_an_edge_touches_both_cells_unless_only_by_a_hair() -> None:
    assert cells([(0.05, 0.05, 0.15, 0.15)]) == 1 / 25
    assert cells([(0.1, 0.05, 0.3, 0.15)]) == 2 / 25
    assert cells([(0.1, 0.05, 0.2001, 0.15)]) == 1 / 25
    assert cells([(0, 0, 1, 1)]) == 1


def test_neighbouring_lines_are_one_block() -> None:
    near = [(0.1, 0.1, 0.9, 0.15), (0.1, 0.18, 0.9, 0.23)]
    far = [(0.1, 0.6, 0.9, 0.65)]
    assert blocks(near, 1000, 1000) == 1
    assert blocks(near + far, 1000, 1000) == 2
    assert blocks([], 1000, 1000) == 0
    # In a picture twice as tall, the same shares are twice as far apart, but so are the lines' heights.
    assert blocks(near, 1000, 2000) == 1


@pytest.mark.parametrize(
    ("text", "height_px", "width", "size"),
    [("SALE", 73.0, 390, 100.0), ("Sale page", 94.0, 390, 100.0), ("sea", 52.0, 390, 100.0), ("SALE", 73.0, 780, 50.0),
     ("SALE", 73.0, 200, 100.0)],
)  # fmt: skip
def test_type_size_is_that_on_a_phone(text: str, height_px: float, width: int, size: float) -> None:
    assert type_size_px(line(text, height_px=height_px), width) == pytest.approx(size)


@pytest.mark.parametrize(("size", "asked"), [(23.9, 4.5), (24.1, 3.0)])
def test_large_letters_need_less_contrast(size: float, asked: float) -> None:
    found = margin(line("SALE", height_px=0.73 * size, contrast=9.0), page(width=390), exact=True)
    assert found == Range(low=round(9 / asked, 3), high=round(9 / asked, 3))


def test_where_it_is_not_sure_whether_letters_are_large_either_may_be_asked() -> None:
    # The box is 30 px high on a phone: type of 15 to 30 px.
    tall = line("SALE", box=(0.1, 0.1, 0.9, 0.2), height_px=20.0, contrast=4.0)
    text = page(width=390, height=300)
    assert type_size(tall, text) == Range(low=15.0, high=30.0)
    found = margin(tall, text)
    assert found == Range(low=round(contrast(tall).low / 4.5, 3), high=round((contrast(tall).high or 0) / 3.0, 3))


@pytest.mark.parametrize(
    ("height_px", "low", "high"),
    [(17.9, 3.81, 5.8), (18.0, 3.81, 5.4), (24.9, 3.81, 5.4), (25.0, 3.81, 4.48)],
)
def test_contrast_of_small_letters_is_known_less_exactly(height_px: float, low: float, high: float) -> None:
    assert contrast(line(height_px=height_px, contrast=4.0)) == Range(low=low, high=high)


def test_contrast_stays_within_what_there_is() -> None:
    assert contrast(line(contrast=21.0)) == Range(low=20.0, high=21.0)
    assert contrast(line(contrast=1.0)) == Range(low=1.0, high=1.12)


def test_the_type_of_a_tilted_line_is_told_by_its_letters() -> None:
    tilted = line("SALE", box=(0.1, 0.1, 0.9, 0.9), height_px=73.0, corners=((0.1, 0.1), (0.9, 0.8)))
    assert type_size(tilted, page(width=390)) == Range(low=66.7, high=150.0)


def test_the_lowest_margin_is_not_that_of_the_lowest_contrast_where_that_line_is_large() -> None:
    large, fine = line("BIG", height_px=100.0, contrast=3.1), line("fine", height_px=20.0, contrast=4.0)
    found = measured(page(large, fine))
    assert found.text_contrast == Range(low=3.1, high=3.1)
    assert found.text_contrast_margin == Range(low=round(4.0 / 4.5, 3), high=round(4.0 / 4.5, 3))
    told = {one.measure: one.line for one in found.evidence}
    assert (told["text_contrast"], told["text_contrast_margin"]) == (0, 1)


def test_lines_whose_contrast_is_unknown_do_not_stand_for_the_others() -> None:
    assert measured(page(line(contrast=None), line(contrast=5.0))).text_contrast == Range(low=5.0, high=5.0)
    assert "text_contrast" in missing(measured(page(line(contrast=None))))


def test_the_largest_call_to_action_is_measured() -> None:
    small, large = line("Learn more", (0.1, 0.1, 0.2, 0.15)), line("Shop now", (0.1, 0.5, 0.5, 0.6), contrast=3.5)
    found = measured(page(line(), small, large))
    assert found.cta_in_picture is True
    assert found.cta_share == pytest.approx(0.04)
    assert found.cta_contrast == Range(low=3.5, high=3.5)
    assert [one.line for one in found.evidence if one.measure == "cta_in_picture"] == [1, 2]


def test_a_word_within_prose_is_no_call_to_action() -> None:
    assert measured(page(line("We shop for you"))).cta_in_picture is False


def test_of_a_video_the_fullest_frame_counts() -> None:
    first = line(box=(0, 0, 1, 0.1), height_px=100.0, spans=(Stretch(start_s=1, end_s=1),))
    second = line(box=(0, 0.5, 1, 0.8), height_px=300.0, spans=(Stretch(start_s=2, end_s=3),))
    assert measured(page(first, second, sampled_s=(1.0, 2.0, 3.0))).text_density == Range(low=0.3, high=0.3)


@given(BOXES)
def test_the_union_is_at_least_the_largest_and_at_most_the_sum(boxes: list[Box]) -> None:
    found = union(boxes)
    assert max((area(box) for box in boxes), default=0.0) <= found + 1e-9
    assert found <= min(1.0, sum(area(box) for box in boxes)) + 1e-9


@given(BOXES)
def test_the_union_does_not_change_when_boxes_are_cut_in_two(boxes: list[Box]) -> None:
    halves = [half for left, top, right, bottom in boxes for middle in [(left + right) / 2]
              for half in ((left, top, middle, bottom), (middle, top, right, bottom))]  # fmt: skip
    assert union(halves) == pytest.approx(union(boxes), abs=1e-9)


@given(st.floats(1, 500), st.floats(0.01, 0.5), st.integers(100, 4000))
def test_letters_stay_within_their_box(height_px: float, tall: float, height: int) -> None:
    inner = ink_box(line(box=(0.2, 0.2, 0.6, 0.2 + tall), height_px=height_px), 1000, height)
    assert 0.2 <= inner[0] <= inner[2] <= 0.6
    assert 0.2 <= inner[1] <= inner[3] <= 0.2 + tall + 1e-9


@pytest.mark.parametrize("scale", [0.25, 0.5, 2, 4])
def test_layout_does_not_depend_on_the_pictures_size(scale: float) -> None:
    def drawn(scale: float) -> Measures:
        lines = [line("Shop now", (0.1, 0.1, 0.5, 0.2), height_px=60 * scale), line(height_px=80 * scale, contrast=4.0)]
        return measured(page(*lines, width=round(2000 * scale), height=round(1000 * scale)))

    assert drawn(scale) == drawn(1)
