"""The text in a creative: read with local models, measured, and its prices doubted where they should be.

`analyzer.TextAnalyzer` is the way in; `disagreements` holds prices in a picture against an ad's copy.
"""

from __future__ import annotations

from adology import Analyzer, hookimpl
from adology_text.analyzer import TextAnalyzer
from adology_text.disagree import Disagreement, disagreements
from adology_text.model import PictureDate, PicturePercent, PicturePrice, Span, TextFacts, TextLine
from adology_text.settings import TextSettings

__all__ = [
    "Disagreement",
    "PictureDate",
    "PicturePercent",
    "PicturePrice",
    "Span",
    "TextAnalyzer",
    "TextFacts",
    "TextLine",
    "TextSettings",
    "adology_analyzers",
    "disagreements",
]


@hookimpl
def adology_analyzers() -> list[type[Analyzer[TextSettings, TextFacts]]]:
    """The text analyzer."""
    return [TextAnalyzer]
