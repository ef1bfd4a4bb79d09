"""Nothing secret leaves through a log line or an error text."""

from __future__ import annotations

import json
import re
import threading
from urllib.parse import quote, quote_plus

MASK = "***"
_MIN_SECRET = 6
"""Shorter values would mask ordinary words."""
_PLAIN_IN_QUERIES = "/?:@!$'()*,"
"""What yarl, and so aiohttp, leaves as it is in a query's values."""

_PATTERNS = (
    # Secrets as URL or form parameters, whatever their value is.
    (
        ("=",),
        re.compile(
            r"((?:access_token|api_key|apikey|client_secret|appsecret_proof|password|signature|x-amz-signature|"
            r"x-amz-credential|x-amz-security-token|token|sig)=)[^&\s\"'<>]+",
            re.IGNORECASE,
        ),
    ),
    (
        ("author", "x-ap"),
        re.compile(
            # In a JSON line the quotes around a quoted header are escaped.
            r"((?:authorization|x-api-key)\\?[\"']?\s*[:=]\s*\\?[\"']?(?:bearer\s+|basic\s+)?)[^\s\"',}\\]+",
            re.IGNORECASE,
        ),
    ),
    # user:password@ in addresses
    (("://",), re.compile(r"(://[^/\s:@]*:)[^@\s/]+(?=@)")),
)
"""What a text has in small letters wherever the pattern matches, and the pattern: most lines have none of it, and
looking for that takes a tenth of the time. None has an i, k or s, which a pattern also finds in letters that have
another small form."""


class Redactor:
    """Masks known secret values and anything that looks like a credential in an address."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._known: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add(self, value: str) -> None:
        """Remember a secret value; every later `redact` masks it, as it is and as JSON and addresses spell it."""
        if len(value) < _MIN_SECRET:
            return
        spellings = _spellings(value)
        with self._lock:
            if not spellings <= self._values:
                self._values |= spellings
                longest_first = sorted(self._values, key=len, reverse=True)
                self._known = re.compile("|".join(map(re.escape, longest_first)))

    def redact(self, text: str) -> str:
        """`text` with every secret masked."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        small = text.lower()
        for marks, pattern in _PATTERNS:
            if any(mark in small for mark in marks):
                text = pattern.sub(rf"\1{MASK}", text)
        return text


def _spellings(value: str) -> set[str]:
    """`value` as it is, and as log lines (JSON) and addresses (percent signs) write it."""
    as_json = (json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True))
    data = value.encode("utf-8", "replace")
    return {value, *as_json, quote(data, safe=""), quote(data), quote_plus(data, safe=_PLAIN_IN_QUERIES)}


REDACTOR = Redactor()
"""The process's redactor: secrets are added when they are resolved."""
