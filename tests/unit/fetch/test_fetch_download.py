"""Downloads from real servers: what arrives, and what each failure becomes."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
import tracemalloc
from pathlib import Path

import pytest
from aiohttp import web

from adology.errors import (
    AdologyError,
    FetchRefusedError,
    MediaExpiredError,
    MediaUnusableError,
    Retry,
    RetryLater,
    Terminal,
)
from adology.fetch import Fetched, Fetcher
from adology.log import logger
from tests.unit.fetch.sites import MP4, PNG, RawHandler, answering, files_in, raw_site, settings_for, site

pytestmark = pytest.mark.anyio


async def fetch(origin: str, folder: Path, path: str = "/a", **over: object) -> Fetched:
    async with Fetcher(settings_for(origin, **over)) as fetcher:
        return await fetcher.fetch(f"http://{origin}{path}", folder=folder)


def writing(*parts: bytes, pause_s: float = 0.0) -> RawHandler:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return answer


HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


async def test_file_arrives_whole_with_its_hash_and_type_by_content(tmp_path: Path) -> None:
    async with site(answering(MP4, Content_Type="image/jpeg; charset=x")) as origin:
        got = await fetch(origin, tmp_path, "/video.gif?token=1")
    assert got.path.read_bytes() == MP4
    assert got.path.parent == tmp_path
    assert got.path.suffix == ".mp4"
    assert got.sha256 == hashlib.sha256(MP4).hexdigest()
    assert got.size_bytes == len(MP4)
    assert (got.content_type, got.kind, got.extension) == ("video/mp4", "video", "mp4")
    assert got.reported_type == "image/jpeg; charset=x"
    assert got.final_url == f"http://{origin}/video.gif?token=1"


async def test_request_asks_for_plain_bytes_and_carries_nothing_of_ours(tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append({name.lower(): value for name, value in request.headers.items()})
        answer = web.Response(body=PNG)
        answer.set_cookie("id", "1")
        return answer

    async with site(handle) as origin, Fetcher(settings_for(origin)) as fetcher:
        for _ in range(2):
            await fetcher.fetch(f"http://{origin}/a", folder=tmp_path)
    assert seen[0]["accept-encoding"] == "identity"
    assert set(seen[1]) == {"host", "user-agent", "accept", "accept-encoding"}


async def test_connections_are_kept_alive_between_fetches(tmp_path: Path) -> None:
    peers = set()

    async def handle(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(body=PNG)

    async with site(handle) as origin, Fetcher(settings_for(origin)) as fetcher:
        for _ in range(3):
            await fetcher.fetch(f"http://{origin}/a", folder=tmp_path)
    assert len(peers) == 1


async def test_same_file_fetched_twice_at_once_is_two_files(tmp_path: Path) -> None:
    async with site(answering(PNG)) as origin, Fetcher(settings_for(origin)) as fetcher:
        got = await asyncio.gather(*(fetcher.fetch(f"http://{origin}/a", folder=tmp_path) for _ in range(8)))
    assert len({item.path for item in got}) == 8
    assert len({item.sha256 for item in got}) == 1


async def test_redirects_are_followed_to_the_file(tmp_path: Path) -> None:
    async def handle(request: web.Request) -> web.Response:
        step = int(request.path.strip("/"))
        if step:
            return web.Response(
                status=[301, 302, 303, 307, 308][step % 5], headers={"Location": f"/{step - 1}?s={step}"}
            )
        return web.Response(body=PNG)

    async with site(handle) as origin:
        got = await fetch(origin, tmp_path, "/5")
        assert got.final_url == f"http://{origin}/0?s=1"
        with pytest.raises(FetchRefusedError, match="more than 5 redirects"):
            await fetch(origin, tmp_path, "/6")


async def test_redirect_loop_is_refused(tmp_path: Path) -> None:
    hits = 0

    async def handle(_: web.Request) -> web.Response:
        nonlocal hits
        hits += 1
        return web.Response(status=302, headers={"Location": "/a"})

    async with site(handle) as origin:
        with pytest.raises(FetchRefusedError, match="more than 3 redirects"):
            await fetch(origin, tmp_path, max_redirects=3)
    assert hits == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/",
        "http://[::1]/",
        "file:///etc/passwd",
        "ftp://x/",
        "http://[",
    ],
)
async def test_redirect_to_a_refused_address_is_refused(tmp_path: Path, location: str) -> None:
    async with site(answering(b"", status=302, Location=location)) as origin:
        with pytest.raises(FetchRefusedError):
            await fetch(origin, tmp_path, file_roots=("/",))


async def test_redirect_without_a_location_is_final(tmp_path: Path) -> None:
    async with site(answering(b"", status=302)) as origin:
        with pytest.raises(Terminal, match="without a Location") as caught:
            await fetch(origin, tmp_path)
    assert caught.value.code == "ADO-5103"


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, Terminal, "ADO-5103"),
        (401, Terminal, "ADO-5103"),
        (403, MediaExpiredError, "ADO-5102"),
        (404, MediaExpiredError, "ADO-5102"),
        (410, MediaExpiredError, "ADO-5102"),
        (408, Retry, "ADO-5104"),
        (425, Retry, "ADO-5104"),
        (429, RetryLater, "ADO-2001"),
        (451, Terminal, "ADO-5103"),
        (300, Terminal, "ADO-5103"),
        (304, Terminal, "ADO-5103"),
        (206, Terminal, "ADO-5103"),
        (204, MediaUnusableError, "ADO-3101"),
        (500, Retry, "ADO-5104"),
        (502, Retry, "ADO-5104"),
        (503, Retry, "ADO-5104"),
        (599, Retry, "ADO-5104"),
    ],
)
async def test_status_becomes_its_error(tmp_path: Path, status: int, kind: type[AdologyError], code: str) -> None:
    body = b"" if status in {204, 304} else PNG
    async with site(answering(body, status=status)) as origin:
        with pytest.raises(AdologyError) as caught:
            await fetch(origin, tmp_path)
    assert (type(caught.value), caught.value.code) == (kind, code)
    if status != 204:
        assert str(status) in str(caught.value)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("7", 7.0),
        ("99999999", 3600.0),
        ("inf", 60.0),
        ("soon", 60.0),
        ("", 60.0),
        ("-5", 60.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Mon, 01 Jan 2096 00:00:00 +9999999999", 60.0),
    ],
)
async def test_slow_down_carries_the_servers_pause_within_reason(tmp_path: Path, given: str, seconds: float) -> None:
    async with site(answering(b"", status=429, Retry_After=given)) as origin:
        with pytest.raises(RetryLater) as caught:
            await fetch(origin, tmp_path)
    assert caught.value.seconds == seconds


async def test_overloaded_server_gets_the_pause_that_it_asks_for(tmp_path: Path) -> None:
    async with site(answering(b"", status=503, Retry_After="9")) as origin:
        with pytest.raises(Retry) as caught:
            await fetch(origin, tmp_path)
    assert caught.value.after == 9.0


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"<!doctype html><title>Log in</title>", "text/html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image/svg+xml"),
        (b'{"error": "expired"}', "application/json"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (bytes(100), "no known image or video format; it begins with 00 00"),
    ],
)
async def test_what_is_no_creative_is_unusable(tmp_path: Path, body: bytes, says: str) -> None:
    async with site(answering(body, Content_Type="image/png")) as origin:
        with pytest.raises(MediaUnusableError, match=re.escape(says)):
            await fetch(origin, tmp_path)
    assert files_in(tmp_path) == []


async def test_error_page_ends_the_transfer_after_its_first_bytes(tmp_path: Path) -> None:
    beginning = HEAD + b"Content-Length: 400000000\r\n\r\n<html>" + b" " * 5000
    async with raw_site(writing(beginning, b"", pause_s=5)) as origin:
        with pytest.raises(MediaUnusableError, match="text/html"):
            await asyncio.wait_for(fetch(origin, tmp_path, idle_s=5.0), 2)


async def test_compressed_answer_is_not_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    async with site(answering(bomb, Content_Encoding="gzip", Content_Type="image/png")) as origin:
        with pytest.raises(MediaUnusableError, match="application/gzip"):
            await fetch(origin, tmp_path, max_bytes=1024 * 1024)


async def test_announced_size_beyond_the_limit_is_refused_before_the_body(tmp_path: Path) -> None:
    async with raw_site(writing(HEAD + b"Content-Length: 5000\r\n\r\n", b"", pause_s=5)) as origin:
        with pytest.raises(FetchRefusedError, match=r"5000 bytes or more; allowed are 4999"):
            await asyncio.wait_for(fetch(origin, tmp_path, max_bytes=4999), 2)


async def test_unannounced_size_is_counted(tmp_path: Path) -> None:
    async with raw_site(writing(HEAD + b"\r\n", PNG, PNG, pause_s=0.05)) as origin:
        with pytest.raises(FetchRefusedError, match="allowed are"):
            await fetch(origin, tmp_path, max_bytes=len(PNG) + 10)
        got = await fetch(origin, tmp_path, max_bytes=len(PNG) * 2)
    assert got.size_bytes == len(PNG) * 2
    assert [path for path in files_in(tmp_path) if path != got.path] == []


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((HEAD + b"Content-Length: 50000\r\n\r\n", PNG), id="short of its length"),
        pytest.param((HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"ff\r\n" + PNG[:255]), id="chunk cut off"),
        pytest.param((HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n" + PNG), id="chunk of no size"),
        pytest.param((b"",), id="no answer"),
        pytest.param((b"SSH-2.0-OpenSSH_9.6\r\n\r\n",), id="no HTTP"),
        pytest.param((b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",), id="length that is no number"),
        pytest.param((b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",), id="endless header"),
    ],
)
async def test_broken_transfer_is_tried_again_later(tmp_path: Path, parts: tuple[bytes, ...]) -> None:
    async with raw_site(writing(*parts)) as origin:
        with pytest.raises(Retry) as caught:
            await fetch(origin, tmp_path, "/a?token=hidden")
    assert caught.value.code == "ADO-5104"
    assert "hidden" not in str(caught.value)
    assert files_in(tmp_path) == []


async def test_connection_that_nobody_takes_is_tried_again_later(tmp_path: Path) -> None:
    async with site(answering(PNG)) as origin:
        pass
    with pytest.raises(Retry, match="the connection failed") as caught:
        await fetch(origin, tmp_path)
    assert caught.value.code == "ADO-5104"


async def test_silence_ends_at_the_idle_limit(tmp_path: Path) -> None:
    async with raw_site(writing(HEAD + b"Content-Length: 50000\r\n\r\n", PNG, b"", pause_s=1)) as origin:
        with pytest.raises(Retry, match=r"no bytes came for 0\.2 s"):
            await asyncio.wait_for(fetch(origin, tmp_path, idle_s=0.2), 2)
    assert files_in(tmp_path) == []


async def test_silent_header_ends_at_the_idle_limit(tmp_path: Path) -> None:
    async with raw_site(writing(b"", b"", pause_s=1)) as origin:
        with pytest.raises(Retry, match=r"no bytes came for 0\.2 s"):
            await asyncio.wait_for(fetch(origin, tmp_path, idle_s=0.2), 2)


async def test_slow_drip_ends_at_the_total_limit(tmp_path: Path) -> None:
    drip = [PNG[at : at + 1] for at in range(200)]
    async with raw_site(writing(HEAD + b"Content-Length: 200\r\n\r\n", *drip, pause_s=0.05)) as origin:
        with pytest.raises(Retry, match=r"longer than 0\.6 s"):
            await asyncio.wait_for(fetch(origin, tmp_path, idle_s=0.3, timeout_s=0.6), 3)
    assert files_in(tmp_path) == []


async def test_cancelled_fetch_leaves_nothing(tmp_path: Path) -> None:
    big = b"\x89PNG\r\n\x1a\n" + bytes(3_000_000)
    async with raw_site(writing(HEAD + b"\r\n" + big, b"", pause_s=5)) as origin:
        task = asyncio.create_task(fetch(origin, tmp_path))
        async with asyncio.timeout(5):
            while not files_in(tmp_path):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert files_in(tmp_path) == []


async def test_scratch_folder_that_cannot_be_written_is_no_fault_of_the_file(tmp_path: Path) -> None:
    async with site(answering(PNG)) as origin:
        with pytest.raises(Retry, match=r"scratch folder .* cannot be written") as caught:
            await fetch(origin, tmp_path / "absent")
    assert caught.value.code == "ADO-5105"


async def test_memory_stays_flat_for_a_large_file(tmp_path: Path) -> None:
    size = 48 * 1024 * 1024
    block = bytes(256 * 1024)

    async def large(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + f"Content-Length: {size}\r\n\r\n".encode() + PNG[:8])
        for _block in range(size // len(block) - 1):
            writer.write(block)
            await writer.drain()
        writer.write(block[8:])

    async with raw_site(large) as origin:
        tracemalloc.start()
        try:
            got = await fetch(origin, tmp_path, timeout_s=30.0)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert got.size_bytes == size
    assert peak < 12 * 1024 * 1024


async def test_calls_are_logged_without_the_query(tmp_path: Path) -> None:
    lines: list[str] = []
    handle = logger.add(lambda message: lines.append(f"{message} {message.record['extra']}"), level="DEBUG")
    try:
        async with site(answering(PNG)) as origin:
            await fetch(origin, tmp_path, "/a?oh=hidden")
        async with raw_site(writing(b"nonsense\r\n\r\n")) as other:
            with pytest.raises(Retry):
                await fetch(other, tmp_path, "/a?oh=hidden")
    finally:
        logger.remove(handle)
    calls = [line for line in lines if "'service': 'fetch'" in line]
    assert len(calls) == 2
    assert origin in calls[0]
    assert "'outcome': 'error'" in calls[1]
    assert "hidden" not in "".join(lines)


def test_fetcher_works_on_the_workers_event_loop(tmp_path: Path) -> None:
    import uvloop

    async def main() -> Fetched:
        # uvloop tells nobody that a test's time is up.
        async with asyncio.timeout(50), site(answering(MP4)) as origin:
            with pytest.raises(FetchRefusedError):
                await fetch(origin, tmp_path, "@127.0.0.1/")
            return await fetch(origin, tmp_path)

    assert uvloop.run(main()).path.read_bytes() == MP4
