"""The sources' HTTP client against a real server: retries, pauses, limits, and nothing secret in texts."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiohttp import web

from adology.context import Context
from adology.errors import Retry, RetryLater, Terminal
from adology.http import Answer, HttpClient, Pacer, Pacers, client
from adology.http.client import EXCERPT, MAX_RETRY_AFTER_S
from adology.log import REDACTOR, logger

pytestmark = pytest.mark.anyio
SECRET = "EAAsecrettokenvalue"
Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Ad(msgspec.Struct):
    id: str


class Plain(msgspec.Struct):
    pass


@pytest.fixture(autouse=True)
def known_secret() -> None:
    REDACTOR.add(SECRET)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which take no time here and have no jitter."""
    noted: list[float] = []

    async def note(seconds: float) -> None:
        noted.append(seconds)

    monkeypatch.setattr(client, "asyncio", SimpleNamespace(sleep=note))
    monkeypatch.setattr(client, "random", SimpleNamespace(random=lambda: 0.0))
    return noted


@contextlib.asynccontextmanager
async def serving(handle: Serve) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)  # type: ignore[arg-type]  # any request handler
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class Script:
    """Answers one after the other; the last one again and again."""

    def __init__(self, *answers: Callable[[], web.StreamResponse]) -> None:
        self._answers = list(answers)
        self.requests: list[web.Request] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        make = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return make()


def answer(status: int = 200, body: bytes = b'{"id":"1"}', **headers: str) -> Callable[[], web.StreamResponse]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: web.Response(status=status, body=body, headers=named)


async def send(url: str, method: str = "GET", **options: Any) -> Answer[Any]:
    async with HttpClient(timeout_s=options.pop("timeout_s", 10.0)) as http:
        return await http.send(method, url, service="vendor", pacer=make_pacer(), **options)


def make_pacer() -> Pacer:
    return Pacer(clock=time.monotonic, sleep=asyncio.sleep)


async def get(script: Script, **options: Any) -> Ad:
    async with serving(script) as base, HttpClient() as http:
        ctx = Context("vendor", Plain(), http=http, pacers=Pacers(time.monotonic))
        return await ctx.get(f"{base}/ads", Ad, **options)


async def test_a_passing_fault_is_tried_again_with_growing_pauses(pauses: list[float]) -> None:
    script = Script(answer(500), answer(503), answer())
    assert await get(script) == Ad("1")
    assert len(script.requests) == 3
    assert pauses == [1.0, 2.0]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_the_last_attempts_status_is_a_retry(pauses: list[float], status: int) -> None:
    script = Script(answer(status, b"upstream sad"))
    with pytest.raises(Retry, match=rf"vendor: http://.*/ads answered {status}: 'upstream sad'") as caught:
        await get(script)
    assert (caught.value.code, len(script.requests), len(pauses)) == ("ADO-2002", 3, 2)


async def test_a_connection_that_is_refused_names_the_address_and_the_attempts(pauses: list[float]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://user:{SECRET}@127.0.0.1:{probe.getsockname()[1]}/ads?access_token={SECRET}"
        with pytest.raises(Retry) as caught:
            await send(url)
    assert "vendor: no answer from http://127.0.0.1:" in str(caught.value)
    assert "/ads after 3 attempts (ClientConnectorError" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert len(pauses) == 2


async def test_silence_and_broken_answers_are_tried_again(pauses: list[float]) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.abort()
        return response

    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with serving(hang_up) as base:
        with pytest.raises(Retry, match=r"no answer from .* after 3 attempts"):
            await send(base)
    async with serving(silent) as base:
        with pytest.raises(Retry, match=r"after 3 attempts \(TimeoutError"):
            await send(base, timeout_s=0.1)
    assert len(pauses) == 4


async def test_what_is_not_safe_to_repeat_is_sent_once(pauses: list[float]) -> None:
    script = Script(answer(503))
    async with serving(script) as base:
        assert (await send(base, "POST", body=b"{}")).status == 503
    assert (len(script.requests), pauses) == (1, [])


async def test_the_caller_may_judge_each_status_itself(pauses: list[float]) -> None:
    script = Script(answer(503))
    async with serving(script) as base:
        assert (await send(base, retry_status=frozenset())).status == 503
    assert (len(script.requests), pauses) == (1, [])


async def test_a_short_pause_that_the_vendor_asks_for_is_kept_and_a_long_one_is_left_to_the_caller(
    pauses: list[float],
) -> None:
    script = Script(answer(503, Retry_After="5"), answer())
    assert await get(script) == Ad("1")
    assert pauses == [5.0]

    script = Script(answer(503, Retry_After="120"))
    with pytest.raises(Retry) as caught:
        await get(script)
    assert (caught.value.after, len(script.requests)) == (120.0, 1)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("99999999", MAX_RETRY_AFTER_S),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER_S),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
        ("Mon, 01 Jan 2096 00:00:00 +9999999999", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 -0000", 0.0),
    ],
)
def test_retry_after_is_read_in_all_its_forms(value: str, seconds: float | None) -> None:
    found: Answer[Any] = Answer(429, {"Retry-After": value}, b"", "http://x")
    assert found.retry_after_s() == seconds


