"""The versioned taxonomies: IAB's product categories, calls to action, and Adology's own."""

from __future__ import annotations

from adology_labels.taxonomies.cta import CTA, CTA_FAMILY
from adology_labels.taxonomies.entries import Entry, Taxonomy
from adology_labels.taxonomies.iab import TIER_ONE
from adology_labels.taxonomies.languages import LANGUAGE
from adology_labels.taxonomies.ours import (
    ANGLE,
    EMOTION,
    FORMAT,
    FUNNEL,
    HOOK,
    OFFER,
    PERSONA,
    PRODUCTION,
    SCHWARTZ,
)

OF_COPY: tuple[Taxonomy, ...] = (
    TIER_ONE, CTA, CTA_FAMILY, HOOK, ANGLE, OFFER, EMOTION, FUNNEL, SCHWARTZ, LANGUAGE,
)  # fmt: skip
"""What is asked about copy."""
OF_MEDIA: tuple[Taxonomy, ...] = (
    TIER_ONE, FORMAT, CTA, CTA_FAMILY, HOOK, ANGLE, OFFER, EMOTION, FUNNEL, SCHWARTZ, PRODUCTION, PERSONA, LANGUAGE,
)  # fmt: skip
"""What is asked about creatives."""

__all__ = [
    "ANGLE", "CTA", "CTA_FAMILY", "EMOTION", "FORMAT", "FUNNEL", "HOOK", "LANGUAGE", "OFFER", "OF_COPY", "OF_MEDIA",
    "PERSONA", "PRODUCTION", "SCHWARTZ", "TIER_ONE", "Entry", "Taxonomy", "versions",
]  # fmt: skip


def versions(taxonomies: tuple[Taxonomy, ...]) -> tuple[str, ...]:
    """Name and version of each, for fingerprints: ``taxonomy/hook/1``."""
    return tuple(f"taxonomy/{taxonomy.name}/{taxonomy.version}" for taxonomy in taxonomies)
