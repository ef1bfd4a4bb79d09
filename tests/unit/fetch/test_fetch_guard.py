"""Who is contacted, and who is not: made-up names, a watched wire, real servers behind it."""

from __future__ import annotations

import asyncio
import tempfile
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adology.errors import AdologyError, FetchRefusedError, Retry
from adology.fetch import Fetcher
from adology.fetch.guard import guarded_connector
from adology.settings.model import FetchSettings
from tests.unit.fetch.sites import (
    OTHER_PUBLIC,
    PNG,
    PUBLIC,
    Names,
    Wire,
    answering,
    files_in,
    self_signed,
    settings_for,
    site,
)

pytestmark = pytest.mark.anyio


async def test_name_is_resolved_once_and_its_vetted_address_contacted(tmp_path: Path, wire: Wire) -> None:
    hosts: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        hosts.append(request.headers["Host"])
        return web.Response(body=PNG)

    names = Names(cdn_example=[[PUBLIC]])
    async with site(handle) as origin, Fetcher(FetchSettings(), resolver=names) as fetcher:
        wire.lead(PUBLIC, origin)
        got = await fetcher.fetch("http://cdn.example/a", folder=tmp_path)
    assert got.path.read_bytes() == PNG
    assert names.asked == ["cdn.example"]
    assert wire.contacted == [PUBLIC]
    assert hosts == ["cdn.example"]


@pytest.mark.parametrize("address", [PUBLIC, "2606:4700::1111"])
async def test_public_literal_is_contacted_without_resolving(tmp_path: Path, wire: Wire, address: str) -> None:
    names = Names()
    host = f"[{address}]" if ":" in address else address
    async with Fetcher(FetchSettings(), resolver=names) as fetcher:
        with pytest.raises(Retry, match="the connection failed"):
            await fetcher.fetch(f"http://{host}/a", folder=tmp_path)
    assert set(wire.contacted) == {address}
    assert names.asked == []


async def test_rebinding_name_never_leads_inside(tmp_path: Path, wire: Wire) -> None:
    """The name server changes its answer after the first question, as an attacker's does."""
    names = Names(evil_example=[[PUBLIC], ["127.0.0.1"]])
    closing = answering(PNG, Connection="close")
    async with site(closing) as origin, Fetcher(FetchSettings(), resolver=names) as fetcher:
        wire.lead(PUBLIC, origin)
        wire.lead("127.0.0.1", origin)
        await fetcher.fetch("http://evil.example/a", folder=tmp_path)
        await fetcher.fetch("http://evil.example/b", folder=tmp_path)
        assert wire.contacted == [PUBLIC, PUBLIC]
        # Another process, whose first question gets the second answer:
        async with Fetcher(FetchSettings(), resolver=names) as other:
            with pytest.raises(FetchRefusedError, match=r"127\.0\.0\.1 is loopback"):
                await other.fetch("http://evil.example/c", folder=tmp_path)
    assert wire.contacted == [PUBLIC, PUBLIC]


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["10.1.2.3"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["fe80::1%2"],
        [PUBLIC, "10.0.0.1"],
        ["2606:4700::1111", "::1"],
        [PUBLIC, OTHER_PUBLIC, "0.0.0.0"],  # noqa: S104 - to be refused
    ],
)
async def test_name_with_any_bad_address_is_refused(tmp_path: Path, wire: Wire, answer: list[str]) -> None:
    async with Fetcher(FetchSettings(), resolver=Names(mixed_example=[answer])) as fetcher:
        with pytest.raises(FetchRefusedError, match=r"mixed\.example:443: its address"):
            await fetcher.fetch("https://mixed.example/a", folder=tmp_path)
    assert wire.contacted == []


async def test_concurrent_fetches_of_a_refused_name_are_all_refused(tmp_path: Path, wire: Wire) -> None:
    async with Fetcher(FetchSettings(), resolver=Names(evil_example=[["10.0.0.1"]])) as fetcher:
        got = await asyncio.gather(
            *(fetcher.fetch(f"http://evil.example/{n}", folder=tmp_path) for n in range(20)), return_exceptions=True
        )
    assert {type(item) for item in got} == {FetchRefusedError}
    assert wire.contacted == []


