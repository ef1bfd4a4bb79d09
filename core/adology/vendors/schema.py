"""The JSON schema of a Struct in the form that strict structured output takes.

Every property is required and no others are allowed; what strict mode has no word for (defaults,
lengths of strings) is left out, since the answer is validated against the Struct again.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

_LEFT_OUT = frozenset({"default", "title", "minLength", "maxLength", "examples", "contentEncoding"})
_PREFIX = "#/$defs/"


def strict_schema(kind: type[Any]) -> dict[str, Any]:
    """The schema of a Struct. It is shared: change a copy.

    Raises:
        TypeError: `kind` is no Struct.
        ValueError: it has a field that strict mode cannot describe (a dict of unknown keys, a tagged
            union, a tuple of unlike parts).
    """
    hashable: Any = kind  # mypy takes a type for unhashable here
    made: dict[str, Any] = _make(hashable)
    return made


@cache
def _make(kind: Any) -> dict[str, Any]:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        raise TypeError(f"{kind!r} is no msgspec.Struct: strict output is an object with named fields")
    (root,), definitions = msgspec.json.schema_components([kind], ref_template=_PREFIX + "{name}")
    name = root["$ref"].removeprefix(_PREFIX)
    strict = {key: _strict(node, key) for key, node in definitions.items()}
    # The root must be an object itself. A struct that holds itself refers to it as one of the definitions.
    found = dict(strict[name])
    others = strict if _refers(strict, _PREFIX + name) else {key: node for key, node in strict.items() if key != name}
    return {**found, "$defs": others} if others else found


def _strict(node: dict[str, Any], where: str) -> dict[str, Any]:
    if "$ref" in node:
        return {"$ref": node["$ref"]}  # no other keyword may stand beside it
    for word in ("allOf", "oneOf", "discriminator", "prefixItems", "patternProperties"):
        if word in node:
            raise ValueError(f"{where} needs {word!r} in its schema, which strict output does not have")
    kept = {key: value for key, value in node.items() if key not in _LEFT_OUT}
    if "anyOf" in kept:
        kept["anyOf"] = [_strict(choice, where) for choice in kept["anyOf"]]
    elif "enum" in kept:
        kept.setdefault("type", _type_of(kept["enum"], where))
    elif kept.get("type") == "object":
        if kept.get("additionalProperties") not in (None, False):
            raise ValueError(f"{where} is a dict of unknown keys; strict output needs a Struct with named fields")
        fields = {name: _strict(child, f"{where}.{name}") for name, child in kept.get("properties", {}).items()}
        kept |= {"properties": fields, "required": list(fields), "additionalProperties": False}
    elif kept.get("type") == "array":
        if not isinstance(kept.get("items"), dict) or not kept["items"]:
            raise ValueError(f"{where} is a list of anything; say of what")
        kept["items"] = _strict(kept["items"], f"{where}[]")
    elif "type" not in kept:
        raise ValueError(f"{where} may be anything; strict output needs a type")
    return kept


def _type_of(values: list[Any], where: str) -> str | list[str]:
    names = {bool: "boolean", str: "string", int: "integer", type(None): "null"}
    found = sorted({names.get(type(value), "") for value in values})
    if "" in found:
        raise ValueError(f"{where} has choices that are neither text nor whole numbers")
    return found[0] if len(found) == 1 else found


def _refers(node: Any, target: str) -> bool:
    if isinstance(node, dict):
        return node.get("$ref") == target or any(_refers(child, target) for child in node.values())
    return isinstance(node, list) and any(_refers(child, target) for child in node)
