"""Which packs apply, by the settings."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence

from adology.errors import ConfigError
from adology_scores.catalogue import Kind
from adology_scores.pack_files import built_in, from_folder
from adology_scores.pack_model import Pack
from adology_scores.settings import ScoresSettings


def choose(settings: ScoresSettings, kinds: Collection[Kind], *, plugin: str = "scores") -> tuple[Pack, ...]:
    """The packs that the settings ask for and that are for one of `kinds`, in order of name.

    Raises:
        ConfigError: there is no such pack, two have one name, or a file of the folder is wrong.
    """
    section = f"analyzers.{plugin}"
    own = from_folder(settings.folder, f"{section}.folder") if settings.folder else ()
    packs = (*built_in(), *own)
    _check_names(packs, f"{section}.folder")
    chosen = [_find(name, packs, f"{section}.packs") for name in settings.packs] if settings.packs else newest(packs)
    distinct = {pack.name: pack for pack in chosen}
    return tuple(distinct[name] for name in sorted(distinct) if set(distinct[name].kinds) & set(kinds))


def newest(packs: Iterable[Pack]) -> list[Pack]:
    """Of each id the pack with the latest date."""
    latest: dict[str, Pack] = {}
    for pack in packs:
        if pack.id not in latest or pack.date > latest[pack.id].date:
            latest[pack.id] = pack
    return list(latest.values())


def _find(name: str, packs: Sequence[Pack], setting: str) -> Pack:
    found = newest(pack for pack in packs if name in (pack.id, pack.name))
    if found:
        return found[0]
    known = sorted({pack.id for pack in packs} | {pack.name for pack in packs})
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
    raise ConfigError(setting, f"there is no pack {name!r}", hint)


def _check_names(packs: Sequence[Pack], setting: str) -> None:
    seen: set[str] = set()
    for pack in packs:
        if pack.name in seen:
            raise ConfigError(setting, f"two packs are called {pack.name}", "Give one another id or date.")
        seen.add(pack.name)
