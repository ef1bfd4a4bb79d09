"""Which JSON schemas strict mode takes (the structured-outputs guide, as of 2026)."""

from __future__ import annotations

import re
from typing import Any

from upstreams.openai.errors import bad_schema, invalid

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_PROPERTIES = 5000
MOST_LEVELS = 10
MOST_ENUM_VALUES = 1000
MOST_CHARACTERS = 120_000
REFUSED = frozenset(
    {"allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "default", "uniqueItems"}
    | {"patternProperties", "propertyNames", "minProperties", "maxProperties", "minLength", "maxLength", "contains"}
)


class StrictCheck:
    """Walks one schema; the first thing that strict mode refuses ends the request."""

    def __init__(self, name: str, schema: dict[str, Any]) -> None:
        self.name = name
        self.schema = schema
        self.definitions: dict[str, Any] = schema.get("$defs", {})
        self._properties = self._values = self._characters = 0

    def run(self) -> None:
        """Check all of it.

        Raises:
            Refusal: with the vendor's words.
        """
        if not NAME.fullmatch(self.name):
            raise invalid(f"Invalid 'text.format.name': '{self.name}'.", param="text.format.name", code="invalid_value")
        if self.schema.get("type") != "object" or "anyOf" in self.schema:
            given = self.schema.get("type")
            raise bad_schema(self.name, f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{given}\"'.")
        self._walk(self.schema, (), 1)
        for name, definition in self.definitions.items():
            self._characters += len(name)
            self._walk(definition, ("$defs", name), 1)
        for count, most, what in (
            (self._properties, MOST_PROPERTIES, "properties"),
            (self._values, MOST_ENUM_VALUES, "enum values"),
            (self._characters, MOST_CHARACTERS, "characters in names and values"),
        ):
            if count > most:
                raise bad_schema(self.name, f"too many {what}: {count}, maximum {most}.")

    def _walk(self, node: Any, at: tuple[str, ...], level: int) -> None:
        where = f"In context={at!r}, "
        if not isinstance(node, dict):
            raise bad_schema(self.name, f"{where}a schema must be an object.")
        if level > MOST_LEVELS:
            raise bad_schema(self.name, f"{where}nesting is deeper than {MOST_LEVELS} levels.")
        for word in sorted(REFUSED & node.keys()):
            raise bad_schema(self.name, f"{where}'{word}' is not permitted.")
        if "$ref" in node:
            self._reference(node, where)
            return
        self._values += len(node.get("enum", ()))
        self._characters += sum(len(str(value)) for value in node.get("enum", ()))
        if "anyOf" in node:
            for index, choice in enumerate(node["anyOf"]):
                self._walk(choice, (*at, "anyOf", str(index)), level)
        elif "type" not in node:
            raise bad_schema(self.name, f"{where}schema must have a 'type' key.")
        elif node["type"] == "object":
            self._object(node, at, level, where)
        elif node["type"] == "array":
            if "items" not in node:
                raise bad_schema(self.name, f"{where}array schema missing items.")
            self._walk(node["items"], (*at, "items"), level + 1)

    def _reference(self, node: dict[str, Any], where: str) -> None:
        if len(node) > 1:
            extra = sorted(node.keys() - {"$ref"})
            raise bad_schema(self.name, f"{where}$ref cannot have keywords {extra}.")
        target = node["$ref"]
        if target != "#" and target.removeprefix("#/$defs/") not in self.definitions:
            raise bad_schema(self.name, f"{where}reference can only point to definitions: {target!r}.")

    def _object(self, node: dict[str, Any], at: tuple[str, ...], level: int, where: str) -> None:
        properties = node.get("properties", {})
        self._properties += len(properties)
        self._characters += sum(map(len, properties))
        if node.get("additionalProperties") is not False:
            raise bad_schema(self.name, f"{where}'additionalProperties' is required to be supplied and to be false.")
        absent = [name for name in properties if name not in node.get("required", ())]
        if absent or set(node.get("required", ())) - properties.keys():
            text = "'required' is required to be supplied and to be an array including every key in properties."
            raise bad_schema(self.name, f"{where}{text} Missing '{absent[0] if absent else ''}'.")
        for name, child in properties.items():
            self._walk(child, (*at, "properties", name), level + 1)
