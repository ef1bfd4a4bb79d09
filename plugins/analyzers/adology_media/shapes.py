"""Aspect ratios under the names that ad placements use."""

from __future__ import annotations

import math

from adology_media.model import AspectClass

TOLERANCE = 0.02
"""Largest |log(ratio / named ratio)|: two per cent, which forgives odd pixel counts."""

NAMED: tuple[tuple[AspectClass, float], ...] = (
    ("square", 1.0),
    ("portrait_4_5", 4 / 5),
    ("portrait_3_4", 3 / 4),
    ("portrait_2_3", 2 / 3),
    ("story_9_16", 9 / 16),
    ("landscape_16_9", 16 / 9),
    ("landscape_1_91_1", 1.91),
    ("landscape_4_3", 4 / 3),
    ("landscape_3_2", 3 / 2),
)

BANNER_FROM = 2.9
"""The IAB's flattest common unit, 970x250, has 3.88; 320x100 has 3.2, 180x60 has 3."""

SKYSCRAPER_TO = 0.42
"""160x600 has 0.27, 120x240 has 0.5 and counts as other, 300x1050 has 0.29."""


def classify(ratio: float) -> AspectClass:
    """The name of a shape with `ratio` = width / height."""
    if ratio >= BANNER_FROM:
        return "banner"
    if ratio <= SKYSCRAPER_TO:
        return "skyscraper"
    distance, name = min((abs(math.log(ratio / named)), name) for name, named in NAMED)
    return name if distance <= TOLERANCE else "other"
