"""What an ad's copy says, without a model: language, lengths, links, prices, the call to action.

`analyzer.CopyAnalyzer` is the way in. Everything is rules and word lists: results are the same
for the same copy on every machine, and unsure ones say so ("und", `assumed`).
"""

from __future__ import annotations

from adology import Analyzer, hookimpl
from adology_copy.analyzer import CopyAnalyzer
from adology_copy.model import CopyFacts, Cta, Discount, Language, Link, Price
from adology_copy.settings import CopySettings

__all__ = [
    "CopyAnalyzer",
    "CopyFacts",
    "CopySettings",
    "Cta",
    "Discount",
    "Language",
    "Link",
    "Price",
    "adology_analyzers",
]


@hookimpl
def adology_analyzers() -> list[type[Analyzer[CopySettings, CopyFacts]]]:
    """The copy analyzer."""
    return [CopyAnalyzer]
