"""Handles looked for in the sources: candidates, of which people choose."""

from __future__ import annotations

import asyncio
import math
from typing import Annotated

from litestar import post
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from adology.advertisers import bare
from adology.errors import ConfigError
from adology.money.calls import Payer
from adology_server import parts
from adology_server.access import Access, allow
from adology_server.brands.finder import Asked, Finder, Outcome
from adology_server.brands.model import Source
from adology_server.brands.shown import shown_sources
from adology_server.faults import nearest
from adology_server.parts import Incoming
from adology_server.people.model import Answer, Body
from adology_server.problems import Refusal, not_found

LONGEST = 500
"""Characters of what a vendor calls something."""

Domain = Annotated[str, Meta(min_length=3, max_length=253, pattern=r"^[^\s/@:\x00-\x1f]+\.[^\s/@:\x00-\x1f]+$")]


class NewLookup(Body, frozen=True, kw_only=True):
    """Where to look, and by which domain; by the brand's name alone, and everywhere, where that is not said."""

    domain: Domain | None = None
    sources: Annotated[tuple[Source, ...], Meta(max_length=20)] = ()


class Candidate(Answer, frozen=True, kw_only=True):
    """An advertiser that may be the brand. `handle` is what to give to `PATCH /v1/brands/{brand}`.

    `verified` is the vendor's word, null where it does not say. `ads` are those that the search found,
    `domains` where they lead. `confidence` in [0, 1] orders candidates and is no probability: `why`
    says what it comes from. `held`: the brand has this handle already.
    """

    handle: str
    name: str
    link: str
    verified: bool | None
    ads: int
    domains: tuple[str, ...]
    confidence: float
    why: str
    held: bool


class SourceLookup(Answer, frozen=True, kw_only=True):
    """What one source answered.

    `found` candidates; `none`; `unsupported`: it cannot look for advertisers; `not_configured`: no working
    key on this server; `later`: ask again after `retry_after_s`; `failed`. `paid_calls` are in the ledger;
    `cost_usd` is null where no price is known.
    """

    source: str
    outcome: Outcome
    detail: str
    retry_after_s: int | None
    candidates: tuple[Candidate, ...]
    paid_calls: int
    cost_usd: float | None


class Lookup(Answer, frozen=True, kw_only=True):
    """What was looked for, and what each source answered. Nothing is chosen, nothing is changed."""

    brand: str
    name: str
    domain: str | None
    sources: tuple[SourceLookup, ...]


@post(
    "/v1/brands/{brand:str}/handles/resolve",
    opt=allow(Access.MEMBER),
    status_code=HTTP_200_OK,
    operation_id="resolveHandles",
)
async def resolve_handles(request: Incoming, brand: FromPath[str], data: JSONBody[NewLookup]) -> Lookup:
    """Look for the brand's handles in the sources. Candidates come back; none is chosen and nothing is changed.

    Some sources charge for it. Give a handle that is the brand's to `PATCH /v1/brands/{brand}`.
    """
    caller, shown = request.user, shown_sources(request)
    rows = await parts.tenants(request).rows(caller.org, "select name, handles from brands where id = %s", [brand])
    if not rows:
        raise not_found("brand", brand)
    unknown = [name for name in data.sources if name not in shown]
    if unknown:
        raise Refusal("invalid", f"There is no source {unknown[0][:80]!r}{nearest(unknown[0], shown)}", field="sources")
    await _take_turn(request)
    name, domain = rows[0]["name"] or brand, bare(data.domain or "")
    finder: Finder = request.app.state.finder
    payer = Payer(brand=brand, owner_org_id=caller.org)
    wanted = list(dict.fromkeys(data.sources)) or shown
    # Before anything is paid: who it was stays known, whatever happens then.
    await parts.tenants(request).note(caller.org)
    try:
        told = await asyncio.gather(*(finder.find(source, name, domain, payer) for source in wanted))
    except ConfigError as error:
        raise Refusal("unavailable", "Handles cannot be looked up on this server: it is not set up for it.") from error
    return Lookup(
        brand=brand,
        name=name,
        domain=domain or None,
        sources=tuple(_shown(one, tuple(rows[0]["handles"].get(one.source, ()))) for one in told),
    )


def _shown(asked: Asked, held: tuple[str, ...]) -> SourceLookup:
    return SourceLookup(
        source=asked.source,
        outcome=asked.outcome,
        detail=asked.detail,
        retry_after_s=asked.retry_after_s,
        candidates=tuple(
            Candidate(
                handle=one.handle[:LONGEST],
                name=one.name[:LONGEST],
                link=one.link[:LONGEST],
                verified=one.verified,
                ads=one.ads,
                domains=tuple(domain[:LONGEST] for domain in one.domains),
                confidence=one.confidence,
                why=one.why[:LONGEST],
                held=one.handle in held,
            )
            for one in asked.candidates
        ),
        paid_calls=asked.paid_calls,
        cost_usd=asked.cost_usd,
    )


async def _take_turn(request: Incoming) -> None:
    """Look-ups cost money and a vendor's patience: an organisation has so many a minute.

    Raises:
        Refusal: 429, there were too many.
    """
    most = parts.settings(request).lookups_per_minute
    if not most:
        return
    values = [f"l:{request.user.org}", float(most), 1.0]
    (row,) = await parts.tenants(request).rows(None, "select * from rate_take(%s, %s, %s)", values)
    if row["granted"] < 1:
        seconds = max(1, math.ceil(row["wait_s"]))
        detail = f"More than {most} look-ups of handles a minute of this organisation: wait {seconds} s."
        raise Refusal("too-many", detail, headers={"retry-after": str(seconds)})


ROUTES = (resolve_handles,)
