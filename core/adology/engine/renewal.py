"""Which results are to be made anew, for whom, and what that costs: for the command line and the server alike."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer
from adology.store.staleness import Rate, Wanted

ITEMS = ("image", "video", "ad")
"""What is analysed anew; insights of brands follow commits by themselves."""


def wanted_of(analyzers: AnalyzerSet, names: Sequence[str]) -> list[tuple[ReadyAnalyzer, Wanted]]:
    """The analyzers of these names (all for none), once for each kind of subject that they accept.

    Raises:
        UnknownAnalyzerError: there is no such analyzer of creatives or copies, or it cannot work.
    """
    analyzers.check_names(names, ITEMS, "creatives or copies")
    found = []
    for one in analyzers:
        if not set(one.analyzer.accepts) & set(ITEMS) or (names and one.name not in names):
            continue
        media = tuple(kind for kind in one.analyzer.accepts if kind in ("image", "video"))
        asset = Wanted(
            analyzer=one.name, version=one.analyzer.version, fingerprint=one.fingerprint, kind="asset", media=media
        )
        if media:
            found.append((one, asset))
        if "ad" in one.analyzer.accepts:
            found.append((one, msgspec.structs.replace(asset, kind="ad", media=())))
    return found


def cost_of(analyzer: ReadyAnalyzer, rate: Rate, subjects: int) -> float | None:
    """US dollars that so many analyses cost by what they cost so far; None: it pays, and never ran."""
    if not subjects:
        return 0.0
    known = rate.cost_usd if rate.cost_usd is not None else rate.paid_usd if analyzer.needs.pays else 0.0
    return None if known is None else round(known * subjects, 8)
