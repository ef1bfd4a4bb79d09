"""How the vendor behaves, as data."""

from __future__ import annotations

from typing import Literal

import msgspec

API_KEY = "5e4b1c0ffee5e4b1c0ffee5e4b1c0ffee5e4b1c0ffee5e4b1c0ffee5e4b1c0ff"
"""Opens nothing but this stand-in."""


class SerpApiRules(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults are what is known of the real one.

    `token_ttl_s` is the life of page tokens; `stale_page` what the answer to an old one is:
    an error 400, or no results. `pictureless` of a hundred image ads come without `image`, as
    creatives do that Google draws by script. An async search is ready at its `polls`-th look.
    """

    keys: tuple[str, ...] = (API_KEY,)
    searches_per_month: int = 30_000
    searches_per_hour: int = 6_000
    token_ttl_s: float = 3600.0
    cache_ttl_s: float = 3600.0
    archive_ttl_s: float = 31 * 86_400.0
    stale_page: Literal["error", "empty"] = "error"
    pictureless: int = 20
    polls: int = 2
    plan_renewal_date: str | None = "2026-12-01"
