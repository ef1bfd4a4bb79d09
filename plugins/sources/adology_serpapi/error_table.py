"""What SerpApi's answers mean for us, as data.

An error is a body with ``error``, under any status: 200 carries "no results" and failed searches,
429 carries two troubles with different remedies. So the text decides first, then the status.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

import msgspec

Action = Literal[
    "empty", "wait", "transient", "failed", "throttle", "quota", "limited", "credential", "account",
    "address", "request",
]  # fmt: skip
"""empty: the query has no results · wait: the search still runs, ask the archive · transient: ask
again · failed: Google could not be read for this query, ask again · throttle: stop this key for a
while · quota: the account's searches are used up · limited: one of these two, the account says
which · credential: needs another key · account: the account may not · address: `base_url` is
wrong · request: this query is wrong."""

TEXTS: tuple[tuple[str, Action], ...] = (
    ("hasn't returned any", "empty"),
    ("has not returned any", "empty"),
    ("run out of searches", "quota"),
    ("searches for the month", "quota"),
    ("throughput", "throttle"),
    ("invalid api key", "credential"),
    ("account has been", "account"),
)
"""Texts seen in the wild, lower case; the first that matches counts."""

REQUEST_SIGNS = ("missing", "unsupported", "invalid", "expired")
"""Beginnings of complaints about a parameter that came with a 200."""

STATUSES: dict[int, Action] = {
    HTTPStatus.MOVED_PERMANENTLY: "address",
    HTTPStatus.PERMANENT_REDIRECT: "address",
    HTTPStatus.BAD_REQUEST: "request",
    HTTPStatus.UNAUTHORIZED: "credential",
    HTTPStatus.FORBIDDEN: "account",
    HTTPStatus.NOT_FOUND: "address",
    HTTPStatus.REQUEST_TIMEOUT: "transient",
    # The archive forgot the search: it has to be made again.
    HTTPStatus.GONE: "transient",
    HTTPStatus.UNPROCESSABLE_ENTITY: "request",
    HTTPStatus.TOO_MANY_REQUESTS: "limited",
}


class Failure(msgspec.Struct, frozen=True):
    """Why an answer holds no results: the vendor's text, and what to do about it."""

    action: Action
    text: str
    status: int

    def __str__(self) -> str:
        return self.text


def read_failure(status: int, body: Any) -> Failure | None:
    """What is wrong with an answer, None when it has results. `body` None means it was no JSON."""
    if not isinstance(body, dict):
        action = STATUSES.get(status, "transient")
        # A page instead of JSON comes from something in between: its 401 says nothing about our key.
        action = action if action in {"address", "limited"} else "transient"
        return Failure(action, "an answer that is not a JSON object", status)
    metadata = body.get("search_metadata")
    state = str(metadata.get("status", "")) if isinstance(metadata, dict) else ""
    text = str(body.get("error") or "")
    if status < HTTPStatus.MULTIPLE_CHOICES and not text:
        if state in ("Queued", "Processing"):
            return Failure("wait", f"the search is still {state.lower()}", status)
        return Failure("failed", "the search ended with status Error", status) if state == "Error" else None
    return Failure(_action(status, text.lower()), text or f"status {status} without a text", status)


def _action(status: int, text: str) -> Action:
    known = next((action for sign, action in TEXTS if sign in text), None)
    if known is not None:
        return known
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "transient"
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        return STATUSES.get(status, "request")
    return "request" if text.startswith(REQUEST_SIGNS) else "failed"
