"""Which web pages may open sockets: browsers say where a page is from, and let it connect anywhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from adology.settings.model import ServerSettings
from adology_server.problems import Refusal


def check_origin(scope: Any, own: ServerSettings) -> None:
    """Whether the page's origin is a known one; who sends none is no browser.

    Raises:
        Refusal: it is another.
    """
    given = [value for name, value in scope["headers"] if name == b"origin"]
    if not given:
        return
    origin = given[0].decode("latin-1")
    if len(given) > 1 or origin not in known_origins(scope, own):
        raise Refusal("foreign-origin", f"Pages of {origin[:200]!r} may not open sockets here: see server.origins.")


def known_origins(scope: Any, own: ServerSettings) -> set[str]:
    """The settings' origins, and our own: of `public_url`, or of the address that was listened on.

    Not the request's Host: a page whose name was made to lead here would name itself there.
    """
    known = {origin.rstrip("/") for origin in own.origins}
    if own.public_url:
        parts = urlsplit(own.public_url)
        known.add(f"{parts.scheme}://{parts.netloc}")
    elif scope.get("server"):
        host, port = scope["server"][:2]
        shown = f"[{host}]" if ":" in host else host
        known |= {f"http://{shown}:{port}", f"http://localhost:{port}"}
    return known
