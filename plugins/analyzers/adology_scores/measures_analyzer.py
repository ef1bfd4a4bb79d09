"""The analyzer that measures."""

from __future__ import annotations

from typing import ClassVar, Literal

from adology import Analyzer, Context, MediaItem
from adology_scores.measures_model import Measures
from adology_scores.settings import MeasuresSettings


class MeasuresAnalyzer(Analyzer[MeasuresSettings, Measures]):
    """Measurements that rules can be held against: text, contrast, clutter, pacing, captions, sound.

    Runs in a child process, since decoders crash on hostile bytes. What another analyzer would
    have said and did not is missing, with the reason.
    """

    name = "measures"
    packages = ("cv2",)
    version = 1
    accepts = ("image", "video")
    uses = ("text", "media")
    optional = ("video", "transcript")
    isolation: ClassVar[Literal["inline", "process"]] = "process"
    deadline_s = 60.0

    def analyze(self, ctx: Context[MeasuresSettings], item: MediaItem) -> Measures:
        """The measurements of one creative.

        Raises:
            MediaUnusableError: it is no picture or video, is broken, or larger than the limits.
        """
        from adology_media.sniff import sniff  # noqa: PLC0415 - decoders are heavy
        from adology_open_nsfw.sights import look  # noqa: PLC0415 - as above
        from adology_scores.measuring import measure  # noqa: PLC0415 - as above

        settings = ctx.settings
        sights = look(
            item.path,
            frames=settings.frames,
            max_pixels=settings.max_pixels,
            analyzer=self.name,
            scratch=ctx.scratch,
        )
        kind: Literal["image", "video"] = "video" if sniff(item.path).kind == "video" else "image"
        return measure(kind, [(sight.picture, sight.time_s) for sight in sights.pictures], item.results)
