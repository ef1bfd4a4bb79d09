from __future__ import annotations

import pytest

from adology.vendors.headers import parse_duration, pause_after, retry_after_s
from upstreams.openai.limits import go_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12ms", 0.012),
        ("1s", 1.0),
        ("0s", 0.0),
        ("6m0s", 360.0),
        ("1m30.951s", 90.951),
        ("1h0m2.5s", 3602.5),
        ("250µs", 0.00025),
        ("7", 7.0),
        ("0.5", 0.5),
        ("", None),
        ("soon", None),
        ("1s later", None),
        ("-3s", None),
        ("1.2.3", None),
    ],
)
def test_durations_are_read_as_go_writes_them(text: str, seconds: float | None) -> None:
    found = parse_duration(text)
    assert found == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("seconds", [0.0, 0.012, 0.999, 1.0, 59.5, 60.0, 61.25, 3600.0, 90061.5])
def test_what_the_stand_in_writes_is_read_back(seconds: float) -> None:
    assert parse_duration(go_duration(seconds)) == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": "0"}, None),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 1999 07:28:00 GMT"}, None),
        ({"retry-after": "never"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_read_from_either_header(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


def _usage(requests: tuple[str, str, str], tokens: tuple[str, str, str]) -> dict[str, str]:
    names = ("limit", "remaining", "reset")
    return {
        **{f"x-ratelimit-{name}-requests": value for name, value in zip(names, requests, strict=True)},
        **{f"x-ratelimit-{name}-tokens": value for name, value in zip(names, tokens, strict=True)},
    }


PLENTY = ("500", "400", "12s")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (_usage(PLENTY, ("200000", "150000", "15s")), None),
        (_usage(("500", "10", "12s"), ("200000", "150000", "15s")), 12.0),
        (_usage(("3", "1", "40s"), ("200000", "150000", "15s")), None),
        (_usage(("3", "0", "40s"), ("200000", "150000", "15s")), 40.0),
        (_usage(PLENTY, ("200000", "900", "6m0s")), 60.0),
        (_usage(PLENTY, ("2000", "999", "30s")), 30.0),
        (_usage(("500", "1", "20s"), ("2000", "0", "30s")), 30.0),
        (_usage(("500", "zero", "20s"), ("2000", "", "30s")), None),
        ({}, None),
    ],
)
def test_a_pause_is_made_when_nearly_nothing_is_left_and_never_a_long_one(
    headers: dict[str, str], seconds: float | None
) -> None:
    found = pause_after(headers, 1000)
    assert (found.seconds if found else None) == seconds
