"""Which pages a brand may be: those whose ads speak of it. Meta's library has no search for pages."""

from __future__ import annotations

from adology import Advertiser, Context, Terminal
from adology.advertisers import Sighting, rank
from adology_facebook.archive import Archive, BadRequestError
from adology_facebook.progress import is_page_id
from adology_facebook.settings import FacebookSettings

LONGEST = 100
"""Characters of search terms."""


async def find_pages(ctx: Context[FacebookSettings], name: str, domain: str) -> tuple[Advertiser, ...]:
    """The pages of the ads whose text has the words of the name, or else the domain: a call or two, free of charge.

    Raises:
        RetryLater, ConfigError, Retry: as `Archive.get_page`.
        Terminal: Meta refuses the query.
    """
    archive, records = Archive(ctx), []
    for terms in filter(None, (name, domain)):
        try:
            records = await archive.find_records(terms[:LONGEST])
        except BadRequestError as error:
            raise Terminal(f"{ctx.plugin}: Meta refuses the search for {terms!r}: {error}", code="ADO-2103") from None
        if records:
            break
    seen = (
        Sighting(
            handle=str(record["page_id"]),
            name=str(record.get("page_name") or ""),
            domains=tuple(str(one) for one in record.get("ad_creative_link_captions") or () if "." in str(one)),
        )
        for record in records
        if is_page_id(str(record.get("page_id") or ""))
    )
    site = ctx.settings.site_url.rstrip("/")
    return rank(seen, name=name, domain=domain, link=lambda handle: f"{site}/{handle}")
