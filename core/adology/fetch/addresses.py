"""Which IP addresses may be contacted: public unicast, and nothing that leads elsewhere.

The table is our own and not `ipaddress.is_global`, whose answers differ between Python
versions (100.64/10, 192.88.99/24 and the documentation prefix 3fff::/20 among them).
Source: the IANA special-purpose address registries for IPv4 and IPv6, read 2026-11.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

_IPV4 = (
    ("0.0.0.0/8", "unspecified ('this network')"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved for protocols"),
    ("192.0.2.0/24", "reserved for documentation"),
    ("192.88.99.0/24", "a 6to4 relay"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "reserved for benchmarks"),
    ("198.51.100.0/24", "reserved for documentation"),
    ("203.0.113.0/24", "reserved for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
)
_IPV6 = (
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::/96", "an IPv4-compatible address"),
    ("64:ff9b:1::/48", "local NAT64"),
    ("100::/64", "a discard prefix"),
    ("2001::/32", "a Teredo tunnel"),
    ("2001::/23", "reserved for protocols"),
    ("2001:db8::/32", "reserved for documentation"),
    ("3fff::/20", "reserved for documentation"),
    ("fc00::/7", "private (unique local)"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
)
_REFUSED_V4 = tuple((IPv4Network(network), why) for network, why in _IPV4)
_REFUSED_V6 = tuple((IPv6Network(network), why) for network, why in _IPV6)

_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_PUBLIC_V6 = IPv6Network("2000::/3")
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
"""Upper half of an interface id that says: the lower half is an IPv4 address (RFC 5214)."""


def parse_address(text: str) -> Address | None:
    """The address that `text` spells in its ordinary form; None for a name or an odd spelling."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def is_loopback(address: Address) -> bool:
    """Whether `address` is this machine, written plainly (no embedding)."""
    return any(address in network for network in _LOOPBACK)


def find_refusal(text: str) -> str | None:
    """Why the address `text` may not be contacted, or None when it may."""
    address = parse_address(text)
    if address is None:
        return "not an IP address"
    return refusal_of(address)


def refusal_of(address: Address) -> str | None:
    """Why `address` may not be contacted, or None when it may."""
    if isinstance(address, IPv4Address):
        return next((why for network, why in _REFUSED_V4 if address in network), None)
    if address.scope_id is not None:
        return "bound to a network interface (scoped)"
    inner = _embedded(address)
    if inner is not None:
        why = refusal_of(inner)
        if why is not None:
            return f"{why} ({inner} inside)"
        if address in _MAPPED or address in _NAT64:
            # NAT64 is how a network without IPv4 reaches public IPv4 hosts: its resolvers answer so.
            return None
    for network, why in _REFUSED_V6:
        if address in network:
            return why
    return None if address in _PUBLIC_V6 else "outside the public IPv6 space"


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a packet to `address` would end at, after tunnels and translators."""
    bits = int(address)
    if address in _MAPPED or address in _NAT64 or (bits >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(bits & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address((bits >> 80) & 0xFFFFFFFF)
    return None
