"""Which web pages may call the server."""

from __future__ import annotations

from collections.abc import Sequence

from litestar.config.cors import CORSConfig

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SENT = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "X-Request-ID",
)
READ = (
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
)


def cors(origins: Sequence[str]) -> CORSConfig | None:
    """For pages of these origins; None where there are none. Cookies are never taken."""
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=list(METHODS),  # type: ignore[arg-type]  # of literals
        allow_headers=list(SENT),
        expose_headers=list(READ),
        allow_credentials=False,
    )
