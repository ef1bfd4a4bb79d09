"""The analyzer itself. What it needs is imported when the first creative comes: models are heavy."""

from __future__ import annotations

from typing import ClassVar, Literal

from adology import Analyzer, Context, MediaItem
from adology_text.model import TextFacts
from adology_text.settings import TextSettings


class TextAnalyzer(Analyzer[TextSettings, TextFacts]):
    """The text in pictures and videos: lines, where they stand, how well they can be read, prices, dates.

    Runs in a child process, since decoders crash on hostile bytes. The result depends on the
    bytes and the settings only. A creative without text has a result without lines.
    """

    name = "text"
    packages = ("rapidocr", "onnxruntime")
    version = 1
    accepts = ("image", "video")
    uses = ("PP-OCRv6_det_small", "PP-OCRv6_rec_small")
    isolation: ClassVar[Literal["inline", "process"]] = "process"
    deadline_s = 300.0

    def analyze(self, ctx: Context[TextSettings], item: MediaItem) -> TextFacts:
        """The text in one creative.

        Raises:
            MediaUnusableError: it is no picture or video, is broken or cut off, or larger than
                the limits in the settings.
            ConfigError: the packages with the models are not installed.
        """
        from adology_media.sniff import sniff  # noqa: PLC0415 - see above
        from adology_text.engine import shared_reader  # noqa: PLC0415
        from adology_text.reading import read_film, read_picture  # noqa: PLC0415

        format_ = sniff(item.path)
        read = read_picture if format_.kind == "image" else read_film
        return read(item.path, format_, ctx.settings, shared_reader(ctx.settings.threads))
