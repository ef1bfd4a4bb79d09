"""The description of the API: complete, and true of the running server."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from typing import Any, cast, get_type_hints

import hypothesis
import msgspec
import pytest
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from adology.settings import AdologySettings, load_settings
from adology_server.access import KEY
from adology_server.app import create_app
from tests.server.rig import World, serving
from tests.server.routes import all_routes, example_body, operation, whole_document
from tests.server.test_matrix import insert_session, insert_user

pytestmark = pytest.mark.timeout(300)
DESCRIBED = [route for route in all_routes() if route.method != "ANY" and route.path != "/v1/openapi.json"]
STREAMS = ("streamEvents",)
"""They do not end: what comes first is read of them."""
CASES = 12
"""Requests made up for each operation."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_every_route_is_described_and_nothing_else() -> None:
    described = {
        f"{method.upper()} {path}"
        for path, item in whole_document()["paths"].items()
        for method in item
        if method != "summary"
    }
    assert described == {f"{route.method} {route.template}" for route in DESCRIBED}
    assert whole_document()["openapi"].startswith("3.1")


def test_every_operation_says_all_that_a_client_needs() -> None:
    ids = [operation(route)["operationId"] for route in DESCRIBED]
    assert len(ids) == len(set(ids))
    for route in DESCRIBED:
        found, name = operation(route), route.name
        assert re.fullmatch(r"[a-z][A-Za-z]+", found["operationId"]), name
        assert len(found["summary"].split()) >= 2, name
        assert found["description"].endswith((".", "`")), name
        assert found["security"] == ([] if route.level == "public" else [{"bearer": []}]), name
        assert found["x-access"] == route.level, name
        refused = {status for status in found["responses"] if status >= "400"}
        assert {"404", "422", "500", "503"} <= refused, name
        if route.level != "public":
            assert {"401", "403", "429"} <= refused, name
        for status in refused - ({"503"} if route.path == "/readyz" else set()):
            answer = whole_document()["components"]["responses"][found["responses"][status]["$ref"].rpartition("/")[2]]
            assert list(answer["content"]) == ["application/problem+json"], (name, status)
        for parameter in found.get("parameters", []):
            assert parameter["in"] == "path" or parameter.get("description"), (name, parameter["name"])


def test_what_lists_hold_is_said() -> None:
    schemas = whole_document()["components"]["schemas"]
    assert schemas["NewKey"]["properties"]["scopes"]["items"]["enum"] == ["read", "write", "manage"]
    assert schemas["NewBulkSearch"]["properties"]["queries"]["items"]["$ref"].endswith("/BulkQuery")
    items = [field.get("items") for one in schemas.values() for field in one.get("properties", {}).values()]
    assert [one for one in items if one is not None and {} in one.get("oneOf", ())] == []


def test_examples_are_such_as_the_routes_take() -> None:
    hints: dict[str, Any] = {
        handler.operation_id: get_type_hints(handler.fn, include_extras=True).get("data")
        for route in _routes()
        for handler in getattr(route, "route_handlers", ())
        if handler.opt.get(KEY)
    }
    seen = 0
    for route in DESCRIBED:
        if example_body(route) is not None:
            seen += 1
            kind = hints[operation(route)["operationId"]]
            msgspec.convert(example_body(route), kind.__args__[0] if hasattr(kind, "__args__") else kind)
    assert seen >= 15


def _routes() -> Any:
    return create_app(load_settings(env={"ADOLOGY_POSTGRES__URL": "postgresql://nobody@127.0.0.1:1/none"})).routes


@pytest.fixture
def origin(settings: AdologySettings) -> Iterator[str]:
    """A server in a thread of its own."""
    started: list[str] = []
    is_up, stop = threading.Event(), threading.Event()

    async def run() -> None:
        async with serving(settings, rate_caller=0, rate_organisation=0) as nobody:
            started.append(nobody.origin)
            is_up.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert is_up.wait(30)
        yield started[0]
    finally:
        stop.set()
        thread.join(30)


def begun(case: Any, origin: str, headers: dict[str, str]) -> requests.Response:
    """The answer with the beginning of its body: the rest of a stream comes as things happen."""
    asked = case.as_transport_kwargs(base_url=origin, headers=headers)
    with requests.Session() as session:
        answer = session.request(**asked, stream=True, timeout=20)
        is_stream = answer.status_code == 200
        first = next(answer.iter_content(64 * 1024), b"") if is_stream else answer.content
        if is_stream:
            assert first.startswith(b"retry: 2000\n"), first
            answer._content, answer._content_consumed = first, True  # that is all of it
        answer.close()
    return answer


def probe(found: Any, origin: str, secret: str, statuses: set[tuple[str, int]]) -> None:
    """Requests of one operation as its description allows them, each answer held to it."""

    @hypothesis.settings(
        max_examples=CASES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=found.as_strategy())
    def once(case: Any) -> None:
        headers = {"authorization": f"Bearer {secret}"}
        is_stream = case.operation.definition.raw["operationId"] in STREAMS
        answer = begun(case, origin, headers) if is_stream else case.call(base_url=origin, headers=headers, timeout=20)
        statuses.add((case.operation.label, answer.status_code))
        case.validate_response(answer, checks=CHECKS)

    once()


def test_the_running_server_is_as_described(settings: AdologySettings, origin: str) -> None:
    world = World(settings)
    world.add_org("acme")
    world.add_brands("nike", "adidas")
    user = insert_user(world, "acme", "owner@acme.example", "owner")
    service, operator = world.add_service(), world.add_operator()
    schema = schemathesis.openapi.from_dict(whole_document())
    faults: list[str] = []
    statuses: set[tuple[str, int]] = set()
    for result in schema.get_all_operations():
        found = cast("Any", result).ok()
        level = found.definition.raw["x-access"]
        secret = {"service": service, "operator": operator}.get(level) or insert_session(world, "acme", user)
        world.rows("delete from login_failures")
        world.rows("update organisations set deleted_at = null, suspended_at = null")
        world.rows("update api_keys set revoked_at = null")

        try:
            probe(found, origin, secret, statuses)
        except Exception as error:  # noqa: BLE001 - all faults are told together
            faults.append(f"{found.label}: {error!r} {getattr(error, 'exceptions', '')}"[:1500])
    assert faults == []
    assert {("GET /v1/events", status) for status in (200, 422)} <= statuses
    good = {label for label, status in statuses if status < 300}
    assert len(good) >= 20
