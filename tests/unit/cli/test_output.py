from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adology.cli import output
from adology.cli.failures import group
from adology.cli.requests import parse_every
from adology.store.naming import slug


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_399_703, "2.4 MB"), (5e9, "5.0 GB"), (7.2e12, "7.2 TB")],
)
def test_amounts_have_decimal_units(size: float, text: str) -> None:
    assert output.amount(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.25, "0.2 s"),
        (42, "42 s"),
        (76, "1 min 16 s"),
        (120, "2 min"),
        (21600, "6 h"),
        (21660, "6 h 1 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_spans_have_one_or_two_units(seconds: float | None, text: str) -> None:
    assert output.span(seconds) == text


def test_moments_are_told_from_now() -> None:
    assert output.ago(None) == "never"
    assert output.ago(datetime.now(UTC) - timedelta(minutes=3)) == "3 min ago"


def test_counts_have_their_noun_in_the_right_form() -> None:
    assert output.count(1, "ad") == "1 ad"
    assert output.count(12_345, "ad") == "12,345 ads"
    assert output.count(0, "analysis", "analyses") == "0 analyses"


def test_text_from_outside_is_not_taken_for_markup() -> None:
    console = output.stdout()
    with console.capture() as captured:
        made = output.table("a")
        made.add_row(output.cell("[red]not markup[/]"))
        console.print(made)
    assert "[red]not markup[/]" in captured.get()


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("6h", 21600), ("1d", 86400), ("0.5h", 1800), ("6H", 21600)]
)
def test_lengths_of_time_are_read(text: str, seconds: float) -> None:
    assert parse_every(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "6", "h", "-1h", "0s", "6 weeks", "nanh", "infd", "9e99d"])
def test_other_texts_are_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="is no length of time"):
        parse_every(text)


@pytest.mark.parametrize(
    ("name", "made"),
    [("Nike", "nike"), ("Nike Inc.", "nike-inc"), ("H&M", "h-m"), ("夏 Sale", "夏-sale"), ("a.b_c", "a.b_c")],
)
def test_ids_are_made_from_names(name: str, made: str) -> None:
    assert slug(name) == made


@pytest.mark.parametrize("name", ["", "!!!", "x" * 101])
def test_a_name_without_an_id_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="allowed: 1 to 100 characters"):
        slug(name)


def test_failures_that_differ_in_address_and_number_are_one_reason() -> None:
    rows = [
        ("ADO-5102", f"https://cdn.example/{n}.jpg answered 403 after {n}.5 s", f"https://cdn.example/{n}.jpg")
        for n in range(3)
    ]
    rows.append(("ADO-3101", "the picture has 0 pixels", "https://cdn.example/9.jpg"))
    many, one = group(rows)
    assert (many.code, many.count, many.reason) == ("ADO-5102", 3, "… answered … after … s")
    assert many.example == "https://cdn.example/0.jpg"
    assert (one.count, one.reason) == (1, "the picture has 0 pixels")
