"""The whole of IAB's Ad Product Taxonomy 2.0, read from the file that IAB Tech Lab publishes.

The file (tab-separated) is not ours to ship in full, and has traps, all in the published copy: two
rows name themselves as parent, five name a wrong parent of the same branch, a root's name is spelt
otherwise than its tier, the last row is blank. The tiers are right throughout, so parents are taken
from them, never from the parent column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from adology import ConfigError, Struct
from adology_labels.taxonomies import TIER_ONE, Entry, Taxonomy

COLUMNS = ("Unique ID", "Parent ID", "Name", "Tier 1", "Tier 2", "Tier 3")
MOST_BYTES = 1_000_000
MOST_ROWS = 700
"""Ids that fit into one question: strict output takes 1000 in all."""
HINT = "Download 'Ad Product Taxonomy 2.0.tsv' from IAB Tech Lab's repository Taxonomies and leave it as it is."


class Table(Struct, frozen=True, kw_only=True):
    """The table: `taxonomy` holds every tier, `digest` is of the file's bytes, `notes` say what was mended."""

    taxonomy: Taxonomy
    digest: str
    notes: tuple[str, ...] = ()


class TableError(ValueError):
    """The file is not that table; says which line and what is there."""


@cache
def load(path: str, plugin: str) -> Table:
    """The table at a path, once per process: what counts for fingerprints is what is used.

    Raises:
        ConfigError: the file cannot be read or is something else.
    """
    setting = f"analyzers.{plugin}.iab_table"
    try:
        size = Path(path).stat().st_size
        if size > MOST_BYTES:
            raise ConfigError(setting, f"{path} has {size} bytes, the table has about 45,000", HINT)
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(setting, f"{path} cannot be read: {error.strerror}", HINT) from error
    try:
        return parse(data)
    except TableError as error:
        raise ConfigError(setting, f"{path} is not IAB's Ad Product Taxonomy 2.0: {error}", HINT) from error


def parse(data: bytes) -> Table:
    """The table in the bytes of the published file; BOM and either line end are taken.

    Raises:
        TableError: it is another file, or one that was changed.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"it is no UTF-8: {error.reason} at byte {error.start}") from None
    rows = list(_rows(text))
    if not rows:
        raise TableError("it has no rows")
    if len(rows) > MOST_ROWS:
        raise TableError(f"it has {len(rows)} rows, at most {MOST_ROWS} are taken")
    by_id: dict[str, tuple[int, tuple[str, ...]]] = {}
    by_path: dict[tuple[str, ...], str] = {}
    for line, number, _, _, path in rows:
        if number in by_id:
            raise TableError(f"line {line}: the id {number} stands in line {by_id[number][0]} already")
        if path in by_path:
            raise TableError(f"line {line}: {' > '.join(path)} is the id {by_path[path]} already")
        by_id[number], by_path[path] = (line, path), number
    notes: list[str] = []
    entries: list[Entry] = []
    for line, number, parent, name, path in rows:
        notes += _mended(line, number, parent, name, path, by_id)
        above = by_path.get(path[:-1], "")
        if len(path) > 1 and not above:
            raise TableError(f"line {line}: {' > '.join(path)} has no row for {' > '.join(path[:-1])}")
        entries.append(Entry(id=number, name=path[-1], about=" > ".join(path), parent=above))
    _check_roots(by_path)
    taxonomy = Taxonomy(
        name=TIER_ONE.name, version=TIER_ONE.version, question=TIER_ONE.question, entries=tuple(entries)
    )
    return Table(taxonomy=taxonomy, digest=hashlib.sha256(data).hexdigest(), notes=tuple(notes))


def _rows(text: str) -> Iterator[tuple[int, str, str, str, tuple[str, ...]]]:
    """Line number, id, parent, name and tiers of each row; blank rows are left out."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    header = tuple(cell.strip() for cell in lines[0].split("\t"))
    if header[: len(COLUMNS)] != COLUMNS:
        seen = ", ".join(cell for cell in header if cell)[:120]
        raise TableError(f"line 1: expected the columns {', '.join(COLUMNS)}; seen: {seen or 'nothing'}")
    for line, row in enumerate(lines[1:], 2):
        cells = [cell.strip() for cell in row.split("\t")]
        if not any(cells):
            continue
        cells += [""] * (len(COLUMNS) - len(cells))
        number, parent, name, *tiers = cells[: len(COLUMNS)]
        if not (number.isascii() and number.isdecimal()):
            raise TableError(f"line {line}: the id {number!r} is not a number (Content taxonomies have such ids)")
        path = tuple(tier for tier in tiers if tier)
        if not path or tiers[: len(path)] != list(path):
            raise TableError(f"line {line}: the tiers of {number} have a gap: {tiers}")
        yield line, number, parent, name, path


def _mended(
    line: int, number: str, parent: str, name: str, path: tuple[str, ...], by_id: dict[str, tuple[int, tuple[str, ...]]]
) -> Iterator[str]:
    """What the row says wrong, where that is known; anything else is an error."""
    if parent == number:
        yield f"line {line}: {number} names itself as its parent"
    elif parent and parent not in by_id:
        raise TableError(f"line {line}: {number} has the parent {parent}, which is no row")
    elif parent and by_id[parent][1][0] != path[0]:
        raise TableError(f"line {line}: {number} is {' > '.join(path)}, its parent {parent} of another branch")
    elif parent and by_id[parent][1] != path[:-1]:
        yield f"line {line}: {number} is {' > '.join(path)}, its parent {parent} another"
    if name.casefold() != path[-1].casefold():
        yield f"line {line}: {number} is named {name!r}, its tier {path[-1]!r}"


def _check_roots(by_path: dict[tuple[str, ...], str]) -> None:
    roots = {number: path[0] for path, number in by_path.items() if len(path) == 1}
    wanted = {entry.id: entry.name for entry in TIER_ONE.entries}
    for number, name in wanted.items():
        if roots.get(number) != name:
            raise TableError(f"tier one must have {number} {name!r}; seen: {roots.get(number)!r}")
    if roots.keys() - wanted.keys():
        raise TableError(
            f"tier one has ids that version 2.0 has not: {', '.join(sorted(roots.keys() - wanted.keys()))}"
        )
