"""``POST /v1/responses``: structured output over text and pictures."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from upstreams.charges import content_key
from upstreams.openai import errors
from upstreams.openai.answers import Chooser
from upstreams.openai.rules import OpenAiRules
from upstreams.openai.schemas import StrictCheck
from upstreams.openai.tokens import NotAPictureError, cached_part, picture_tokens, text_tokens

DATA_URL = re.compile(r"data:image/[a-z.+-]+;base64,", re.IGNORECASE)
REASONING_TOKENS = 64
REFUSAL = "I'm sorry, but I can't help with that."
CHATTER = "Sure! Here is what I found in the ad you sent:\n\n- It looks like a sale.\n- The mood is upbeat."
FAILURES = {
    "server_error": "The server had an error while processing your request.",
    "rate_limit_exceeded": "Rate limit reached while the response was being made.",
    "invalid_image": "The image data you provided does not represent a valid image.",
    "image_too_large": "The image is too large.",
    "image_content_policy_violation": "The image was refused by the content policy.",
    "invalid_prompt": "The prompt was refused by the usage policy.",
}
OUTCOMES = frozenset({"refusal", "incomplete", "not_json", "wrong_schema", "failed"})
"""Faults that are successes by their status."""


class Asked:
    """One request, read and checked: what it costs and what would be answered."""

    def __init__(self, body: dict[str, Any], rules: OpenAiRules) -> None:
        self.body = body
        model = body.get("model")
        if not model:
            raise errors.missing("model")
        if model not in rules.models and model not in rules.models.values():
            raise errors.unknown_model(model)
        self.asked_model: str = model
        self.model = rules.models.get(model, model)
        self.instructions: str = body.get("instructions") or ""
        self.lines: list[str] = []
        self._fixed = text_tokens(self.instructions)
        self.tokens = self._fixed + sum(self._item(item) for item in _items(body))
        self.format: dict[str, Any] = (body.get("text") or {}).get("format") or {"type": "text"}
        if self.format.get("type") == "json_schema":
            self._check_format()
        self.most: int | None = body.get("max_output_tokens")
        if self.most is not None and self.most < 16:
            raise errors.invalid(
                "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got "
                f"{self.most} instead.",
                param="max_output_tokens",
                code="integer_below_min_value",
            )

    @property
    def content(self) -> tuple[object, ...]:
        """What makes this request the same as another."""
        return ("responses", self.asked_model, self.instructions, self.body.get("input"), self.format)

    @property
    def prefix(self) -> tuple[str, str]:
        """What a prompt cache would know it by, with its tokens in `prefix_tokens`."""
        return self.model, content_key(self.instructions, self.format)

    def cached_tokens(self) -> int:
        """Tokens that a warm prompt cache holds."""
        return cached_part(self._fixed)

    def answer_text(self) -> str:
        """What a model that does its work says."""
        if self.format["type"] == "text":
            return f"stand-in {content_key(*self.content)[:8]}"
        chooser = Chooser(self.format["schema"], content_key(*self.content), self.lines)
        return msgspec.json.encode(chooser.value()).decode()

    def _check_format(self) -> None:
        name, schema = self.format.get("name"), self.format.get("schema")
        if not name:
            raise errors.missing("text.format.name")
        if not isinstance(schema, dict):
            raise errors.missing("text.format.schema")
        if self.format.get("strict"):
            StrictCheck(name, schema).run()
        self._fixed += text_tokens(msgspec.json.encode(schema).decode())
        self.tokens += text_tokens(msgspec.json.encode(schema).decode())

    def _item(self, part: dict[str, Any]) -> int:
        match part.get("type"):
            case "input_text":
                self.lines += [line for line in part["text"].splitlines() if line.strip()]
                return text_tokens(part["text"])
            case "input_image":
                data = read_data_url(part.get("image_url") or "")
                try:
                    return picture_tokens(data, part.get("detail") or "auto", self.model)
                except NotAPictureError:
                    raise errors.bad_image() from None
        raise errors.invalid(f"Invalid value: '{part.get('type')}'.", param="input", code="invalid_value")


def _items(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    given = body.get("input")
    if not given:
        raise errors.missing("input")
    if isinstance(given, str):
        yield {"type": "input_text", "text": given}
        return
    for message in given:
        content = message.get("content", "")
        if isinstance(content, str):
            yield {"type": "input_text", "text": content}
        else:
            yield from content


def read_data_url(url: str) -> bytes:
    """The bytes of a data URL.

    Raises:
        Refusal: it is none. Other addresses are refused too: there is nothing this stand-in could fetch.
    """
    match = DATA_URL.match(url)
    if match is None:
        raise errors.invalid("Error while downloading the image.", param="url", code="invalid_image_url")
    try:
        return base64.b64decode(url[match.end() :], validate=True)
    except binascii.Error:
        raise errors.invalid("Invalid base64 image_url.", param="url", code="invalid_base64_image") from None


def response_body(asked: Asked, name: str, now: float, *, warm: bool, fault: str, detail: str) -> dict[str, Any]:
    """The answer with its usage; `fault` is one of `OUTCOMES` or empty."""
    status, text, reason, error = "completed", asked.answer_text(), None, None
    reasoning = REASONING_TOKENS if asked.model.startswith("gpt-5") else 0
    if fault == "not_json":
        text = detail or CHATTER
    elif fault == "wrong_schema":
        text = _spoil(text)
    spent = text_tokens(REFUSAL if fault == "refusal" else text) + reasoning
    if asked.most is not None and (spent > asked.most or fault == "incomplete"):
        status, reason, spent = "incomplete", detail or "max_output_tokens", min(spent, asked.most)
        text = text[: max(1, len(text) // 2)]
    elif fault == "incomplete":
        status, reason, text = "incomplete", detail or "max_output_tokens", text[: len(text) // 2]
    if fault == "failed":
        code = detail or "server_error"
        status, error = "failed", {"code": code, "message": FAILURES.get(code, FAILURES["server_error"])}
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    if fault == "refusal":
        part = {"type": "refusal", "refusal": detail or REFUSAL}
    message = {
        "id": f"msg_{name}",
        "type": "message",
        "role": "assistant",
        "status": "completed" if status == "completed" else "incomplete",
        "content": [part],
    }
    thought = [{"id": f"rs_{name}", "type": "reasoning", "summary": []}] if reasoning else []
    return {
        "id": f"resp_{name}",
        "object": "response",
        "created_at": int(now),
        "status": status,
        "error": error,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": asked.instructions or None,
        "max_output_tokens": asked.most,
        "model": asked.model,
        "output": [] if error else [*thought, message],
        "parallel_tool_calls": True,
        "service_tier": "default",
        "store": asked.body.get("store", True),
        "temperature": 1.0,
        "text": {"format": asked.format},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "metadata": asked.body.get("metadata") or {},
        "usage": None if error else _usage(asked, spent, reasoning, warm=warm),
    }


def _usage(asked: Asked, spent: int, reasoning: int, *, warm: bool) -> dict[str, Any]:
    return {
        "input_tokens": asked.tokens,
        "input_tokens_details": {"cached_tokens": asked.cached_tokens() if warm else 0, "cache_write_tokens": 0},
        "output_tokens": spent,
        "output_tokens_details": {"reasoning_tokens": min(reasoning, spent)},
        "total_tokens": asked.tokens + spent,
    }


def _spoil(text: str) -> str:
    """The answer with its first field of a type that the schema does not allow."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return "{}"
    if isinstance(value, dict) and value:
        value[next(iter(value))] = {"something": "else"}
    return msgspec.json.encode(value).decode()