async def test_second_address_is_tried_when_the_first_does_not_answer(tmp_path: Path, wire: Wire) -> None:
    names = Names(cdn_example=[[PUBLIC, OTHER_PUBLIC]])
    async with site(answering(PNG)) as origin, Fetcher(FetchSettings(), resolver=names) as fetcher:
        wire.lead(OTHER_PUBLIC, origin)
        await fetcher.fetch("http://cdn.example/a", folder=tmp_path)
    assert set(wire.contacted) <= {PUBLIC, OTHER_PUBLIC}
    assert OTHER_PUBLIC in wire.contacted


async def test_name_that_does_not_resolve_is_tried_again_later(tmp_path: Path, wire: Wire) -> None:
    async with Fetcher(FetchSettings(), resolver=Names()) as fetcher:
        with pytest.raises(Retry, match="name could not be resolved"):
            await fetcher.fetch("http://nowhere.example/a", folder=tmp_path)
    assert wire.contacted == []


async def test_public_site_that_redirects_inside_is_refused(tmp_path: Path, wire: Wire) -> None:
    names = Names(cdn_example=[[PUBLIC]], inside_example=[["192.168.0.1"]])
    for location in ("http://inside.example/admin", "http://192.168.0.1/admin", "http://[fd00::1]/admin"):
        moved = answering(b"", status=302, Location=location)
        async with site(moved) as origin, Fetcher(FetchSettings(), resolver=names) as fetcher:
            wire.lead(PUBLIC, origin)
            with pytest.raises(FetchRefusedError):
                await fetcher.fetch("http://cdn.example/a", folder=tmp_path)
    assert set(wire.contacted) == {PUBLIC}


async def test_each_redirect_resolves_and_vets_its_own_name(tmp_path: Path, wire: Wire) -> None:
    names = Names(cdn_example=[[PUBLIC]], img_example=[[OTHER_PUBLIC]])
    moved = answering(b"", status=301, Location="http://img.example/b")
    async with (
        site(moved) as first,
        site(answering(PNG)) as second,
        Fetcher(FetchSettings(), resolver=names) as fetcher,
    ):
        wire.lead(PUBLIC, first)
        wire.lead(OTHER_PUBLIC, second)
        got = await fetcher.fetch("http://cdn.example/a", folder=tmp_path)
    assert got.final_url == "http://img.example/b"
    assert wire.contacted == [PUBLIC, OTHER_PUBLIC]


async def test_stand_in_name_may_resolve_to_the_loopback_only(tmp_path: Path, wire: Wire) -> None:
    async with site(answering(PNG)) as origin:
        port = origin.rpartition(":")[2]
        wire.lead("127.0.0.1", origin)
        allowed = settings_for(f"Vendor.example:{port}")
        async with Fetcher(allowed, resolver=Names(vendor_example=[["127.0.0.1"]])) as fetcher:
            await fetcher.fetch(f"http://vendor.example:{port}/a", folder=tmp_path)
        async with Fetcher(allowed, resolver=Names(vendor_example=[["10.0.0.1"]])) as fetcher:
            with pytest.raises(FetchRefusedError, match="private"):
                await fetcher.fetch(f"http://vendor.example:{port}/a", folder=tmp_path)
        async with Fetcher(allowed, resolver=Names(other_example=[["127.0.0.1"]])) as fetcher:
            with pytest.raises(FetchRefusedError, match="port"):
                await fetcher.fetch(f"http://other.example:{port}/a", folder=tmp_path)
    assert wire.contacted == ["127.0.0.1"]


async def test_localhost_by_its_system_name_is_refused(tmp_path: Path, wire: Wire) -> None:
    async with Fetcher(FetchSettings()) as fetcher:
        with pytest.raises(FetchRefusedError, match="loopback"):
            await fetcher.fetch("http://localhost/a", folder=tmp_path)
    assert wire.contacted == []


