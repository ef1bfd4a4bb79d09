"""What videos show and say over time: shots and pace, sound, faces, a storyboard; and what is spoken.

`video_analyzer.VideoAnalyzer` looks at films, in a child process; `transcript_analyzer` has what is
said written down by a paid provider, when one is set. `changes.find_changes` finds the shots and can
be called on arrays.
"""

from __future__ import annotations

from typing import Any

from adology import Analyzer, hookimpl
from adology_video.model import Faces, FaceSpan, Shot, Sound, Stretch, TextTimes, Tile, VideoFacts
from adology_video.settings import TranscriptSettings, VideoSettings
from adology_video.transcript_analyzer import TranscriptAnalyzer
from adology_video.transcript_model import Segment, Transcript
from adology_video.video_analyzer import VideoAnalyzer

__all__ = [
    "FaceSpan",
    "Faces",
    "Segment",
    "Shot",
    "Sound",
    "Stretch",
    "TextTimes",
    "Tile",
    "Transcript",
    "TranscriptAnalyzer",
    "TranscriptSettings",
    "VideoAnalyzer",
    "VideoFacts",
    "VideoSettings",
    "adology_analyzers",
]


@hookimpl
def adology_analyzers() -> list[type[Analyzer[Any, Any]]]:
    """The video and the transcript analyzer."""
    return [VideoAnalyzer, TranscriptAnalyzer]
