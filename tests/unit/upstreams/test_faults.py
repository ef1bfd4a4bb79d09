from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from upstreams.faults import FOREVER, Fault, Faults
from upstreams.server import StandIn, to_json
from upstreams.wire import WIRE_KINDS

pytestmark = pytest.mark.anyio


class Echo(StandIn):
    """Answers every path with 1000 bytes."""

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/{path:.*}", self._get)

    async def _get(self, _: web.Request) -> web.StreamResponse:
        return to_json({"padding": "x" * 986})


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    async with Echo() as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def test_a_fault_strikes_as_often_as_it_says_and_then_is_gone() -> None:
    faults = Faults()
    faults.add(Fault(kind="slow", times=2))
    assert [faults.take("/a") is not None for _ in range(3)] == [True, True, False]
    assert faults.active() == []


def test_a_fault_lets_the_first_requests_through() -> None:
    faults = Faults()
    faults.add(Fault(kind="slow", after=2))
    assert [faults.take("/a") is not None for _ in range(4)] == [False, False, True, False]


def test_a_fault_without_end_lasts_until_it_is_cleared() -> None:
    faults = Faults()
    faults.add(Fault(kind="slow", times=FOREVER))
    assert all(faults.take("/a") for _ in range(50))
    faults.clear()
    assert faults.take("/a") is None


def test_a_fault_concerns_its_path_only_and_others_do_not_count() -> None:
    faults = Faults()
    faults.add(Fault(kind="slow", path="/m/", after=1))
    assert faults.take("/api") is None
    assert faults.take("/m/1") is None
    assert faults.take("/api") is None
    assert faults.take("/m/2") is not None


def test_a_fault_that_does_not_apply_is_not_used_up() -> None:
    faults = Faults()
    faults.add(Fault(kind="slow"))
    assert faults.take("/a", lambda _: False) is None
    assert faults.take("/a", lambda fault: fault.kind == "slow") is not None


def test_faults_are_taken_in_the_order_they_were_added() -> None:
    faults = Faults()
    faults.add(Fault(kind="one"))
    faults.add(Fault(kind="two"))
    assert [fault.kind for _ in range(2) if (fault := faults.take("/"))] == ["one", "two"]


def test_a_caller_may_use_one_fault_twice() -> None:
    fault = Fault(kind="slow", times=1)
    for _ in range(2):
        faults = Faults()
        faults.add(fault)
        assert faults.take("/a") is not None


async def test_the_wire_breaks_in_each_of_the_ways(echo: Echo, client: aiohttp.ClientSession) -> None:
    async def get(**fault: Any) -> tuple[int, str, int]:
        echo.faults.add(Fault(**fault))
        async with client.get(f"{echo.origin}/x") as answer:
            return answer.status, answer.content_type, len(await answer.read())

    assert await get(kind="html") == (200, "text/html", 172)
    assert (await get(kind="html", detail="503"))[0] == 503
    assert [(await get(kind=kind))[0] for kind in ("http_500", "http_404", "http_410", "http_429")] == [
        500, 404, 410, 429,
    ]  # fmt: skip
    assert await get(kind="wrong_type", detail="image/png") == (200, "image/png", 1000)
    assert await get(kind="redirect") == (200, "application/json", 1000)
    with pytest.raises(aiohttp.TooManyRedirects):
        await get(kind="redirect_loop")
    with pytest.raises(aiohttp.ClientPayloadError):
        await get(kind="truncate")
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await get(kind="reset", times=2)  # aiohttp asks once more by itself
    assert echo.faults.active() == []


@pytest.mark.parametrize("kind", ["slow", "drip"])
async def test_a_slow_answer_takes_its_time_and_is_whole(echo: Echo, client: aiohttp.ClientSession, kind: str) -> None:
    echo.faults.add(Fault(kind=kind, seconds=0.2))
    began = time.perf_counter()
    async with client.get(f"{echo.origin}/x") as answer:
        body = await answer.read()
    assert len(body) == 1000
    assert time.perf_counter() - began >= 0.19


async def test_a_drip_starts_at_once(echo: Echo, client: aiohttp.ClientSession) -> None:
    echo.faults.add(Fault(kind="drip", seconds=5.0))
    began = time.perf_counter()
    async with client.get(f"{echo.origin}/x") as answer:
        first = await answer.content.readany()
    assert 0 < len(first) < 1000
    assert time.perf_counter() - began < 3.0


async def test_a_throttle_says_how_long(echo: Echo, client: aiohttp.ClientSession) -> None:
    echo.faults.add(Fault(kind="http_429", seconds=2.5))
    async with client.get(f"{echo.origin}/x") as answer:
        assert answer.headers["Retry-After"] == "3"


async def test_faults_are_switched_over_http(echo: Echo, client: aiohttp.ClientSession) -> None:
    async with client.post(f"{echo.origin}/_faults", json={"kind": "http_500", "times": 5}) as answer:
        assert answer.status == 201
    async with client.get(f"{echo.origin}/x") as answer:
        assert answer.status == 500
    async with client.get(f"{echo.origin}/_faults") as answer:
        assert await answer.json() == [
            {"kind": "http_500", "path": "", "times": 4, "after": 0, "seconds": 0.0, "detail": ""}
        ]
    async with client.delete(f"{echo.origin}/_faults") as answer:
        assert answer.status == 204
    async with client.get(f"{echo.origin}/x") as answer:
        assert answer.status == 200


async def test_an_unknown_kind_is_refused_with_the_known_ones(echo: Echo, client: aiohttp.ClientSession) -> None:
    async with client.post(f"{echo.origin}/_faults", json={"kind": "slwo"}) as answer:
        assert answer.status == 400
        text = await answer.text()
    assert "slwo" in text
    assert all(kind in text for kind in WIRE_KINDS)
    async with client.post(f"{echo.origin}/_faults", data=b"{") as answer:
        assert answer.status == 400


async def test_requests_are_logged_without_their_secrets(echo: Echo, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{echo.origin}/a?q=1&access_token=hush-hush&api_key=hush-hush"):
        pass
    async with client.get(f"{echo.origin}/b", headers={"Authorization": "Bearer hush-hush"}):
        pass
    async with client.get(f"{echo.origin}/_requests") as answer:
        text = await answer.text()
        logged = await answer.json()
    assert "hush-hush" not in text
    assert [(entry["path"], entry["query"], entry["credential"], entry["status"]) for entry in logged] == [
        ("/a", {"q": "1"}, "query", 200),
        ("/b", {}, "header", 200),
    ]


async def test_a_cut_connection_is_logged_without_a_status(echo: Echo, client: aiohttp.ClientSession) -> None:
    echo.faults.add(Fault(kind="reset", times=FOREVER))
    with pytest.raises(aiohttp.ClientError):
        await client.get(f"{echo.origin}/x")
    assert {(entry.status, entry.fault) for entry in echo.requests} == {(0, "reset")}


async def test_control_is_neither_logged_nor_faulty(echo: Echo, client: aiohttp.ClientSession) -> None:
    echo.faults.add(Fault(kind="http_500", times=FOREVER))
    async with client.get(f"{echo.origin}/healthz") as answer:
        assert await answer.json() == {"status": "ok", "name": "stand-in"}
    assert not echo.requests


async def test_a_reset_forgets_everything(echo: Echo, client: aiohttp.ClientSession) -> None:
    echo.faults.add(Fault(kind="http_500", times=FOREVER))
    async with client.get(f"{echo.origin}/x"):
        pass
    async with client.post(f"{echo.origin}/_reset") as answer:
        assert answer.status == 204
    assert not echo.requests
    assert echo.faults.active() == []
