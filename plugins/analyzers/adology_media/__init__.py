"""What can be measured of a creative without a model: size, shape, colours, sound, hashes.

`analyzer.MediaAnalyzer` is the way in. It is essential: a creative that it cannot read is
recorded as a failure with the reason.
"""

from __future__ import annotations

from adology import Analyzer, hookimpl
from adology_media.analyzer import MediaAnalyzer
from adology_media.model import AudioTrack, Colour, KeyFrame, MediaFacts
from adology_media.settings import MediaSettings

__all__ = [
    "AudioTrack",
    "Colour",
    "KeyFrame",
    "MediaAnalyzer",
    "MediaFacts",
    "MediaSettings",
    "adology_analyzers",
]


@hookimpl
def adology_analyzers() -> list[type[Analyzer[MediaSettings, MediaFacts]]]:
    """The media analyzer."""
    return [MediaAnalyzer]
