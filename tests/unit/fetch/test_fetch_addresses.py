"""Which addresses may be contacted."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adology.fetch.addresses import find_refusal, refusal_of

REFUSED = [
    ("0.0.0.0", "unspecified"),  # noqa: S104 - to be refused
    ("0.1.2.3", "unspecified"),
    ("10.0.0.1", "private"),
    ("10.255.255.255", "private"),
    ("100.64.0.1", "carrier-grade"),
    ("100.127.255.255", "carrier-grade"),
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("169.254.169.254", "link-local"),
    ("172.16.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.0.0.1", "reserved"),
    ("192.0.2.1", "documentation"),
    ("192.88.99.1", "6to4"),
    ("192.168.1.1", "private"),
    ("198.18.0.1", "benchmarks"),
    ("198.19.255.255", "benchmarks"),
    ("198.51.100.7", "documentation"),
    ("203.0.113.7", "documentation"),
    ("224.0.0.1", "multicast"),
    ("239.255.255.255", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "reserved"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::127.0.0.1", "IPv4-compatible"),
    ("::8.8.8.8", "IPv4-compatible"),
    ("::ffff:127.0.0.1", "loopback (127.0.0.1 inside)"),
    ("::ffff:169.254.169.254", "link-local (169.254.169.254 inside)"),
    ("::ffff:10.0.0.1", "private"),
    ("::ffff:0.0.0.0", "unspecified"),
    ("64:ff9b::7f00:1", "loopback (127.0.0.1 inside)"),
    ("64:ff9b::a9fe:a9fe", "link-local (169.254.169.254 inside)"),
    ("64:ff9b:1::808:808", "local NAT64"),
    ("2002:7f00:1::", "loopback (127.0.0.1 inside)"),
    ("2002:a9fe:a9fe::1", "link-local"),
    ("2002:c0a8:101::", "private"),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"),
    ("2001:10::1", "reserved"),
    ("2001:db8::1", "documentation"),
    ("3fff::1", "documentation"),
    ("2a00:1450::5efe:7f00:1", "loopback (127.0.0.1 inside)"),
    ("2a00:1450::200:5efe:a00:1", "private (10.0.0.1 inside)"),
    ("fc00::1", "unique local"),
    ("fd00:ec2::254", "unique local"),
    ("fe80::1", "link-local"),
    ("fe80::1%eth0", "scoped"),
    ("2a00:1450::1%1", "scoped"),
    ("fec0::1", "site-local"),
    ("ff02::1", "multicast"),
    ("100::1", "discard"),
    ("5f00::1", "outside"),
    ("4000::1", "outside"),
    ("media.example", "not an IP address"),
    ("0x7f.0.0.1", "not an IP address"),
    ("0177.0.0.1", "not an IP address"),
    ("", "not an IP address"),
]
ALLOWED = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a03:2880:f12f:83:face:b00c:0:25de",
    "64:ff9b::808:808",
    "::ffff:8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize(("address", "why"), REFUSED)
def test_address_that_leads_elsewhere_is_refused_with_its_kind(address: str, why: str) -> None:
    assert why in (find_refusal(address) or "")


@pytest.mark.parametrize("address", ALLOWED)
def test_public_address_is_allowed(address: str) -> None:
    assert find_refusal(address) is None


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_nothing_that_the_standard_library_calls_private_is_allowed(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if refusal_of(address) is None:
        inner = getattr(address, "ipv4_mapped", None) or address
        assert not any((inner.is_private, inner.is_loopback, inner.is_multicast, inner.is_link_local))


@given(st.ip_addresses(v=4))
def test_embedding_never_widens_what_is_allowed(address: ipaddress.IPv4Address) -> None:
    why = refusal_of(address)
    bits = int(address)
    forms = (0xFFFF << 32 | bits, 0x64FF9B << 96 | bits, 0x2002 << 112 | bits << 80, 0x2A << 120 | 0x5EFE << 32 | bits)
    for form in forms:
        assert why is None or refusal_of(ipaddress.IPv6Address(form)) is not None
