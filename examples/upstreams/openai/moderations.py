"""``POST /v1/moderations``: text, and pictures beside it."""

from __future__ import annotations

import hashlib
from typing import Any

from upstreams.openai import errors
from upstreams.openai.responses import read_data_url
from upstreams.openai.rules import OpenAiRules
from upstreams.openai.tokens import NotAPictureError, picture_tokens

CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
OF_PICTURES = frozenset({"self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "violence"}) | {
    "violence/graphic"
}
"""Categories that pictures are looked at for; the others are about text only."""
DEFAULT_MODEL = "omni-moderation-latest"


class AskedModeration:
    """One request, read and checked."""

    def __init__(self, body: dict[str, Any], rules: OpenAiRules) -> None:
        self.body = body
        asked = body.get("model") or DEFAULT_MODEL
        if asked not in rules.moderation_models and asked not in rules.moderation_models.values():
            raise errors.unknown_model(asked)
        self.model = rules.moderation_models.get(asked, asked)
        self._words = rules.flag_words
        self.groups = self._read(body.get("input"))

    @property
    def content(self) -> tuple[object, ...]:
        """What makes this request the same as another."""
        return ("moderations", self.model, self.body.get("input"))

    def results(self) -> list[dict[str, Any]]:
        """One result per group of parts that belong together."""
        return [self._result(parts) for parts in self.groups]

    def _read(self, given: Any) -> list[list[tuple[str, bytes]]]:
        if isinstance(given, str) and given:
            return [[("text", given.encode("utf-8", "replace"))]]
        if not isinstance(given, list) or not given:
            raise errors.missing("input")
        if all(isinstance(item, str) for item in given):
            return [[("text", item.encode("utf-8", "replace"))] for item in given]
        parts = [_part(item) for item in given]
        if sum(kind == "image" for kind, _ in parts) > 1:
            raise errors.invalid("Too many images. Maximum is 1.", param="input", code="too_many_images")
        return [parts]

    def _result(self, parts: list[tuple[str, bytes]]) -> dict[str, Any]:
        texts = " ".join(data.decode("utf-8", "replace") for kind, data in parts if kind == "text").lower()
        hit = {category for word, category in self._words.items() if word in texts}
        seed = b"".join(data for _, data in parts)
        kinds = sorted({kind for kind, _ in parts})
        return {
            "flagged": bool(hit),
            "categories": {name: name in hit for name in CATEGORIES},
            "category_scores": {name: 0.97 if name in hit else _low(seed, name) for name in CATEGORIES},
            "category_applied_input_types": {
                name: [kind for kind in kinds if kind == "text" or name in OF_PICTURES] for name in CATEGORIES
            },
        }


def _part(item: Any) -> tuple[str, bytes]:
    kind = item.get("type") if isinstance(item, dict) else None
    if kind == "text":
        return "text", item["text"].encode("utf-8", "replace")
    if kind != "image_url":
        raise errors.invalid(f"Invalid value: '{kind}'.", param="input", code="invalid_value")
    data = read_data_url(item["image_url"]["url"])
    try:
        picture_tokens(data, "low", "")
    except NotAPictureError:
        raise errors.bad_image() from None
    return "image", data


def _low(seed: bytes, name: str) -> float:
    digest = hashlib.sha256(name.encode() + b"\0" + seed).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 * 0.05
