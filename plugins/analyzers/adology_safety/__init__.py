"""What advertisers do not want to stand beside: nudity in creatives, sensitive subjects in copy.

`media_analyzer.SafetyAnalyzer` looks at images and frames with a local model, in a child process;
`copy_analyzer.CopySafetyAnalyzer` reads copy by rules. Either has a vendor's moderation besides
where the settings ask for it. Two analyzers, since both are cached by what they depend on. Neither
proves that an ad is safe.
"""

from __future__ import annotations

from typing import Any

from adology import Analyzer, hookimpl
from adology_safety.copy_analyzer import CopySafetyAnalyzer
from adology_safety.copy_model import CopySafety, Hit, Risk
from adology_safety.media_analyzer import SafetyAnalyzer
from adology_safety.media_model import FrameScore, MediaSafety
from adology_safety.moderation_model import Judged, Moderated
from adology_safety.settings import CopySafetySettings, SafetySettings

__all__ = [
    "CopySafety",
    "CopySafetyAnalyzer",
    "CopySafetySettings",
    "FrameScore",
    "Hit",
    "Judged",
    "MediaSafety",
    "Moderated",
    "Risk",
    "SafetyAnalyzer",
    "SafetySettings",
    "adology_analyzers",
]


@hookimpl
def adology_analyzers() -> list[type[Analyzer[Any, Any]]]:
    """The safety analyzers."""
    return [SafetyAnalyzer, CopySafetyAnalyzer]
