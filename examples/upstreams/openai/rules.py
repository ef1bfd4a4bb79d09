"""How the OpenAI stand-in behaves."""

from __future__ import annotations

import msgspec

API_KEY = "sk-standin-0000000000000000000000000000000Zq7x"


class OpenAiRules(msgspec.Struct, frozen=True, kw_only=True):
    """Keys, models and limits.

    `models` and `moderation_models` map what may be asked for to the snapshot that answers;
    `embedding_models` the name to the full length of its vectors. Limits are per key and model
    and refill evenly. A batch is done at its `batch_polls`-th look.
    """

    keys: frozenset[str] = frozenset({API_KEY})
    forbidden_keys: frozenset[str] = frozenset()
    models: dict[str, str] = msgspec.field(
        default_factory=lambda: {
            "gpt-5-mini": "gpt-5-mini-2025-08-07",
            "gpt-5-nano": "gpt-5-nano-2025-08-07",
            "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
            "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
        }
    )
    embedding_models: dict[str, int] = msgspec.field(
        default_factory=lambda: {
            "text-embedding-3-small": 1536,
            "text-embedding-3-large": 3072,
            "text-embedding-ada-002": 1536,
        }
    )
    moderation_models: dict[str, str] = msgspec.field(
        default_factory=lambda: {"omni-moderation-latest": "omni-moderation-2024-09-26"}
    )
    flag_words: dict[str, str] = msgspec.field(
        default_factory=lambda: {"kill": "violence", "nude": "sexual", "cocaine": "illicit"}
    )
    requests_per_minute: int = 5000
    tokens_per_minute: int = 4_000_000
    batch_polls: int = 1