def test_retry_after_as_a_date_is_counted_from_now() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    found: Answer[Any] = Answer(429, {"Retry-After": until}, b"", "http://x")
    seconds = found.retry_after_s()
    assert seconds is not None
    assert 85 < seconds <= 90


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"Retry_After": "77"}, 77.0), ({}, 60.0), ({"Retry_After": "0"}, 60.0)]
)
async def test_a_429_stops_the_credential_and_says_until_when(headers: dict[str, str], seconds: float) -> None:
    script = Script(answer(429, b"slow down", **headers))
    async with serving(script) as base, HttpClient() as http:
        ctx = Context("vendor", Plain(), http=http, pacers=Pacers(time.monotonic))
        with pytest.raises(RetryLater) as first:
            await ctx.get(f"{base}/ads", Ad, credential=SECRET)
        with pytest.raises(RetryLater, match="the vendor answered 429") as second:
            await ctx.get(f"{base}/ads", Ad, credential=SECRET)
        with pytest.raises(RetryLater):
            await ctx.get(f"{base}/ads", Ad, credential="another one")
    assert first.value.seconds == seconds
    assert seconds - 5 < second.value.seconds <= seconds
    assert len(script.requests) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    """A credential must not travel to another host because an answer says so."""
    elsewhere = Script(answer())
    async with serving(elsewhere) as other:
        script = Script(answer(status, b"moved", Location=f"{other}/ads"))
        with pytest.raises(Terminal, match=rf"answered {status}: 'moved'") as caught:
            await get(script, headers={"Authorization": f"Bearer {SECRET}"})
    assert caught.value.code == "ADO-2005"
    assert elsewhere.requests == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_other_client_errors_are_final(status: int) -> None:
    script = Script(answer(status, b"no"))
    with pytest.raises(Terminal, match=f"answered {status}"):
        await get(script)
    assert len(script.requests) == 1


async def test_an_answer_beyond_the_limit_is_refused_however_it_is_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_ANSWER_BYTES", 1 << 20)
    packed = gzip.compress(b"x" * (64 << 20))
    assert len(packed) < 1 << 20
    for make in (answer(body=b"x" * ((1 << 20) + 1)), answer(body=packed, Content_Encoding="gzip")):
        script = Script(make)
        with pytest.raises(Terminal, match="answered more than 1048576 bytes") as caught:
            await get(script)
        assert caught.value.code == "ADO-2004"
        assert len(script.requests) == 1
    assert await get(Script(answer(body=b'{"id":"1"}' + b" " * ((1 << 20) - 10)))) == Ad("1")


