"""Examples for the description of the API, made from schemas: the same ones every time, and valid."""

from __future__ import annotations

from typing import Any

_FORMATS: dict[str, str] = {
    "uuid": "5b6f3c2e-8a41-4f0e-9d27-1c0b7a9e4d10",
    "date-time": "2026-03-01T09:30:00Z",
    "date": "2026-03-01",
    "uri": "https://example.com/",
    "url": "https://example.com/",
}
_NAMES: dict[str, Any] = {
    "email": "ann@acme.example",
    "password": "a long pass phrase",
    "current": "a long pass phrase",
    "new": "another long pass phrase",
    "name": "Sport",
    "brand": "nike",
    "brands": ["nike"],
    "primary": "nike",
    "competitors": ["adidas", "puma"],
    "followed": ["asics"],
    "analyzers": ["labels"],
    "title": "Spring sale",
    "domain": "shop.example",
    "tag": "spring",
    "text": "Free shipping until Sunday",
    "query": "running shoes",
    "source": "facebook",
    "currency": "USD",
    "token": "ado_inv_Jt0mUu3bN5x8v0y1",
    "refresh_token": "ado_rt_Jt0mUu3bN5x8v0y1",
    "access_token": "ado_at_Jt0mUu3bN5x8v0y1",
    "secret": "ado_key_Jt0mUu3bN5x8v0y1",
    "hint": "v0y1",
    "about": "What our rivals say",
    "error": "",
    "language": "en",
}
"""What fields of these names look like; used where the schema allows it."""
_DEEPEST = 8


def example(schema: dict[str, Any], schemas: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value that the schema takes.

    Args:
        schema: of OpenAPI 3.1.
        schemas: the document's `components.schemas`.
        name: of the field that it is of.
        depth: how far inside; what is deeper than any of ours is left out.
    """
    if "$ref" in schema:
        target = schemas[schema["$ref"].rpartition("/")[2]]
        return example(target, schemas, name, depth + 1) if depth < _DEEPEST else {}
    for key in ("example", "default", "const"):
        if schema.get(key) is not None and not (schema[key] in ([], "") and name in _NAMES):
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("oneOf", "anyOf", "allOf"):
        options = [one for one in schema.get(key, ()) if one.get("type") != "null"]
        if options:
            rest = {k: v for k, v in schema.items() if k not in (key, "description")}
            return example({**rest, **options[0]}, schemas, name, depth)
    return _of_type(schema, schemas, name, depth)


def _of_type(schema: dict[str, Any], schemas: dict[str, Any], name: str, depth: int) -> Any:
    kinds = schema.get("type")
    kind = next((one for one in kinds if one != "null"), "null") if isinstance(kinds, list) else kinds
    match kind:
        case "object":
            return {
                field: example(inner, schemas, field, depth + 1)
                for field, inner in schema.get("properties", {}).items()
            }
        case "array":
            return _array(schema, schemas, name, depth)
        case "string":
            return _string(schema, name)
        case "integer" | "number":
            least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
            return max(1, int(least) + (1 if "exclusiveMinimum" in schema else 0))
        case "boolean":
            return False
        case _:
            return None


def _array(schema: dict[str, Any], schemas: dict[str, Any], name: str, depth: int) -> Any:
    items = schema.get("items")
    named = _NAMES.get(name)
    if isinstance(named, list) and isinstance(items, dict) and "string" in str(items.get("type")):
        return named
    return [example(items, schemas, name, depth + 1)] if isinstance(items, dict) else []


def _string(schema: dict[str, Any], name: str) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    named = _NAMES.get(name)
    text = named if isinstance(named, str) else "text"
    least = schema.get("minLength", 0)
    text = text.ljust(least, "x")
    return text[: schema.get("maxLength", len(text))]
