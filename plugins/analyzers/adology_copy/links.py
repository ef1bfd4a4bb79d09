# ruff: noqa: RUF001 - typographic quotes occur in copy
"""Addresses in copy, and where they lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from adology_copy.model import Link

WEB_ENDINGS = (
    "com|net|org|info|biz|shop|store|app|dev|io|co|ai|me|tv|online|site|club|blog|page|link|world|eu|us|uk|de|fr|es|"
    "it|nl|be|at|ch|se|no|dk|fi|pl|cz|sk|hu|ro|pt|ie|gr|tr|ru|ua|jp|kr|cn|in|vn|id|th|ph|my|sg|au|nz|ca|br|mx|ar|cl|"
    "za|ng|il|ae|sa|bd|pk|hk|tw"
)
"""Endings by which an address without "http" or "www" is told from "end.Next sentence"."""

LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
TAIL = r"(?:[/?#][^\s<>\"'“”]{0,2000})?"
ADDRESS = re.compile(
    rf"https?://[^\s<>\"'“”]{{1,2000}}"
    rf"|(?<![\w.@-])www\.(?:{LABEL}\.){{1,5}}{LABEL}{TAIL}"
    rf"|(?<![\w.@/-])(?:{LABEL}\.){{1,4}}(?:{WEB_ENDINGS})(?![\w@-]|\.\w){TAIL}",
    re.IGNORECASE,
)
TRAILING = ".,;:!?)]}>…'\"»’"
REDIRECTORS = frozenset({"l.facebook.com", "lm.facebook.com", "l.instagram.com"})
MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")


def find(text: str) -> Iterator[Link]:
    """Addresses in order; Meta's redirects are unwrapped."""
    for match in ADDRESS.finditer(text):
        url = match.group().rstrip(TRAILING)
        domain = domain_of(url)
        if domain:
            yield Link(url=unwrap(url), domain=domain)


def blank(text: str) -> str:
    """The text with addresses, web and mail, replaced by spaces: positions stay true."""
    without_mail = MAIL.sub(_spaces, text)
    return ADDRESS.sub(_spaces, without_mail)


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match.group())


def domain_of(url: str) -> str:
    """The host that the address leads to, in lower case, without "www."; empty where there is none."""
    try:
        host = urlsplit(_with_scheme(unwrap(url).strip())).hostname or ""
    except ValueError:
        return ""
    host = host.strip(".").removeprefix("www.")
    return host if "." in host else ""


def unwrap(url: str) -> str:
    """The target of a Meta redirect; any other address as it is."""
    try:
        parts = urlsplit(_with_scheme(url))
        if (parts.hostname or "") in REDIRECTORS:
            return parse_qs(parts.query, max_num_fields=50).get("u", [url])[0]
    except ValueError:
        return url
    return url


def _with_scheme(url: str) -> str:
    return url if "://" in url else f"//{url}"
