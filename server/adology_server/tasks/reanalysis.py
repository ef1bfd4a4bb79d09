"""Re-analyses as they are asked for: what is meant, how much it is, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta

from adology.engine.analyzers import AnalyzerSet, UnknownAnalyzerError
from adology.engine.renewal import cost_of, wanted_of
from adology.store.staleness import RATE, Rate, count_statement, values_of
from adology.types import Struct
from adology_server.people.model import Answer, Body
from adology_server.problems import Refusal, not_found
from adology_server.similar.lookup import brands_of
from adology_server.tenancy import Tenants

Cause = Literal["stale", "missing", "failed"]
CAUSES: Final[dict[Cause, tuple[str, ...]]] = {
    "stale": ("version", "settings"),
    "missing": ("missing",),
    "failed": ("failed",),
}
"""Reasons of `adology.store.staleness` for each."""
MOST: Final = 10_000
_LARGEST_ID: Final = 2**63 - 1

_ADS = """
select w.id from unnest(%(ads)s::bigint[]) w (id)
where not exists (select from ads a join brand_ads b on b.ad_id = a.id where a.id = w.id and b.brand = any(%(brands)s))
limit 1"""


class ReanalysisScope(Body, frozen=True, kw_only=True):
    """Which results are to be made anew: of these analyzers, on ads of a brandspace that the organisation sees.

    `because`: `stale` was made by another version or with other settings, `missing` never, `failed` in
    vain. `brands` and `ads` narrow it; `limit` is the most for each analyzer, of creatives and of copies.
    """

    brandspace_id: UUID
    analyzers: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...], Meta(min_length=1, max_length=50)
    ]
    because: Annotated[tuple[Cause, ...], Meta(min_length=1, max_length=3)] = ("stale",)
    brands: Annotated[tuple[str, ...], Meta(max_length=200)] = ()
    ads: Annotated[tuple[Annotated[int, Meta(ge=1, le=_LARGEST_ID)], ...], Meta(max_length=1000)] = ()
    limit: Annotated[int, Meta(ge=1, le=100_000)] = MOST


class NewReanalysis(ReanalysisScope, frozen=True, kw_only=True):
    """As the quote, and done. It is refused, and ends, when it costs more than `most_usd` US dollars."""

    most_usd: Annotated[float, Meta(ge=0)] | None = None


class QuoteLine(Answer, frozen=True, kw_only=True):
    """One analyzer on creatives or copies: `chosen` results are to be made, of what was counted by reason.

    `cost_usd` and `seconds` are by what such results took so far; null: it never ran on what is seen here.
    """

    analyzer: str
    of: Literal["creatives", "copies"]
    current: int
    reasons: dict[str, int]
    chosen: int
    cost_usd: float | None
    seconds: float | None


class ReanalysisQuote(Answer, frozen=True, kw_only=True):
    """What a re-analysis is now: nothing was done. `cost_usd` is null where the price of a line is not known.

    What the analyzers use themselves, if that is stale as well, comes on top.
    """

    analyses: int
    cost_usd: float | None
    lines: tuple[QuoteLine, ...]


class Reanalysis(Struct, frozen=True, kw_only=True):
    """A scope that was looked up, as the task keeps it."""

    analyzers: tuple[str, ...]
    reasons: tuple[str, ...]
    brands: tuple[str, ...]
    ads: tuple[int, ...] | None
    limit: int
    most_usd: float | None = None


async def look_up(tenants: Tenants, org: str, analyzers: AnalyzerSet, asked: ReanalysisScope) -> Reanalysis:
    """What is meant by it.

    Raises:
        Refusal: 404, there is no such brandspace or ad here; 422, no such analyzer, or a brand is not in it.
    """
    brands = await brands_of(tenants, org, asked.brandspace_id)
    foreign = next((brand for brand in asked.brands if brand not in brands), None)
    if foreign is not None:
        raise Refusal(
            "invalid", f"{foreign[:80]!r} is not in the brandspace; it has {_listed(brands)}.", field="brands"
        )
    try:
        wanted_of(analyzers, asked.analyzers)
    except UnknownAnalyzerError as error:
        raise Refusal("invalid", f"{str(error)[:1000]}.", field="analyzers") from error
    chosen = tuple(sorted(set(asked.brands) or brands))
    if asked.ads:
        missing = await tenants.rows(org, _ADS, {"ads": list(asked.ads), "brands": list(chosen)})
        if missing:
            raise not_found("ad", missing[0]["id"])
    return Reanalysis(
        analyzers=asked.analyzers,
        reasons=tuple(reason for cause in CAUSES if cause in asked.because for reason in CAUSES[cause]),
        brands=chosen,
        ads=asked.ads or None,
        limit=asked.limit,
        most_usd=getattr(asked, "most_usd", None),
    )


async def quote(tenants: Tenants, org: str, analyzers: AnalyzerSet, what: Reanalysis) -> ReanalysisQuote:
    """How much it is, counted under row-level security: of what the organisation sees, and nothing else."""
    lines = []
    for analyzer, wanted in wanted_of(analyzers, what.analyzers):
        values = values_of(wanted, brands=what.brands, ads=what.ads)
        rows = await tenants.rows(org, count_statement(wanted.kind), values)
        reasons = {row["reason"]: int(row["subjects"]) for row in sorted(rows, key=lambda row: row["reason"])}
        current = reasons.pop("current", 0)
        chosen = min(what.limit, sum(reasons.get(reason, 0) for reason in what.reasons))
        price = {"analyzer": analyzer.name, "fingerprint": analyzer.fingerprint}
        rate = await tenants.one(org, Rate, RATE, price) or Rate()
        lines.append(
            QuoteLine(
                analyzer=analyzer.name,
                of="creatives" if wanted.kind == "asset" else "copies",
                current=current,
                reasons=reasons,
                chosen=chosen,
                cost_usd=cost_of(analyzer, rate, chosen),
                seconds=None if rate.seconds is None else round(rate.seconds * chosen, 1),
            )
        )
    costs = [line.cost_usd for line in lines]
    known = [cost for cost in costs if cost is not None]
    return ReanalysisQuote(
        analyses=sum(line.chosen for line in lines),
        cost_usd=round(sum(known), 8) if len(known) == len(costs) else None,
        lines=tuple(lines),
    )


def too_much(what: Reanalysis, quoted: ReanalysisQuote) -> str:
    """Why a re-analysis of this quote may not begin; empty: it may."""
    if what.most_usd is None or (quoted.cost_usd is not None and quoted.cost_usd <= what.most_usd):
        return ""
    costs = "at a price that is not known yet" if quoted.cost_usd is None else f"for {quoted.cost_usd:.8g} USD"
    return f"It is {quoted.analyses} analyses {costs}; most_usd is {what.most_usd:.8g}."


def _listed(brands: Sequence[str]) -> str:
    return ", ".join(brands[:20]) + (" …" if len(brands) > 20 else "") or "none"  # noqa: PLR2004 - enough to see
