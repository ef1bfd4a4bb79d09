"""OpenAI's answers as structs: only what is read, unknown fields accepted."""

from __future__ import annotations

from typing import Any

import msgspec

from adology.types import Struct


class Details(Struct, frozen=True, kw_only=True):
    """A part of the input tokens."""

    cached_tokens: int = 0


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens of a response. `output_tokens` has the reasoning in it."""

    input_tokens: int = 0
    input_tokens_details: Details | None = None
    output_tokens: int = 0

    @property
    def cached_tokens(self) -> int:
        """Input tokens that came from the prompt cache."""
        return self.input_tokens_details.cached_tokens if self.input_tokens_details else 0

    @property
    def units(self) -> dict[str, float]:
        """As the ledger bills them: input tokens are those that were not cached."""
        return {
            "input_tokens": max(0, self.input_tokens - self.cached_tokens),
            "cached_tokens": self.cached_tokens,
            "output_tokens": self.output_tokens,
        }


class Part(Struct, frozen=True, kw_only=True):
    """A piece of a message."""

    type: str
    text: str = ""
    refusal: str = ""


class Item(Struct, frozen=True, kw_only=True):
    """A piece of the output. Reasoning and others come beside messages, with contents of their own."""

    type: str
    content: msgspec.Raw = msgspec.Raw(b"null")


class Failure(Struct, frozen=True, kw_only=True):
    """Why a response failed, in a 200."""

    code: str | None = None
    message: str = ""


class Incomplete(Struct, frozen=True, kw_only=True):
    """Why a response ends early."""

    reason: str | None = None


class Response(Struct, frozen=True, kw_only=True):
    """``POST /v1/responses``."""

    id: str
    status: str
    model: str = ""
    output: list[Item] = msgspec.field(default_factory=list)
    usage: Usage | None = None
    error: Failure | None = None
    incomplete_details: Incomplete | None = None

    def parts(self) -> list[Part]:
        """The pieces of all messages."""
        messages = [item for item in self.output if item.type == "message"]
        return [part for item in messages for part in msgspec.json.decode(item.content, type=list[Part])]


class EmbeddingRow(Struct, frozen=True, kw_only=True):
    """One vector: base64 of little-endian float32, or numbers where a proxy knows no base64."""

    index: int
    embedding: str | list[float]


class EmbeddingUsage(Struct, frozen=True, kw_only=True):
    """Tokens of an embedding."""

    prompt_tokens: int = 0


class Embeddings(Struct, frozen=True, kw_only=True):
    """``POST /v1/embeddings``."""

    data: list[EmbeddingRow]
    model: str = ""
    usage: EmbeddingUsage | None = None


class ModerationRow(Struct, frozen=True, kw_only=True):
    """One verdict."""

    flagged: bool
    category_scores: dict[str, float | None]
    category_applied_input_types: dict[str, Any] = msgspec.field(default_factory=dict)


class Moderations(Struct, frozen=True, kw_only=True):
    """``POST /v1/moderations``."""

    id: str = ""
    model: str = ""
    results: list[ModerationRow]
