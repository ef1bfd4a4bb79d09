"""Which kind of result a result is, by its own fields: the core knows no analyzer by name.

An analyzer of somebody else whose result has these fields is shown as well as ours are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Shape = Literal[
    "scores", "labels", "video", "text", "transcript", "copy", "safety", "measures", "media", "likeness", "embedding",
    "other",
]  # fmt: skip

_FIELDS: tuple[tuple[Shape, frozenset[str], frozenset[str]], ...] = (
    ("scores", frozenset({"reports"}), frozenset()),
    ("labels", frozenset({"provider", "model"}), frozenset({"labels", "unknown"})),
    ("video", frozenset({"shots", "mean_shot_s", "faces"}), frozenset()),
    ("likeness", frozenset({"recipe", "tokens"}), frozenset()),
    ("embedding", frozenset({"space", "vector"}), frozenset()),
    ("media", frozenset({"phash", "width", "height"}), frozenset()),
    ("measures", frozenset({"kind"}), frozenset({"missing", "edge_density"})),
    ("text", frozenset({"kind", "width", "height"}), frozenset()),
    ("safety", frozenset({"level"}), frozenset({"score", "rules"})),
    ("copy", frozenset({"language", "chars"}), frozenset()),
    ("transcript", frozenset({"available"}), frozenset()),
)
"""Shape, the fields that it always has, and fields of which it has one."""

OF_ANOTHER_KIND = (TypeError, ValueError, AttributeError, LookupError)
"""What comes of a stranger's result that has our fields with other values: it is then shown as any other."""

READING_ORDER: tuple[Shape, ...] = (
    "labels", "scores", "text", "copy", "video", "transcript", "safety", "measures", "media", "other", "embedding",
    "likeness",
)  # fmt: skip
"""What says most to people comes first."""


def shape_of(result: Any) -> Shape:
    """The kind of result; "other" where nothing fits."""
    if isinstance(result, Mapping):
        for shape, needed, one_of in _FIELDS:
            if needed <= result.keys() and (not one_of or one_of & result.keys()):
                return shape
    return "other"


def entries(result: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    """The entries of a list field; none where it is left out or holds something else."""
    found = result.get(field)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list | tuple) else []


def inner(result: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """A field that is an object; empty where it is left out or something else."""
    found = result.get(field)
    return found if isinstance(found, Mapping) else {}
