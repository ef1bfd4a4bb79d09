"""The analyzer that remembers creatives, so that near-duplicates are found."""

from __future__ import annotations

from typing import ClassVar, Literal

from adology import Analyzer, ConfigError, Context, MediaItem
from adology_likeness.model import Signature
from adology_likeness.settings import LikenessSettings


class LikenessAnalyzer(Analyzer[LikenessSettings, Signature]):
    """A signature per image or video: what proposes near-duplicates of it, and what confirms them.

    Runs in a child process, as decoders crash. The visual embedding is run as well: it is evidence
    when two creatives are compared, not part of the signature.
    """

    name = "likeness"
    packages = ("cv2",)
    version = 1
    accepts = ("image", "video")
    uses = ("visual_embedding",)
    isolation: ClassVar[Literal["inline", "process"]] = "process"
    deadline_s = 120.0

    def analyze(self, ctx: Context[LikenessSettings], item: MediaItem) -> Signature:
        """The signature of one creative.

        Raises:
            MediaUnusableError: it is no picture or video, is broken, or larger than the limits.
            ConfigError: OpenCV is not installed.
        """
        from adology_likeness import reader  # noqa: PLC0415 - slow to import

        try:
            return reader.read(item.path, ctx.settings, analyzer=self.name, scratch=ctx.scratch)
        except ImportError as error:
            raise ConfigError(
                f"analyzers.{ctx.plugin}",
                "needs the package opencv-python-headless, which is not installed",
                "Install the extra `local`: pip install 'adology[local]'.",
            ) from error
