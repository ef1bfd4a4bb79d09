"""What the stand-in's models say: a value that a schema allows, chosen by the hash of what was asked."""

from __future__ import annotations

import hashlib
from typing import Any

DEEPEST = 12


class Chooser:
    """Makes values of one schema. `seed` decides everything; strings quote a line of `lines` where there are any."""

    def __init__(self, schema: dict[str, Any], seed: str, lines: list[str]) -> None:
        self._schema = schema
        self._definitions: dict[str, Any] = schema.get("$defs", {})
        self._seed = seed
        self._lines = lines

    def value(self) -> Any:
        """One value of the whole schema."""
        return self._make(self._schema, "$", 0)

    def _draw(self, path: str, below: int) -> int:
        digest = hashlib.sha256(f"{self._seed}\0{path}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % below

    def _make(self, node: dict[str, Any], path: str, depth: int) -> Any:
        if "$ref" in node:
            target = node["$ref"]
            found = self._schema if target == "#" else self._definitions[target.removeprefix("#/$defs/")]
            return self._make(found, path, depth + 1)
        if "anyOf" in node:
            choices = node["anyOf"]
            if depth > DEEPEST:  # a recursive schema must end somewhere
                choices = [choice for choice in choices if choice.get("type") == "null"] or choices
            return self._make(choices[self._draw(path, len(choices))], path, depth + 1)
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return node["enum"][self._draw(path, len(node["enum"]))]
        kind = node["type"]
        if isinstance(kind, list):
            kind = kind[self._draw(path, len(kind))]
        return self._plain(node, kind, path, depth)

    def _plain(self, node: dict[str, Any], kind: str, path: str, depth: int) -> Any:
        match kind:
            case "object":
                fields = node.get("properties", {})
                return {name: self._make(child, f"{path}.{name}", depth + 1) for name, child in fields.items()}
            case "array":
                fewest = node.get("minItems", 0 if depth > DEEPEST else 1)
                count = min(max(fewest, 1 + self._draw(path, 2)), node.get("maxItems", 2)) if fewest else 0
                return [self._make(node["items"], f"{path}[{index}]", depth + 1) for index in range(count)]
            case "number" | "integer":
                low = node.get("minimum", node.get("exclusiveMinimum", 0))
                high = node.get("maximum", node.get("exclusiveMaximum", low + 1))
                share = (1 + self._draw(path, 98)) / 100
                value = low + share * (high - low)
                return round(value) if kind == "integer" else round(value, 4)
            case "boolean":
                return bool(self._draw(path, 2))
            case "null":
                return None
        return self._lines[self._draw(path, len(self._lines))] if self._lines else f"stand-in {self._seed[:8]}"
