from __future__ import annotations

from typing import Any

import pytest

from adology_facebook.error_table import GraphError, read_error
from adology_facebook.usage import Usage, read_usage


@pytest.mark.parametrize(
    ("code", "subcode", "action"),
    [
        (1, None, "shrink"),
        (100, 1_487_534, "shrink"),
        (2, None, "transient"),
        (4, None, "throttle"),
        (17, None, "throttle"),
        (32, None, "throttle"),
        (613, 1996, "throttle"),
        (80_004, 2_446_079, "throttle"),
        (80_014, None, "throttle"),
        (341, None, "block"),
        (368, None, "block"),
        (10, 2_332_002, "permission"),
        (10, 999, "permission"),
        (3, None, "permission"),
        (200, None, "permission"),
        (299, None, "permission"),
        (190, 463, "credential"),
        (102, None, "credential"),
        (100, None, "request"),
        (1009, None, "request"),
        (2500, None, "request"),
    ],
)
@pytest.mark.parametrize("is_transient", [True, False])
def test_the_code_decides_whatever_the_vendor_says_of_transience(
    code: int, subcode: int | None, action: str, is_transient: bool
) -> None:
    assert GraphError(code=code, error_subcode=subcode, is_transient=is_transient).action == action


def test_a_code_that_nobody_knows_is_transient_only_if_the_vendor_says_so() -> None:
    assert GraphError(code=9999, is_transient=True).action == "transient"
    assert GraphError(code=9999).action == "request"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"code": "17", "message": "x"}}, 17),
        ({"error": {"code": 190, "error_subcode": None, "error_data": "{}", "new_key": [1]}}, 190),
        ({"error": {"code": 4, "message": {"odd": 1}, "is_transient": "maybe"}}, 4),
        ({"error": {"code": None}}, 0),
        ({"error": "something"}, 0),
        ({"error": {}}, 0),
    ],
)
def test_errors_of_odd_shape_are_read(body: Any, code: int) -> None:
    error = read_error(body)
    assert error is not None
    assert error.code == code


@pytest.mark.parametrize("body", [{"data": []}, [], None, "error", 5])
def test_what_is_no_error_is_none(body: Any) -> None:
    assert read_error(body) is None


def test_an_error_shows_code_subcode_and_message() -> None:
    assert str(GraphError(code=10, error_subcode=2_332_002, message="denied")) == "Graph error 10/2332002: denied"
    assert str(GraphError(code=2, message="down")) == "Graph error 2: down"


def test_the_worst_of_both_usage_headers_counts_and_minutes_become_seconds() -> None:
    headers = {
        "X-App-Usage": '{"call_count":28,"total_time":81,"total_cputime":25}',
        "x-business-use-case-usage": (
            '{"1":[{"type":"a","call_count":10},{"type":"b","total_cputime":64,"estimated_time_to_regain_access":3}],'
            '"2":[{"call_count":40,"estimated_time_to_regain_access":19}]}'
        ),
    }
    assert read_usage(headers) == Usage(percent=81.0, regain_s=19 * 60.0)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", '{"1":5}', '{"1":[5,{"call_count":"x"}]}', '{"call_count":true}', "[" * 100]
)
def test_malformed_usage_is_no_information(text: str) -> None:
    assert read_usage({"x-app-usage": text, "x-business-use-case-usage": text}) == Usage()


@pytest.mark.parametrize(("percent", "slowdown"), [(0, 1.0), (79.9, 1.0), (80, 2.0), (95, 4.0), (200, 4.0)])
def test_calls_are_spaced_out_as_the_quota_runs_low(percent: float, slowdown: float) -> None:
    assert Usage(percent=percent).slowdown == slowdown
