"""The analyzer itself: what the file is decides who reads it."""

from __future__ import annotations

from typing import ClassVar, Literal

from adology import Analyzer, Context, MediaItem
from adology_media.films import read_film
from adology_media.model import MediaFacts
from adology_media.pictures import read_picture
from adology_media.settings import MediaSettings
from adology_media.sniff import sniff


class MediaAnalyzer(Analyzer[MediaSettings, MediaFacts]):
    """Size, shape, format, colours, sound, perceptual hashes; thumbnails and key frames.

    Runs in a child process, since decoders crash on hostile bytes. The result depends on the
    bytes only, never on the name or the content type that came with them.
    """

    name = "media"
    version = 1
    accepts = ("image", "video")
    isolation: ClassVar[Literal["inline", "process"]] = "process"
    deadline_s = 60.0
    essential = True

    def analyze(self, ctx: Context[MediaSettings], item: MediaItem) -> MediaFacts:
        """Facts of one creative.

        Raises:
            MediaUnusableError: it is no picture or video, is broken or cut off, or larger than
                the limits in the settings.
        """
        format_ = sniff(item.path)
        read = read_picture if format_.kind == "image" else read_film
        return read(item.path, format_, ctx.settings, ctx.derive)
