"""From strings to targets: what is refused before any name is resolved."""

from __future__ import annotations

import pytest

from adology.errors import FetchRefusedError
from adology.fetch.targets import MAX_URL, check_target, next_target, shown
from adology.settings.model import FetchSettings

SETTINGS = FetchSettings()

REFUSED = [
    ("ftp://media.example/a.png", "scheme is 'ftp'"),
    ("gopher://media.example/", "scheme is 'gopher'"),
    ("javascript:alert(1)", "scheme is 'javascript'"),
    ("data:image/png;base64,AAAA", "scheme is 'data'"),
    ("//media.example/a.png", "scheme is ''"),
    ("media.example/a.png", "scheme is ''"),
    ("", "scheme is ''"),
    ("http://", "no host"),
    ("http:///etc/passwd", "no host"),
    ("http://user@media.example/", "user name"),
    ("http://user:secret@media.example/", "user name"),
    ("http://media.example@127.0.0.1/", "user name"),
    ("http://:secret@media.example/", "user name"),
    ("http://media.example:22/", "port is 22"),
    ("http://media.example:8080/", "port is 8080"),
    ("http://media.example:0/", "port"),
    ("http://media.example:99999/", "malformed"),
    ("http://127.0.0.1/", "loopback"),
    ("http://[::1]/", "loopback"),
    ("http://[::ffff:127.0.0.1]/", "loopback"),
    ("http://[::ffff:7f00:1]/", "loopback"),
    ("http://[fe80::1%25eth0]/", "scoped"),
    ("http://[fd00:ec2::254]/latest/meta-data/", "unique local"),
    ("http://169.254.169.254/latest/meta-data/", "link-local"),
    ("http://100.100.100.200/", "carrier-grade"),
    ("http://2130706433/", "spells an IPv4 address"),
    ("http://0x7f000001/", "spells an IPv4 address"),
    ("http://0x7f.0.0.1/", "spells an IPv4 address"),
    ("http://0177.0.0.1/", "spells an IPv4 address"),
    ("http://017700000001/", "spells an IPv4 address"),
    ("http://127.1/", "spells an IPv4 address"),
    ("http://127.0.0.1./", "spells an IPv4 address"),
    ("http://8.8.8.8./", "spells an IPv4 address"),
    ("http://1.2.3.4.5/", "spells an IPv4 address"),
    ("http://media.0x/", "spells an IPv4 address"),
    ("http://①②⑦.⓪.⓪.①/", "loopback"),
    ("http://127。0。0。1/", "loopback"),
    ("http://①.1.1.1/", "disguises the address 1.1.1.1"),
    ("http://１２７.0.0.1/", "loopback"),  # noqa: RUF001 - the trick itself
    ("http://a..b/", "not a host name"),
    ("http://.media.example/", "not a host name"),
    ("http://exa mple.com/", "not a host name"),
    (f"http://{'a' * 64}.example/", "not a host name"),
    (f"http://{'a.' * 130}example/", "not a host name"),
    ("http://media.example\\@127.0.0.1/", "malformed"),
    ("http://media.example/a\r\nHost: evil", "control characters"),
    ("http://media.example/\0", "control characters"),
    ("http://media.exam\tple/", "control characters"),
    ("http://[::1/", "malformed"),
    ("http://\ud800.example/", "malformed"),
    ("http://media.example/" + "a" * MAX_URL, "characters long"),
]


@pytest.mark.parametrize(("url", "why"), REFUSED, ids=[ascii(url)[:40] for url, _ in REFUSED])
def test_address_is_refused_with_its_reason(url: str, why: str) -> None:
    with pytest.raises(FetchRefusedError) as caught:
        check_target(url, SETTINGS)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("url", "host", "port", "sent"),
    [
        ("http://media.example", "media.example", 80, "/"),
        ("HTTPS://Media.Example:443/A.png", "media.example", 443, "/A.png"),
        ("http://media.example./a", "media.example.", 80, "/a"),
        ("https://bücher.example/ü?q=ö", "xn--bcher-kva.example", 443, "/%C3%BC?q=%C3%B6"),
        ("https://my_bucket.example/a b", "my_bucket.example", 443, "/a%20b"),
        ("http://8.8.8.8/a", "8.8.8.8", 80, "/a"),
        ("http://[2606:4700::1111]/a", "2606:4700::1111", 80, "/a"),
        ("http://media.example?x=1#part", "media.example", 80, "/?x=1"),
    ],
)
def test_public_address_becomes_a_target(url: str, host: str, port: int, sent: str) -> None:
    target = check_target(url, SETTINGS)
    assert (target.host, target.port, target.url.raw_path_qs) == (host, port, sent)
    # What is requested is read anew from the URL object.
    assert (target.url.raw_host, target.url.port, target.url.user) == (host, port, None)
    bracketed = f"[{host}]" if ":" in host else host
    assert str(target.url) == f"{target.url.scheme}://{bracketed}{sent}"


def test_signed_path_and_query_are_sent_byte_for_byte() -> None:
    signed = "/v/t%2F/%41a~b/../c.jpg?oh=00_AYB%2Bx%3D&sig=a+b/c%20d&_nc_cat=1&=&x"
    target = check_target(f"https://scontent.example{signed}", SETTINGS)
    assert target.url.raw_path_qs == signed


def test_stand_in_opens_exactly_its_own_origin() -> None:
    settings = FetchSettings(stand_ins=("127.0.0.1:9000", "[::1]:9001", "10.0.0.1:9002"))
    assert check_target("http://127.0.0.1:9000/a", settings).port == 9000
    assert str(check_target("http://[::1]:9001/a", settings).url) == "http://[::1]:9001/a"
    for url in ("http://127.0.0.1:9001/", "http://127.0.0.1/", "http://127.0.0.2:9000/", "http://[::1]:9000/"):
        with pytest.raises(FetchRefusedError):
            check_target(url, settings)


def test_stand_in_opens_no_other_network_than_the_loopback() -> None:
    with pytest.raises(FetchRefusedError, match=r"10\.0\.0\.1 is private"):
        check_target("http://10.0.0.1:9002/", FetchSettings(stand_ins=("10.0.0.1:9002",)))


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/b?x=1", "https://media.example/b?x=1"),
        ("b", "https://media.example/dir/b"),
        ("//cdn.example/b", "https://cdn.example/b"),
        ("http://cdn.example/b", "http://cdn.example/b"),
    ],
)
def test_redirect_is_resolved_against_its_origin(location: str, leads_to: str) -> None:
    start = check_target("https://media.example/dir/a", SETTINGS)
    assert str(next_target(start, location, SETTINGS).url) == leads_to


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://127.0.0.1/", "//[::1]/", "http://[", "ftp://x/"])
def test_redirect_is_vetted_like_any_address(location: str) -> None:
    start = check_target("https://media.example/dir/a", SETTINGS)
    with pytest.raises(FetchRefusedError):
        next_target(start, location, SETTINGS)


def test_shown_address_has_no_query_no_credentials_and_is_printable() -> None:
    text = shown("http://user:secret@media.example/ü\n?token=secret#secret")
    assert text == "http://media.example/\\xfc\\n"
    assert len(shown("http://media.example/" + "a" * 5000)) < 250
