"""`amazon.titan-embed-image-v1`: text, a picture, or both in one vector."""

from __future__ import annotations

import math
from typing import Any

from upstreams.bedrock import errors
from upstreams.bedrock.pictures import read_picture
from upstreams.bedrock.rules import TITAN
from upstreams.vectors import vector_of

LENGTHS = (256, 384, 1024)
MOST_PIXELS_A_SIDE = 2048
MOST_TEXT_TOKENS = 256


class AskedTitan:
    """One request, read and checked."""

    def __init__(self, body: dict[str, Any]) -> None:
        unknown = sorted(body.keys() - {"inputText", "inputImage", "embeddingConfig"})
        if unknown:
            raise errors.invalid(f"Malformed input request: #: extraneous key [{unknown[0]}] is not permitted")
        text, picture = body.get("inputText"), body.get("inputImage")
        if not text and not picture:
            raise errors.invalid("Malformed input request: at least one of inputText and inputImage is required")
        config = body.get("embeddingConfig") or {}
        self.dimensions: int = config.get("outputEmbeddingLength", 1024)
        if self.dimensions not in LENGTHS:
            raise errors.invalid(
                f"Malformed input request: #/embeddingConfig: {self.dimensions} is not a valid enum value"
            )
        self.text: str = text or ""
        self.text_tokens = math.ceil(len(self.text.encode("utf-8", "replace")) / 4) if text else None
        if (self.text_tokens or 0) > MOST_TEXT_TOKENS:
            raise errors.invalid(f"Input text has {self.text_tokens} tokens, maximum is {MOST_TEXT_TOKENS}")
        self.picture = b""
        if picture:
            self.picture = read_picture(picture, {"JPEG", "PNG"}, most_side=MOST_PIXELS_A_SIDE)

    @property
    def content(self) -> tuple[object, ...]:
        """What makes this request the same as another."""
        return (TITAN, self.dimensions, self.text, self.picture)

    @property
    def input_tokens(self) -> int:
        """For the header."""
        return self.text_tokens or 0

    def body(self, *, dimensions: int | None = None) -> dict[str, Any]:
        """The answer; `dimensions` other than asked are a fault."""
        vector = vector_of(
            TITAN, self.text.encode("utf-8", "replace") + b"\0" + self.picture, dimensions or self.dimensions
        )
        return {
            "embedding": [float(value) for value in vector],
            "inputTextTokenCount": self.text_tokens,
            "message": None,
        }

    def failed_body(self, detail: str) -> dict[str, Any]:
        """An error that is carried in a 200."""
        return {"embedding": None, "inputTextTokenCount": None, "message": detail or "Failed to process the image."}