async def test_proxy_of_the_environment_is_not_used(
    tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:3128")
    async with Fetcher(FetchSettings(), resolver=Names(cdn_example=[[PUBLIC]])) as fetcher:
        with pytest.raises(Retry):
            await fetcher.fetch("http://cdn.example/a", folder=tmp_path)
    assert set(wire.contacted) == {PUBLIC}


async def test_last_lock_refuses_an_address_that_nobody_vetted(wire: Wire) -> None:
    """A literal goes past the resolver; here it also goes past `check_target`."""
    import aiohttp

    connector = guarded_connector(Names(), FetchSettings())
    async with aiohttp.ClientSession(connector=connector) as session:
        for url in ("http://127.0.0.1:80/", "http://[::1]/", "http://10.0.0.1/"):
            with pytest.raises(FetchRefusedError):
                await session.get(url)
    assert wire.contacted == []


async def test_tls_keeps_the_name_and_checks_the_certificate(tmp_path: Path, wire: Wire) -> None:
    asked: list[str | None] = []
    context = self_signed(tmp_path, "cdn.example")
    context.sni_callback = lambda _socket, name, _context: asked.append(name)

    async def never(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0, ssl=context)
    wire.lead(PUBLIC, f":{server.sockets[0].getsockname()[1]}")
    async with Fetcher(FetchSettings(), resolver=Names(cdn_example=[[PUBLIC]])) as fetcher:
        with pytest.raises(Retry, match="certificate is not valid"):
            await fetcher.fetch("https://cdn.example/a", folder=tmp_path)
    server.close()
    await server.wait_closed()
    assert asked == ["cdn.example"]
    assert wire.contacted == [PUBLIC]


NAMES = st.sampled_from(["good.example", "bad.example", "mixed.example", "GOOD.example.", "good。example", "localhost"])
HOSTS = st.one_of(
    NAMES,
    st.sampled_from(["127.0.0.1", "[::1]", "0x7f.1", "2130706433", "10.0.0.1", "①②⑦.0.0.1", "[::]", ""]),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.integers(0, 2**33).map(str),
    st.integers(0, 2**33).map(hex),
    st.text(max_size=12),
)
PATHS = st.text(max_size=12).map(lambda text: f"/{text}") | st.just("") | st.just("\\@127.0.0.1/")
URLS = st.one_of(
    st.text(max_size=60),
    st.text(max_size=40).map(lambda text: f"http://{text}"),
    st.builds(
        "{}{}{}{}{}{}".format,
        st.sampled_from(["http", "https", "HTTP", "file", "ftp", "", "http\t"]),
        st.sampled_from(["://", ":", ":/", ":///", "://///", ":\\\\"]),
        st.sampled_from(["", "", "", "user@", "a:b@", "@", "good.example@"]),
        HOSTS,
        st.sampled_from(["", "", ":80", ":443", ":22", ":0", ":x", ":", ":080", ":99999"]),
        PATHS,
    ),
    st.builds("{}://{}{}".format, st.sampled_from(["http", "https"]), NAMES | HOSTS, PATHS),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(url="http://[2000::]", location=None)
@example(url="", location="HTTP://[2000::]")
@example(url="http://bad.example", location=None)
@example(url="", location="//localhost/")
@given(url=URLS, location=st.one_of(st.none(), URLS))
def test_no_string_makes_the_guard_contact_what_is_not_public(url: str, location: str | None) -> None:
    """Neither as the address nor as where a public site redirects to; and every error is ours."""
    wire = asyncio.run(_try(url, location))
    for contacted in wire.contacted:
        address = ip_address(contacted)
        address = getattr(address, "ipv4_mapped", None) or address
        assert not any((address.is_private, address.is_loopback, address.is_link_local, address.is_multicast))


async def _try(url: str, location: str | None) -> Wire:
    wire = Wire()
    names = Names(
        good_example=[[PUBLIC], ["127.0.0.1"]],
        bad_example=[["127.0.0.1"]],
        localhost=[["::1", "127.0.0.1"]],
        mixed_example=[[PUBLIC, "10.0.0.1"]],
    )
    start = "http://start.example/" if location is not None else url
    names.answers["start.example"] = [[OTHER_PUBLIC]]

    async def moved(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = (location or "").replace("\r", "").replace("\n", "").encode("utf-8", "surrogatepass")
        writer.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + place + b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(moved, "127.0.0.1", 0)
    with wire.watched(), tempfile.TemporaryDirectory() as folder:
        wire.lead(OTHER_PUBLIC, f":{server.sockets[0].getsockname()[1]}")
        async with Fetcher(FetchSettings(timeout_s=2.0), resolver=names) as fetcher:
            try:
                await fetcher.fetch(start, folder=Path(folder))
            except AdologyError:
                pass
            else:
                raise AssertionError(f"{url!r} was fetched")
        assert files_in(Path(folder)) == []
    server.close()
    await server.wait_closed()
    return wire
