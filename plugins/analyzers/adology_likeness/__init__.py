"""Near-duplicates: is a creative another one, cropped, recoloured, written over, mirrored, trimmed?

`analyzer.LikenessAnalyzer` makes a signature per creative. Without any server: `tokens` says which
signatures are worth comparing, `compare` compares two, `find` and `groups` do so for a folder.
Different ads of one template are not near-duplicates.
"""

from __future__ import annotations

from typing import Any

from adology import Analyzer, hookimpl
from adology_likeness.analyzer import LikenessAnalyzer
from adology_likeness.limits import IMAGE_TOKENS, VIDEO_TOKENS
from adology_likeness.model import (
    RECIPE,
    Creative,
    Evidence,
    FrameLook,
    Group,
    Kind,
    Likeness,
    Looks,
    Pair,
    Shot,
    Signature,
    Span,
)
from adology_likeness.pairs import SURE, compare, creative_of, find, groups, tokens
from adology_likeness.settings import LikenessSettings

__all__ = [
    "IMAGE_TOKENS",
    "RECIPE",
    "SURE",
    "VIDEO_TOKENS",
    "Creative",
    "Evidence",
    "FrameLook",
    "Group",
    "Kind",
    "Likeness",
    "LikenessAnalyzer",
    "LikenessSettings",
    "Looks",
    "Pair",
    "Shot",
    "Signature",
    "Span",
    "adology_analyzers",
    "compare",
    "creative_of",
    "find",
    "groups",
    "tokens",
]


@hookimpl
def adology_analyzers() -> list[type[Analyzer[Any, Any]]]:
    """The likeness analyzer."""
    return [LikenessAnalyzer]
