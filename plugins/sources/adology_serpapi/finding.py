"""Which advertisers a brand may be: one search for its domain, or for its name."""

from __future__ import annotations

from typing import Any

from adology import Advertiser, Context, Terminal
from adology.advertisers import Sighting, rank
from adology_serpapi.progress import read_handles
from adology_serpapi.search import LIST_ENGINE, BadRequestError, Search
from adology_serpapi.settings import SerpApiSettings

SITE = "https://adstransparency.google.com/advertiser"


async def find_advertisers(ctx: Context[SerpApiSettings], name: str, domain: str) -> tuple[Advertiser, ...]:
    """The advertisers of the ads that the search finds. One paid search, another where the domain finds nothing.

    Raises:
        RetryLater, ConfigError, Retry: as `Search.get_page`.
        Terminal: SerpApi refuses the query.
    """
    search = Search(ctx)
    rows: tuple[dict[str, Any], ...] = ()
    for text in filter(None, (domain, name)):
        async with ctx.paid("serpapi", LIST_ENGINE, searches=1) as call:
            try:
                rows = await search.find_rows(text)
            except BadRequestError as error:
                raise Terminal(
                    f"{ctx.plugin}: SerpApi refuses the search for {text!r}: {error}", code="ADO-2207"
                ) from None
            call.bill(searches=1)
        if rows:
            break
    seen = (
        Sighting(
            handle=handle,
            name=str(row.get("advertiser") or ""),
            domains=(str(row["target_domain"]),) if row.get("target_domain") else (),
        )
        for row in rows
        for handle in read_handles((str(row.get("advertiser_id") or ""),)).advertisers
    )
    return rank(seen, name=name, domain=domain, link=lambda handle: f"{SITE}/{handle}")
