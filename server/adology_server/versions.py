"""Versions of things that people change: the tag that an answer has, and If-Match."""

from __future__ import annotations

from typing import TypeVar

from litestar import Response

from adology_server.parts import Incoming
from adology_server.problems import Refusal

T = TypeVar("T")


def with_tag(request: Incoming, content: T, version: int, *, status_code: int = 200) -> Response[T]:
    """The content with its version as this organisation sees it; `manners.tags` completes the ETag by the body's."""
    return Response(content, status_code=status_code, headers={"etag": f'"{_of(request, version)}"'})


def check_match(request: Incoming, version: int) -> None:
    """If the request says which version it changes, that must be the one that is there.

    What else belongs to an answer, such as counts, may have changed: nobody would overwrite that.
    Tags that a proxy made weak, because it compressed the answer, name the same version.

    Raises:
        Refusal: 412, it changed meanwhile.
    """
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return
    now = _of(request, version)
    for one in given.split(","):
        plain = one.strip().removeprefix("W/").strip('"')
        if plain == now or plain.startswith(f"{now}."):
            return
    raise Refusal("changed-meanwhile", f'The version now is "{now}", not {given[:100]}: read it again.')


def _of(request: Incoming, version: int) -> str:
    return f"{request.user.org_id}.{version}"
