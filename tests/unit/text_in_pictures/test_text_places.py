# ruff: noqa: RUF001 - letters that look alike are what some tests are about
"""Where text stands: tiles, order, rows, ink, spans. No model is needed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from adology_text import boxes, ink, tiles
from adology_text.between import signs_between
from adology_text.boxes import Quad, from_bounds
from adology_text.ctc import Alphabet, Letter, Reading
from adology_text.order import reading_order
from adology_text.rows import Piece, put_together, without_doubles
from adology_text.scripts import greek, tidied
from adology_text.spans import merge
from adology_text.tiles import Place
from adology_text.unreadable import doubted, readable
from adology_text.zoom import zooms


def piece(text: str, box: tuple[float, float, float, float], confidence: float = 0.99) -> Piece:
    return Piece(quad=from_bounds(*box), reading=Reading(text=text, confidence=confidence))


def place(box: tuple[float, float, float, float], *, cut: bool = False, score: float = 0.9) -> Place:
    return Place(quad=from_bounds(*box), score=score, cut=cut)


# Tiles


def test_an_ordinary_creative_is_looked_at_in_one_piece_at_its_own_size() -> None:
    plan = tiles.plan(1080, 1350, 5_000_000)

    assert (plan.scale, len(plan.tiles)) == (1.0, 1)


def test_a_tiny_creative_is_enlarged_and_a_pixel_is_no_accident() -> None:
    assert tiles.plan(300, 250, 5_000_000).scale == pytest.approx(736 / 250)
    assert tiles.plan(320, 50, 5_000_000).scale == tiles.LARGER
    assert tiles.plan(1, 1, 5_000_000).tiles == (tiles.Tile(left=0, top=0, right=8, bottom=8),)


@pytest.mark.parametrize(("width", "height"), [(3312, 1500), (8000, 400), (300, 9000), (2001, 2001), (12000, 12000)])
def test_tiles_cover_a_large_creative_and_overlap(width: int, height: int) -> None:
    plan = tiles.plan(width, height, 5_000_000)

    seen = np.zeros((plan.height, plan.width), dtype=np.uint8)
    for tile in plan.tiles:
        seen[tile.top : tile.bottom, tile.left : tile.right] += 1
        assert max(tile.right - tile.left, tile.bottom - tile.top) <= tiles.LONGEST
        assert (tile.right - tile.left) * (tile.bottom - tile.top) <= tiles.ALONE
    assert seen.min() == 1
    assert plan.width * plan.height <= 5_010_000
    lefts = sorted({(tile.left, tile.right) for tile in plan.tiles})
    for (_, end), (start, _) in pairwise(lefts):
        assert end - start >= tiles.OVERLAP - 1


def test_a_line_that_a_border_cuts_becomes_one_place() -> None:
    joined = tiles.joined([place((100, 50, 700, 90), cut=True), place((600, 52, 1200, 91), cut=True)])

    assert [boxes.bounds(one.quad) for one in joined] == [(100, 50, 1200, 91)]


def test_a_line_that_two_tiles_see_whole_comes_once() -> None:
    joined = tiles.joined([place((100, 50, 300, 90), score=0.7), place((101, 51, 300, 90), score=0.8)])

    assert [one.score for one in joined] == [0.8]


def test_lines_below_each_other_at_a_border_stay_two() -> None:
    assert len(tiles.joined([place((100, 50, 700, 90), cut=True), place((600, 95, 1200, 135), cut=True)])) == 2


def test_small_letters_are_looked_at_again_and_large_ones_are_not() -> None:
    whole = tiles.Tile(left=0, top=0, right=1080, bottom=1080)
    large = [place((100, 100, 900, 200)), place((100, 300, 900, 400))]

    assert zooms(large, whole, 1.0, "small") == []
    ((area, plan),) = zooms([*large, place((100, 1000, 400, 1016))], whole, 1.0, "small")
    assert area.top > 900
    assert area.left < 100
    assert plan.scale == 2.0
    assert zooms([place((100, 1000, 400, 1016))], whole, 1.0, "never") == []
    assert zooms(large, whole, 1.0, "always")[0][0] == whole


def test_looking_again_is_bounded() -> None:
    whole = tiles.Tile(left=0, top=0, right=2000, bottom=2000)
    scattered = [place((x, y, x + 200, y + 16)) for x in range(0, 1800, 600) for y in range(0, 1900, 20)]

    areas = zooms(scattered, whole, 1.0, "small")

    assert len(areas) >= 1
    assert sum(plan.width * plan.height for _, plan in areas) <= 3_210_000


def test_a_picture_with_hardly_any_text_is_looked_at_again_whole() -> None:
    whole = tiles.Tile(left=0, top=0, right=1080, bottom=1080)

    ((area, plan),) = zooms([], whole, 1.0, "small")

    assert (area, plan.scale) == (whole, 1.5)


# Order, rows


def test_columns_are_read_one_after_the_other_and_a_headline_first() -> None:
    quads = [
        from_bounds(600, 200, 900, 230),
        from_bounds(50, 245, 400, 275),
        from_bounds(50, 20, 950, 100),
        from_bounds(600, 245, 900, 275),
        from_bounds(50, 200, 400, 230),
    ]

    assert reading_order(quads) == [2, 4, 1, 0, 3]


def test_words_of_a_row_are_read_from_the_left() -> None:
    assert reading_order([from_bounds(220, 12, 300, 40), from_bounds(10, 10, 200, 40)]) == [1, 0]
    assert reading_order([]) == []


def test_pieces_that_overlap_in_a_row_are_one_line() -> None:
    (line,) = put_together([piece("back", (190, 10, 300, 50)), piece("Get $25", (10, 10, 205, 50))])

    assert (line.reading.text, boxes.bounds(line.quad)) == ("Get $25 back", (10, 10, 300, 50))


def test_a_small_raised_sign_belongs_to_its_amount() -> None:
    (line,) = put_together([piece("$", (10, 12, 30, 50)), piece("54", (32, 10, 120, 90))])

    assert line.reading.text == "$54"


def test_columns_with_a_narrow_gutter_stay_apart() -> None:
    left = [piece(f"left {n}", (10, 40.0 * n, 205, 40.0 * n + 34)) for n in range(4)]
    right = [piece(f"right {n}", (195, 40.0 * n, 400, 40.0 * n + 34)) for n in range(4)]

    assert len(put_together([*left, *right])) == 8


def test_two_names_side_by_side_with_small_print_below_stay_two() -> None:
    names = [piece("Alpha+", (36, 30, 205, 49)), piece("Beta", (200, 27, 254, 49))]
    below = [piece("(alphazol)", (37, 48, 115, 61)), piece("(betazol)", (202, 50, 280, 67))]

    assert [line.reading.text for line in put_together(names)] == ["Alpha+ Beta"]
    assert {line.reading.text for line in put_together([*names, *below])} == {
        "Alpha+", "Beta", "(alphazol)", "(betazol)",
    }  # fmt: skip


def test_of_two_readings_of_one_place_the_surer_or_the_fuller_stays() -> None:
    twice = [piece("$13,000", (10, 10, 100, 40)), piece("$13.000", (10, 20, 100, 50), confidence=0.9)]
    part = [piece("See store for details", (10, 10, 300, 40), confidence=0.95), piece("details", (220, 10, 300, 40))]

    assert [one.reading.text for one in without_doubles(twice)] == ["$13,000"]
    assert [one.reading.text for one in without_doubles(part)] == ["See store for details"]


# Scripts


def test_latin_letters_in_greek_words_are_set_right() -> None:
    assert greek("poσφopá -40%") == "ροσφορά -40%"
    assert greek("10 μm wide") == "10 μm wide"


def test_the_letter_o_after_a_sign_is_a_zero_and_lone_ornaments_are_left_out() -> None:
    lines, ornaments = tidied(
        [piece("$O UPFRONT", (0, 0, 90, 20)), piece("心", (0, 40, 20, 60)), piece("Old $Ode", (0, 80, 9, 99))]
    )

    assert [line.reading.text for line in lines] == ["$0 UPFRONT", "Old $Ode"]
    assert ornaments == 1


def test_what_an_unknown_script_looks_like_is_no_text() -> None:
    invented = [piece("HINCOLN SH", (0, 0, 300, 20), 0.83), piece("UUCU 4C4", (0, 40, 300, 60), 0.78)]
    by_chance = piece("CA", (0, 80, 90, 100), 0.97)
    brand, amount = piece("Brandline", (0, 120, 100, 140), 0.998), piece("-70%", (0, 160, 60, 180), 0.97)

    assert readable([*invented, by_chance, brand, amount], []) == [brand, amount]


def test_places_without_any_reading_tell_of_an_unknown_script_as_well() -> None:
    left = piece("70", (0, 0, 40, 20), 0.88)

    assert readable([left], [from_bounds(0, 40, 300, 60)]) == []
    assert readable([left], []) == [left]


def test_a_poor_line_among_good_ones_is_kept() -> None:
    lines = [piece("Summer sale ends Sunday", (0, 0, 300, 20)), piece("Terns and conditons", (0, 40, 200, 55), 0.7)]

    assert readable(lines, [from_bounds(0, 90, 20, 110)]) == lines


def test_greek_is_kept_and_never_sure() -> None:
    lines = [piece("αργγειλε σεα", (0, 0, 200, 20), 0.9), piece("10 μm of π", (0, 40, 100, 60), 0.99)]

    assert [line.reading.confidence for line in doubted(lines)] == [0.6, 0.99]
    assert readable(lines[:1], [from_bounds(0, 40, 300, 60)]) == lines[:1]


class _Says:
    """Reads the same in every crop that it is given."""

    def __init__(self, text: str, sure: float) -> None:
        self._reading = Reading(
            text=text, confidence=sure, letters=tuple(Letter(text=letter, sure=sure, at=0.5) for letter in text)
        )
        self.crops: list[boxes.Pixels] = []

    def find(self, picture: boxes.Pixels) -> tuple[Quad, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
        raise AssertionError(f"nothing is looked for in {picture.shape}")

    def read(self, crops: Sequence[boxes.Pixels]) -> list[Reading]:
        self.crops += crops
        return [self._reading for _ in crops]


def _row_of_two(apart: int, sign: str = "+") -> tuple[boxes.Pixels, list[Piece]]:
    picture = Image.new("RGB", (700, 100), "white")
    drawing = ImageDraw.Draw(picture)
    drawing.text((105 + apart / 2, 20), sign, fill="black", font=ImageFont.load_default(40), anchor="ma")
    ends = [piece("Alpha", (5, 20, 105, 60)), piece("Beta", (105 + apart, 22, 200 + apart, 60))]
    return np.asarray(picture), ends


@pytest.mark.parametrize(("read", "sure", "found"), [
    ("+", 0.8, 1), ("十。", 0.6, 1), ("+", 0.4, 0), ("人", 0.95, 0), ("1", 0.9, 0), ("+ more", 0.9, 0),
])  # fmt: skip
def test_a_plus_between_two_pieces_of_a_row_is_found(read: str, sure: float, found: int) -> None:
    picture, ends = _row_of_two(60)
    signs = signs_between(picture, ends, _Says(read, sure))

    assert [one.reading.text for one in signs] == ["+"] * found
    assert all(boxes.bounds(one.quad)[0] == 105 and boxes.bounds(one.quad)[2] == 165 for one in signs)


@pytest.mark.parametrize(("apart", "sign"), [(10, "+"), (300, "+"), (60, "")])
def test_spaces_that_are_empty_too_narrow_or_too_wide_are_not_read(apart: int, sign: str) -> None:
    reader = _Says("+", 0.9)

    assert signs_between(*_row_of_two(apart, sign), reader) == []
    assert reader.crops == []


def test_text_in_han_letters_is_no_ornament() -> None:
    lines, ornaments = tidied([piece("大", (0, 0, 20, 20)), piece("夏のセール", (0, 40, 90, 60))])

    assert (len(lines), ornaments) == (2, 0)


# Geometry, ink


def test_overlapping_boxes_count_once() -> None:
    same = from_bounds(0, 0, 50, 100)

    assert boxes.covered([same, same, from_bounds(25, 0, 75, 100)], 100, 100) == pytest.approx(0.75, abs=0.03)
    assert boxes.covered([], 100, 100) == 0.0


def test_tilted_neighbours_do_not_overlap() -> None:
    spin = np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
    above: Quad = from_bounds(0, 0, 200, 20) @ spin
    below: Quad = from_bounds(0, 30, 200, 50) @ spin

    assert boxes.overlap(above, below) > 0.5
    assert boxes.overlap_exactly(above, below) == 0.0


def _drawn(ink_colour: int, ground: int, size: int = 40) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = Image.new("RGB", (300, 2 * size), (ground,) * 3)
    ImageDraw.Draw(picture).text(
        (20, size // 2), "Hxgl HELLO", font=ImageFont.load_default(size), fill=(ink_colour,) * 3
    )
    return np.asarray(picture, dtype=np.uint8)


@pytest.mark.parametrize(
    ("letters", "ground", "ratio"), [(0, 255, 21.0), (255, 0, 21.0), (119, 255, 4.48), (118, 0, 4.6)]
)
def test_contrast_is_that_of_wcag(letters: int, ground: int, ratio: float) -> None:
    assert ink.measure(_drawn(letters, ground)).contrast == pytest.approx(ratio, rel=0.03)


def test_letters_are_measured_from_highest_to_lowest() -> None:
    drawn = _drawn(0, 255)
    rows = np.flatnonzero((drawn < 128).any(axis=(1, 2)))

    assert ink.measure(drawn).height * len(drawn) == pytest.approx(rows[-1] - rows[0] + 1, abs=3)


def test_where_nothing_stands_out_there_is_no_contrast() -> None:
    assert ink.measure(np.full((20, 60, 3), 90, dtype=np.uint8)).contrast is None


# Letters, spans


def test_a_mark_that_was_nearly_read_is_remembered() -> None:
    alphabet = Alphabet(["blank", "4", "9", "."])
    columns = np.array([[0, 1, 0, 0], [0.9, 0, 0, 0.1], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0]], dtype=np.float32)

    reading = alphabet.decode(columns, width=100, used=100)

    assert reading.text == "499"
    assert [letter.mark_before for letter in reading.letters] == pytest.approx([0.0, 0.1, 0.0])
    assert [letter.at for letter in reading.letters] == pytest.approx([0.1, 0.5, 0.9])


def test_nothing_but_blanks_says_nothing() -> None:
    assert Alphabet(["blank", "a"]).decode(np.array([[1.0, 0.0]] * 4), width=9, used=9).text == ""


def test_a_line_over_frames_is_one_line_with_its_times() -> None:
    frames = [
        [piece("Summer sale", (0, 0, 90, 20))],
        [piece("Summer saIe", (0, 0, 90, 20), 0.8)],
        [],
        [piece("Summer sale", (0, 0, 90, 20))],
    ]

    (track,) = merge(frames)

    assert track.best.piece.reading.text == "Summer sale"
    assert [(one.start_s, one.end_s) for one in track.spans([0.5, 1.5, 2.5, 3.5])] == [(0.5, 1.5), (3.5, 3.5)]


def test_other_digits_are_another_line() -> None:
    assert len(merge([[piece("Only $49.99", (0, 0, 90, 20))], [piece("Only $39.99", (0, 0, 90, 20))]])) == 2
