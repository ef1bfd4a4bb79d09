"""Versions of things that change: ETag, If-None-Match and If-Match."""

from __future__ import annotations

from typing import Any, TypeVar

from litestar import Response

from adology_server.parts import Incoming
from adology_server.problems import Refusal

T = TypeVar("T")


def tag_of(request: Incoming, version: Any) -> str:
    """The ETag of a version as this organisation sees it."""
    return f'"{request.user.org_id}.{version}"'


def with_tag(request: Incoming, content: T, version: Any, *, status_code: int = 200) -> Response[T]:
    """The content with its ETag; 304 without content where the caller has it."""
    tag = tag_of(request, version)
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    given = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if request.method == "GET" and (tag in given or given == ["*"]):
        empty: Response[Any] = Response(None, status_code=304, headers=headers)
        return empty
    return Response(content, status_code=status_code, headers=headers)


def check_match(request: Incoming, version: Any) -> None:
    """If the request says which version it changes, that must be the one that is there.

    Raises:
        Refusal: 412, it changed meanwhile.
    """
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return
    if tag_of(request, version) not in [one.strip() for one in given.split(",")]:
        raise Refusal("changed-meanwhile", f"The version now is {tag_of(request, version)}, not {given[:100]}.")