async def test_an_answer_of_another_shape_shows_its_beginning_without_secrets() -> None:
    page = f"<html>Your token access_token={SECRET} is bad</html>".encode()
    with pytest.raises(Retry, match="with a body that is not the expected JSON") as caught:
        await get(Script(answer(body=page)))
    assert caught.value.code == "ADO-2003"
    assert "<html>Your token access_token=***" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "found"), [(b'{"a": [1]}', {"a": [1]}), (b"<html>", None), (b'{"a": ', None), (b"[" * 100_000, None)]
)
def test_a_body_that_is_no_json_is_found_out_without_an_error(body: bytes, found: Any) -> None:
    assert Answer[Any](200, {}, body, "http://x").find_json() == found


async def test_a_body_that_is_nested_without_end_is_an_answer_of_another_shape() -> None:
    with pytest.raises(Retry, match="with a body that is not the expected JSON"):
        await get(Script(answer(body=b"[" * 100_000)))


async def test_a_secret_that_the_end_of_an_excerpt_cuts_through_is_masked() -> None:
    shown = Answer[Any](200, {}, b"x" * (EXCERPT - 6) + SECRET.encode(), "http://x").excerpt()
    assert shown == "x" * (EXCERPT - 6) + "***"


@pytest.mark.parametrize("url", ["graph.example/ads", "http://", "ftp://graph.example/ads", "http://[::bad/ads"])
async def test_what_is_no_address_is_final_and_shown(pauses: list[float], url: str) -> None:
    with pytest.raises(Terminal) as caught:
        await send(url)
    assert str(caught.value).startswith(f"vendor: {url} cannot be asked: ")
    assert (caught.value.code, pauses) == ("ADO-2005", [])


async def test_a_token_that_no_header_can_carry_is_final_and_not_shown(pauses: list[float]) -> None:
    async with serving(Script()) as base:
        with pytest.raises(Terminal, match=r"cannot be asked: ValueError: .*header") as caught:
            await send(base, headers={"Authorization": f"Bearer {SECRET}\n"})
    assert SECRET not in str(caught.value)
    assert pauses == []


async def test_a_broken_body_is_told_in_one_line() -> None:
    async with serving(Script(answer(body=b"no gzip at all", Content_Encoding="gzip"))) as base:
        with pytest.raises(Retry, match=r"after 1 attempt \(ClientPayloadError: 400, message: Can not decode"):
            await send(base, "POST")


async def test_user_and_password_of_an_address_are_not_shown() -> None:
    with pytest.raises(Retry) as caught:
        await send("http://user:pass@word@127.0.0.1:1/ads", "POST")
    assert "no answer from http://127.0.0.1:1/ads after 1 attempt (" in str(caught.value)


async def test_nothing_secret_reaches_texts_or_log_lines(pauses: list[float]) -> None:
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(str(message)), format="{message} {extra}", level="DEBUG")
    script = Script(answer(500, f'{{"error":"bad key {SECRET}"}}'.encode()))
    with pytest.raises(Retry) as caught:
        await get(script, headers={"X-Api-Key": SECRET}, access_token=SECRET)
    logger.remove(sink)
    assert script.requests[0].query["access_token"] == SECRET
    assert script.requests[0].headers["X-Api-Key"] == SECRET
    assert SECRET not in str(caught.value)
    assert "bad key ***" in str(caught.value)
    assert SECRET not in "".join(lines)
    assert any("'status': 500" in line for line in lines)
    assert len(pauses) == 2


async def test_parameters_that_are_none_are_left_out_and_the_rest_is_text() -> None:
    script = Script(answer())
    await get(script, page=2, after=None, q="a b&c")
    assert dict(script.requests[0].query) == {"page": "2", "q": "a b&c"}


async def test_cookies_are_not_kept_between_calls() -> None:
    script = Script(answer(Set_Cookie="session=1"), answer())
    async with serving(script) as base, HttpClient() as http:
        for _ in range(2):
            await http.send("GET", base, service="vendor", pacer=make_pacer())
    assert "Cookie" not in script.requests[1].headers


async def test_a_client_may_be_closed_twice_and_used_again() -> None:
    script = Script(answer())
    http = HttpClient()
    async with serving(script) as base:
        for _ in range(2):
            await http.send("GET", base, service="vendor", pacer=make_pacer())
            await http.close()
            await http.close()
    assert len(script.requests) == 2
