"""What the visual embeddings say of two creatives: something only within one space."""

from __future__ import annotations

from adology_embeddings.vectors import Vector, normalise, unpack
from adology_likeness.model import Creative, Looks, Reason

MEASURED = "open-nsfw-pool/"
"""The space whose cosines the confidence knows; those of others are shown, and not weighed."""


def best_cosine(a: Creative, b: Creative) -> tuple[float | None, Reason | None]:
    """The highest cosine of their vectors, for videos of any two frames; or why there is none."""
    if a.looks is None or b.looks is None:
        return None, "no_vector"
    if a.looks.space != b.looks.space:
        return None, "other_space"
    if a.looks.flat or b.looks.flat:
        return None, "flat"
    ones, others = (_vectors(looks) for looks in (a.looks, b.looks))
    return max(float(one @ other) for one in ones for other in others), None


def known_space(creative: Creative) -> bool:
    """Whether its vectors are of the space that the confidence was measured with."""
    return creative.looks is not None and creative.looks.space.startswith(MEASURED)


def _vectors(looks: Looks) -> list[Vector]:
    packed = [looks.vector, *(frame.vector for frame in looks.frames)]
    return [normalise(unpack(vector, looks.space)) for vector in packed]
