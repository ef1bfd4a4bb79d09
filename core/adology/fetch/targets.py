"""From a string to a target that may be contacted. Pure: no name is resolved here.

The string is parsed once, by yarl; the checks read that parse and the very same object is
requested, so there is no second reading of the address that could differ from the vetted one.
"""

from __future__ import annotations

import re
from typing import NoReturn
from urllib.parse import urljoin, urlsplit

from yarl import URL

from adology.errors import FetchRefusedError
from adology.fetch.addresses import is_loopback, parse_address, refusal_of
from adology.settings.model import FetchSettings
from adology.types import Struct

MAX_URL = 16_384
SHOWN = 200

_HOST = re.compile(r"(?=.{1,253}\.?$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SENT_AS_IS = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~|]*")
_USERINFO = re.compile(r"//[^/]*@")


class Target(Struct, frozen=True, kw_only=True):
    """An address whose scheme, host and port are allowed. A host *name* is vetted on resolving."""

    url: URL
    host: str
    port: int


def shown(url: str) -> str:
    """`url` for people and logs: no query, no credentials, printable, short."""
    bare = _USERINFO.sub("//", re.split(r"[?#]", url, maxsplit=1)[0])
    text = bare.encode("unicode_escape").decode("ascii")
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def origin_of(host: str, port: int) -> str:
    """``host:port`` as `stand_ins` spells it, IPv6 addresses in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_stand_in(host: str, port: int, settings: FetchSettings) -> bool:
    """Whether the settings name this very origin as a stand-in."""
    return origin_of(host, port) in {origin.lower() for origin in settings.stand_ins}


def check_target(text: str, settings: FetchSettings) -> Target:
    """The target that `text` names.

    Raises:
        FetchRefusedError: the address is malformed, or not one that may be contacted.
    """
    url = _parse(text)
    if url.scheme not in {"http", "https"}:
        _refuse(text, f"its scheme is {url.scheme[:20]!r}; allowed are http and https")
    if url.raw_user is not None or url.raw_password is not None:
        _refuse(text, "it carries a user name or password")
    host, port = url.raw_host, url.port
    if not host or not port:
        _refuse(text, "it has no host or no port")
    stand_in = is_stand_in(host, port, settings)
    if port not in settings.ports and not stand_in:
        allowed = ", ".join(map(str, settings.ports))
        _refuse(text, f"its port is {port}; allowed are {allowed}", hint="See the setting fetch.ports.")
    _check_host(text, host, stand_in=stand_in)
    return Target(url=_exact(url, text), host=host, port=port)


def next_target(current: Target, location: str, settings: FetchSettings) -> Target:
    """Where a redirect leads: vetted like any other address."""
    try:
        joined = urljoin(str(current.url), location)
    except ValueError:
        _refuse(location, "the redirect is malformed")
    return check_target(joined, settings)


def _parse(text: str) -> URL:
    if len(text) > MAX_URL:
        _refuse(text, f"it is {len(text)} characters long; allowed are {MAX_URL}")
    if _CONTROL.search(text):
        _refuse(text, "it contains control characters")
    try:
        return URL(text)
    except (ValueError, TypeError) as error:  # UnicodeError is a ValueError
        detail = type(error).__name__ if isinstance(error, UnicodeError) else shown(str(error))
        _refuse(text, f"it is malformed ({detail})")


def _check_host(text: str, host: str, *, stand_in: bool) -> None:
    address = parse_address(host)
    if address is not None:
        why = refusal_of(address)
        if why is not None and not (stand_in and is_loopback(address)):
            _refuse(text, f"{host} is {why}", hint="Only public addresses may be contacted.")
        if "." in host and host not in text:
            # ①②⑦.0.0.1 and full-width dots turn into digits and dots under IDNA.
            _refuse(text, f"it disguises the address {host}")
        return
    if not _HOST.fullmatch(host):
        _refuse(text, f"{shown(host)!r} is not a host name")
    last = host.rstrip(".").rpartition(".")[2]
    if _NUMBER.fullmatch(last):
        # 127.1, 0x7f.0.0.1, 017700000001, 2130706433: resolvers read them as IPv4 addresses.
        _refuse(text, f"{host} spells an IPv4 address in another way than four decimal numbers")


def _exact(url: URL, text: str) -> URL:
    """`url` with path and query byte for byte as written: re-quoting breaks some CDNs' signatures."""
    if not _SENT_AS_IS.fullmatch(text):
        return url.with_fragment(None)
    parts = urlsplit(text)
    return URL.build(
        scheme=url.scheme,
        # Already parsed and encoded; `build` itself would leave out the brackets of IPv6.
        authority=url.raw_authority,
        path=parts.path or "/",
        query_string=parts.query,
        encoded=True,
    )


def _refuse(text: str, why: str, *, hint: str | None = None) -> NoReturn:
    raise FetchRefusedError(f"refused to fetch {shown(text)}: {why}.", hint=hint)
