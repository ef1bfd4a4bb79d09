"""What an ad sells, says, promises and asks for, as ids of versioned taxonomies.

`LabelsAnalyzer` labels creatives by the text in them and, with OpenAI, by what they show;
`CopyLabelsAnalyzer` labels copy. Each label has a confidence and the evidence for it; what cannot
be told is listed as unknown. An ad's content is data here: `orders` finds sentences that give
orders to whoever labels, and `asking` is the only way to a model.
"""

from __future__ import annotations

from typing import Any

from adology import Analyzer, hookimpl
from adology_labels.copy_analyzer import CopyLabelsAnalyzer
from adology_labels.media_analyzer import LabelsAnalyzer
from adology_labels.model import Evidence, Label, Labels, OtherLabel
from adology_labels.settings import CopyLabelsSettings, LabelsSettings

__all__ = [
    "CopyLabelsAnalyzer",
    "CopyLabelsSettings",
    "Evidence",
    "Label",
    "Labels",
    "LabelsAnalyzer",
    "LabelsSettings",
    "OtherLabel",
    "adology_analyzers",
]


@hookimpl
def adology_analyzers() -> list[type[Analyzer[Any, Any]]]:
    """The labelling analyzers."""
    return [LabelsAnalyzer, CopyLabelsAnalyzer]
