"""The analyzer of what is said in films. It calls a vendor, so it runs in the worker; decoding does not."""

from __future__ import annotations

from typing import Any

from adology import Analyzer, Context, MediaItem, Needs
from adology_video.settings import TranscriptSettings
from adology_video.transcript_model import Segment, Transcript

NOBODY = "no provider is set"
DECODE_S = 60.0


class TranscriptAnalyzer(Analyzer[TranscriptSettings, Transcript]):
    """What is said in a video, by a provider that is paid; none by default: then it says so.

    Only the sound leaves the house, and only of films that have any.
    """

    name = "transcript"
    version = 1
    accepts = ("video",)
    deadline_s = 240.0

    @classmethod
    def needs(cls, settings: TranscriptSettings) -> Needs:
        """The provider's SDK and money, when one is set."""
        if settings.provider == "none":
            return Needs()
        return Needs(packages=(settings.provider,), pays=(settings.provider,))

    async def analyze(self, ctx: Context[TranscriptSettings], item: MediaItem) -> Transcript:
        """The transcript of one film.

        Raises:
            MediaUnusableError: it is no video, is cut off, or longer than the limit.
            AdologyError: as `adology.vendors.openai` says.
        """
        settings = ctx.settings
        if settings.provider == "none":
            return Transcript(available=False, why=NOBODY)
        from adology_video.speech import extract_speech  # noqa: PLC0415 - decoders, for those who pay only

        speech: dict[str, Any] = await ctx.isolated(
            extract_speech,
            str(item.path),
            settings.max_audio_s,
            settings.max_duration_s,
            settings.silence_dbfs,
            deadline_s=DECODE_S,
        )
        if "why" in speech:
            return Transcript(available=False, why=speech["why"], provider=settings.provider, model=settings.model)
        return await _ask(ctx, speech)


async def _ask(ctx: Context[TranscriptSettings], speech: dict[str, Any]) -> Transcript:
    from adology.vendors.openai_audio import transcribe  # noqa: PLC0415 - as above

    settings = ctx.settings
    answer = await transcribe(
        ctx, settings.model, speech["audio"], seconds=speech["seconds"], language=settings.language
    )
    return Transcript(
        available=True,
        provider=settings.provider,
        model=answer.model,
        language=answer.language,
        text=answer.text,
        segments=tuple(
            Segment(start_s=round(one.start_s, 2), end_s=round(one.end_s, 2), text=one.text, speaker=one.speaker)
            for one in answer.segments
            if one.text
        ),
        listened_s=round(speech["seconds"], 1),
        truncated=speech["truncated"],
    )
