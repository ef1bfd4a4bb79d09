"""What a taxonomy is: a name, a version, and ids that mean something in words."""

from __future__ import annotations

from adology import Struct


class Entry(Struct, frozen=True, kw_only=True):
    """One id that may be answered. `about` says in words when it is right; parts between semicolons."""

    id: str
    name: str
    about: str
    parent: str = ""


class Taxonomy(Struct, frozen=True, kw_only=True):
    """Ids of one question, of which at most `most` are answered about one subject."""

    name: str
    version: str
    question: str
    entries: tuple[Entry, ...]
    most: int = 1

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, in order."""
        return tuple(entry.id for entry in self.entries)

    def name_of(self, entry_id: str) -> str:
        """What an id is called; empty where that is the id itself."""
        return next((entry.name for entry in self.entries if entry.id == entry_id != entry.name), "")


def entries_of(table: str) -> tuple[Entry, ...]:
    """Entries from lines such as ``percent_off: a percentage off``; their names are their ids."""
    found = []
    for line in table.strip().splitlines():
        name, _, about = line.strip().partition(": ")
        found.append(Entry(id=name, name=name, about=about))
    return tuple(found)
