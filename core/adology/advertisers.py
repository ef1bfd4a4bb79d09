"""From ads that a search found to the advertisers behind them, the likeliest first: for `Source.find_handles`."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher

from adology.types import Advertiser, Struct

MOST = 20
"""Candidates of one source."""
_DOMAINS_SHOWN = 5
_ALMOST = 0.85
"""From this likeness on, names of letters count as nearly the same."""
_LEGAL = frozenset(
    (
        *("ab", "ag", "as", "asa", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "kg", "limited"),
        *("llc", "ltd", "nv", "oy", "plc", "pty", "sa", "sarl", "sas", "se", "spa", "srl", "the", "und", "and"),
    )
)
_JOINED = "'’."  # noqa: RUF001 - as names are printed
"""Left out of words, not between them."""


class Sighting(Struct, frozen=True, kw_only=True):
    """An ad that was found: whose it is, and where it leads."""

    handle: str
    name: str = ""
    domains: tuple[str, ...] = ()
    verified: bool | None = None


def rank(
    sightings: Iterable[Sighting], *, name: str, domain: str = "", link: Callable[[str], str]
) -> tuple[Advertiser, ...]:
    """The advertisers of the ads, at most 20.

    Their confidence is 0.5 for the same name, 0.4 for ads that all lead to the domain, 0.1 for being
    the only one; in between for what is nearly so. Where no domain is known, or no ad tells where it
    leads, it is 0.8 for the name and 0.2 for being the only one.

    Args:
        sightings: one for each ad.
        name: of the brand.
        domain: of the brand, in any form; empty where it is not known.
        link: from a handle to a page for people.
    """
    found: dict[str, list[Sighting]] = {}
    for one in sightings:
        if one.handle:
            found.setdefault(one.handle, []).append(one)
    total, wanted = sum(map(len, found.values())), bare(domain)
    told = bool(wanted) and any(one.domains for ads in found.values() for one in ads)
    candidates = [_candidate(handle, ads, name, wanted, total, link(handle), told) for handle, ads in found.items()]
    return tuple(sorted(candidates, key=lambda one: (-one.confidence, -one.ads, one.handle))[:MOST])


def bare(domain: str) -> str:
    """The host alone: without scheme, `www.`, path and port, lower-case."""
    host = domain.strip().lower().partition("://")[2] or domain.strip().lower()
    return host.partition("/")[0].partition(":")[0].removeprefix("www.").rstrip(".")


def _candidate(
    handle: str, ads: list[Sighting], name: str, domain: str, total: int, link: str, told: bool
) -> Advertiser:
    shown = Counter(one.name for one in ads if one.name).most_common(1)
    own = shown[0][0] if shown else ""
    likeness, words = _likeness(name, own)
    domains = Counter(host for one in ads for host in {bare(place) for place in one.domains} if host)
    leading = sum(any(_leads(place, domain) for place in one.domains) for one in ads) if domain else 0
    share = len(ads) / total
    parts = (0.5 * likeness, 0.4 * leading / len(ads), 0.1 * share) if told else (0.8 * likeness, 0.2 * share)
    reasons = [words, f"{len(ads)} of {total} ads found"]
    if told:
        reasons.append(f"{leading} of its {len(ads)} lead to {domain}")
    return Advertiser(
        handle=handle,
        name=own,
        link=link,
        verified=next((one.verified for one in ads if one.verified is not None), None),
        ads=len(ads),
        domains=tuple(host for host, _ in domains.most_common(_DOMAINS_SHOWN)),
        confidence=round(sum(parts), 2),
        why="; ".join(reasons),
    )


def _leads(place: str, domain: str) -> bool:
    host = bare(place)
    return host == domain or host.endswith(f".{domain}")


def _likeness(one: str, other: str) -> tuple[float, str]:
    """How much alike two names are, in [0, 1], and in words."""
    first, second = _words(one), _words(other)
    if not first or not second:
        return 0.0, "no name to compare"
    if "".join(first) == "".join(second):
        return 1.0, "the same name"
    few, many = sorted((set(first), set(second)), key=len)
    if few <= many:
        return 0.6, "one name is part of the other"
    ratio = SequenceMatcher(None, "".join(first), "".join(second)).ratio()
    return (0.5, "nearly the same name") if ratio >= _ALMOST else (0.0, "another name")


def _words(name: str) -> list[str]:
    """The words that tell names apart: letters and digits without accents, without legal forms."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    kept = "".join(c if c.isalnum() else "" if unicodedata.combining(c) or c in _JOINED else " " for c in plain)
    words = kept.split()
    return [word for word in words if word not in _LEGAL] or words
