"""``POST /v1/embeddings``."""

from __future__ import annotations

import base64
from typing import Any

from upstreams.openai import errors
from upstreams.openai.rules import OpenAiRules
from upstreams.openai.tokens import text_tokens
from upstreams.vectors import vector_of

MOST_INPUTS = 2048
MOST_TOKENS_EACH = 8192
MOST_TOKENS = 300_000


class AskedEmbeddings:
    """One request, read and checked."""

    def __init__(self, body: dict[str, Any], rules: OpenAiRules) -> None:
        self.model: str = body.get("model") or ""
        if not self.model:
            raise errors.missing("model")
        if self.model not in rules.embedding_models:
            raise errors.unknown_model(self.model)
        full = rules.embedding_models[self.model]
        self.dimensions: int = body.get("dimensions") or full
        if body.get("dimensions") and self.model.endswith("ada-002"):
            raise errors.invalid("This model does not support specifying dimensions.")
        if not 1 <= self.dimensions <= full:
            text = f"Invalid value for 'dimensions' = {self.dimensions}. Must be less than or equal to {full}."
            raise errors.invalid(text, param="dimensions")
        self.base64 = body.get("encoding_format") == "base64"
        self.inputs = _inputs(body.get("input"))
        self.tokens = sum(map(text_tokens, self.inputs))
        if self.tokens > MOST_TOKENS:
            text = f"Requested {self.tokens} tokens, max {MOST_TOKENS} tokens per request"
            raise errors.Refusal(400, text, kind="max_tokens_per_request", code="max_tokens_per_request")

    def content(self, text: str) -> tuple[object, ...]:
        """What makes one input the same as another, whatever request it is part of."""
        return ("embeddings", self.model, self.dimensions, text)

    def body(self, *, dimensions: int | None = None, missing: bool = False) -> dict[str, Any]:
        """The answer; `dimensions` other than asked and a `missing` last vector are faults."""
        rows = [
            {"object": "embedding", "index": index, "embedding": self._vector(text, dimensions or self.dimensions)}
            for index, text in enumerate(self.inputs)
        ]
        # Not in the order of the inputs: what counts is the index.
        rows = rows[::-1][1:] if missing else rows[::-1]
        usage = {"prompt_tokens": self.tokens, "total_tokens": self.tokens}
        return {"object": "list", "data": rows, "model": self.model, "usage": usage}

    def _vector(self, text: str, dimensions: int) -> str | list[float]:
        vector = vector_of(self.model, text.encode("utf-8", "replace"), dimensions)
        if self.base64:
            return base64.b64encode(vector.tobytes()).decode()
        return [float(value) for value in vector]


def _inputs(given: Any) -> list[str]:
    inputs = [given] if isinstance(given, str) else given
    if not isinstance(inputs, list) or not inputs or not all(isinstance(text, str) for text in inputs):
        raise errors.invalid("'$.input' is invalid. Please check the API reference.", param="input")
    if any(not text for text in inputs):
        raise errors.invalid("'$.input' is invalid: input cannot be an empty string.", param="input")
    if len(inputs) > MOST_INPUTS:
        text = f"'$.input' is invalid: array too long. Expected at most {MOST_INPUTS} items, got {len(inputs)}."
        raise errors.invalid(text, param="input")
    longest = max(map(text_tokens, inputs))
    if longest > MOST_TOKENS_EACH:
        text = (
            f"This model's maximum context length is {MOST_TOKENS_EACH} tokens, however you requested {longest} tokens."
        )
        raise errors.invalid(text, code="context_length_exceeded")
    return inputs
