"""`amazon.nova-2-multimodal-embeddings-v1:0`: one text or one picture, and what the vector is for."""

from __future__ import annotations

import math
from typing import Any

from upstreams.bedrock import errors
from upstreams.bedrock.pictures import read_picture
from upstreams.bedrock.rules import NOVA
from upstreams.vectors import vector_of

LENGTHS = (256, 384, 1024, 3072)
PURPOSES = frozenset({"GENERIC_INDEX", "GENERIC_RETRIEVAL", "CLASSIFICATION", "CLUSTERING"}) | {
    f"{kind}_RETRIEVAL" for kind in ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "AUDIO")
}
FORMATS = {"png": "PNG", "jpeg": "JPEG", "gif": "GIF", "webp": "WEBP"}
MOST_CHARACTERS = 50_000


class AskedNova:
    """One request, read and checked."""

    def __init__(self, body: dict[str, Any]) -> None:
        if body.get("schemaVersion", "nova-multimodal-embed-v1") != "nova-multimodal-embed-v1":
            raise errors.invalid("Invalid schemaVersion")
        if body.get("taskType") != "SINGLE_EMBEDDING":
            raise errors.invalid("Invalid taskType: InvokeModel takes SINGLE_EMBEDDING")
        asked = body.get("singleEmbeddingParams") or {}
        self.purpose: str = asked.get("embeddingPurpose", "")
        if self.purpose not in PURPOSES:
            raise errors.invalid(f"Invalid embeddingPurpose: {self.purpose!r}")
        self.dimensions: int = asked.get("embeddingDimension", 3072)
        if self.dimensions not in LENGTHS:
            raise errors.invalid(f"Invalid embeddingDimension: {self.dimensions}")
        given = [kind for kind in ("text", "image", "video", "audio") if asked.get(kind)]
        if len(given) != 1 or given[0] not in {"text", "image"}:
            raise errors.invalid(f"Exactly one of text and image is required, got {given}")
        self.kind = given[0]
        self.text, self.picture = "", b""
        self.truncated: int | None = None
        if self.kind == "text":
            self._read_text(asked["text"])
        else:
            self._read_picture(asked["image"])

    @property
    def content(self) -> tuple[object, ...]:
        """What makes this request the same as another."""
        return (NOVA, self.purpose, self.dimensions, self.text, self.picture)

    @property
    def input_tokens(self) -> int:
        """For the header."""
        return math.ceil(len(self.text.encode("utf-8", "replace")) / 4)

    def body(self, *, dimensions: int | None = None) -> dict[str, Any]:
        """The answer; `dimensions` other than asked are a fault."""
        seen = self.purpose.encode() + b"\0" + self.text.encode("utf-8", "replace") + b"\0" + self.picture
        vector = vector_of(NOVA, seen, dimensions or self.dimensions)
        found: dict[str, Any] = {"embeddingType": self.kind.upper(), "embedding": [float(value) for value in vector]}
        if self.truncated is not None:
            found["truncatedCharLength"] = self.truncated
        return {"embeddings": [found]}

    def failed_body(self, detail: str) -> dict[str, Any]:
        """This model answers with an error where Titan has a 200."""
        raise errors.Refusal("ModelErrorException", detail or "The model could not process the input.")

    def _read_text(self, given: dict[str, Any]) -> None:
        mode = given.get("truncationMode")
        if mode not in {"START", "END", "NONE"}:
            raise errors.invalid(f"Invalid truncationMode: {mode!r}")
        self.text = given.get("value") or ""
        if not self.text:
            raise errors.invalid("text.value must not be empty")
        if len(self.text) > MOST_CHARACTERS:
            if mode == "NONE":
                raise errors.invalid(f"text has {len(self.text)} characters, maximum is {MOST_CHARACTERS}")
            self.text = self.text[:MOST_CHARACTERS] if mode == "END" else self.text[-MOST_CHARACTERS:]
            self.truncated = MOST_CHARACTERS

    def _read_picture(self, given: dict[str, Any]) -> None:
        kind = FORMATS.get(given.get("format", ""))
        if kind is None:
            raise errors.invalid(f"Invalid image format: {given.get('format')!r}")
        if given.get("detailLevel", "STANDARD_IMAGE") not in {"STANDARD_IMAGE", "DOCUMENT_IMAGE"}:
            raise errors.invalid("Invalid detailLevel")
        self.picture = read_picture((given.get("source") or {}).get("bytes") or "", {kind})
