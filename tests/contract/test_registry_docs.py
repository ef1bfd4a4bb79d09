"""docs/registry-api.md is true: its routes are the routes, its examples are what the service answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from litestar.routes import HTTPRoute

from adology.errors import AdologyError
from adology_registry import create_app
from adology_registry.errors import STATUS, HttpError
from tests.unit.registry.serving import foreign, settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "registry-api.md").read_text("utf-8")

NAMES = {"epoch", "batch_id", "lease_token"}
"""Random in life: an example's value stands for the live one, and is translated in later requests."""
MEASURED = {"age_s", "idle_s", "uptime_s"}
GIVEN = {"b-7", "made-up", "another"}
"""Names that the examples choose themselves."""


def test_the_documented_routes_are_the_routes() -> None:
    routes = set()
    for route in create_app(settings()).routes:
        path = route.path.replace("{brand:path}", "{brand}")
        methods = route.methods - {"OPTIONS"} if isinstance(route, HTTPRoute) else {"POST"}
        routes |= {f"{method} {path}" for method in methods}
    assert set(re.findall(r"^### `([A-Z]+ /[^`]*)`$", PAGE, re.MULTILINE)) == routes


def test_every_error_code_is_in_the_table_with_its_status() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| `(ADO-\d+)` \|", PAGE, re.MULTILINE)
    documented = {code: statuses.split(", ") for statuses, code in rows}
    for error, (status, _) in STATUS.items():
        assert documented[error.code] == [str(status.value)], error
    assert documented[HttpError.code] == ["404", "405", "413"]
    assert documented[AdologyError.code] == ["500"]
    assert len(documented) == len(STATUS) + 2


@pytest.mark.anyio
async def test_the_examples_are_what_the_service_answers() -> None:
    blocks = re.findall(r"^```http\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 2 * 15
    assert len(blocks) % 2 == 0
    live: dict[str, str] = {}
    async with foreign() as other:
        for request, answer in zip(blocks[::2], blocks[1::2], strict=True):
            line, _, body = request.partition("\n")
            for documented, real in live.items():
                body = body.replace(f'"{documented}"', f'"{real}"')
            method, path = line.split(" ")
            got = await (other.get(path) if method == "GET" else other.post(path, body))
            status, _, expected = answer.partition("\n")
            assert status == f"HTTP {got.status}", (request, got.body)
            _compare(json.loads(expected), got.body, live)
    assert {"c0ffee", "9a41c7"} <= set(live)


def _compare(documented: Any, got: Any, live: dict[str, str]) -> None:
    if isinstance(documented, list):
        assert len(documented) == len(got)
        for one, other in zip(documented, got, strict=True):
            _compare(one, other, live)
        return
    if not isinstance(documented, dict):
        assert documented == got
        return
    assert list(documented) == list(got), "the same fields in the same order"
    for name, value in documented.items():
        if name in NAMES and value not in GIVEN:
            assert live.setdefault(value, got[name]) == got[name], f"{name} stands for one value throughout"
        elif name in MEASURED:
            assert 0 <= got[name] < 60
        elif value != "…":
            _compare(value, got[name], live)
