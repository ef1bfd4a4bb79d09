"""Labels on their way: what a rule found, before the least confidence and the limits per taxonomy."""

from __future__ import annotations

from collections.abc import Iterable

from adology_labels.model import Label
from adology_labels.taxonomies import Taxonomy

CONFIDENCE_DIGITS = 2
MOST_EVIDENCE = 5


def chosen(found: Iterable[Label], taxonomies: Iterable[Taxonomy], least: float) -> tuple[Label, ...]:
    """Per taxonomy the surest labels, as many as it may have, none less sure than `least`.

    Ids of no taxonomy, and "none" beside another id, are left out.
    """
    by_taxonomy: dict[str, dict[str, Label]] = {}
    for label in found:
        kept = by_taxonomy.setdefault(label.taxonomy, {})
        before = kept.get(label.id)
        if label.confidence >= least and (before is None or before.confidence < label.confidence):
            kept[label.id] = label
    answer: list[Label] = []
    for taxonomy in taxonomies:
        known = set(taxonomy.ids)
        labels = [label for label in by_taxonomy.get(taxonomy.name, {}).values() if label.id in known]
        said = [label for label in labels if label.id != "none"]
        # Stable: of equals, the one that was found first.
        answer += sorted(said or labels, key=lambda label: -label.confidence)[: taxonomy.most]
    return tuple(answer)


def unanswered(labels: Iterable[Label], taxonomies: Iterable[Taxonomy]) -> tuple[str, ...]:
    """The taxonomies without a label, in order."""
    answered = {label.taxonomy for label in labels}
    return tuple(taxonomy.name for taxonomy in taxonomies if taxonomy.name not in answered)
