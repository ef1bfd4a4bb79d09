"""Which queries a gathering consists of, how far it is, and how a query is cut in two.

The library breaks when one query is paged deep, so a gathering is a list of slices (page ids,
countries, delivery dates). `Progress` is immutable and travels as the page's resume token.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec

PAGE_IDS_PER_CALL = 10
MAX_RESTARTS = 3
"""Per query: cursors that expire faster than we may turn pages would go on for ever."""


def is_page_id(handle: str) -> bool:
    """Whether it has the form of a page's id: digits alone."""
    return handle.isascii() and handle.isdigit()


class Slice(msgspec.Struct, frozen=True, array_like=True):
    """One query: up to ten page ids, countries, and an inclusive range of delivery dates."""

    pages: tuple[str, ...]
    countries: tuple[str, ...]
    first: date
    last: date

    def halves(self) -> tuple[Slice, Slice] | None:
        """The same ads in two queries, by page ids, else countries, else dates; None if indivisible.

        Page ids part the ads cleanly. An ad that reached both halves' countries or delivered in
        both halves' days comes back in both (the engine keeps the first): most ads reach few
        countries, while ads that run for long would be in every half of the year.
        """
        for field in ("pages", "countries"):
            values: tuple[str, ...] = getattr(self, field)
            if len(values) > 1:
                cut = len(values) // 2
                parts: list[dict[str, Any]] = [{field: values[:cut]}, {field: values[cut:]}]
                return msgspec.structs.replace(self, **parts[0]), msgspec.structs.replace(self, **parts[1])
        days = (self.last - self.first).days
        if days <= 0:
            return None
        middle = self.first + timedelta(days=days // 2)
        return (
            msgspec.structs.replace(self, last=middle),
            msgspec.structs.replace(self, first=middle + timedelta(days=1)),
        )

    def __str__(self) -> str:
        return f"pages {','.join(self.pages)}, {self.first} to {self.last}, {len(self.countries)} countries"


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is left to do. `began` is the day the gathering started: the next one's cursor.

    `given` are ads of the page at `after` that were already handed over, because the site of the
    snapshots blocked us in the middle of it. `limit` (when lowered) and `light` (heavy fields left
    out) are what the vendor could take of late: a resumed gathering need not find out again.
    """

    began: date
    todo: tuple[Slice, ...]
    after: str | None = None
    rows: int = 0
    calls: int = 0
    restarts: int = 0
    given: tuple[str, ...] = ()
    limit: int | None = None
    light: bool = False
    failed: tuple[str, ...] = ()

    @property
    def slice(self) -> Slice:
        """The query in work."""
        return self.todo[0]

    @property
    def is_done(self) -> bool:
        """Whether no query is left."""
        return not self.todo

    def turn_page(self, after: str, rows: int) -> Progress:
        """After a page of `rows` ads that has a successor."""
        return msgspec.structs.replace(self, after=after, rows=self.rows + rows, given=())

    def give_part(self, ad_ids: tuple[str, ...]) -> Progress:
        """After some ads of the page at `after`, which must be read again for the others."""
        return msgspec.structs.replace(self, given=(*self.given, *ad_ids))

    def finish_slice(self) -> Progress:
        """The query in work gave all it has."""
        return self._next(self.todo[1:])

    def restart_slice(self) -> Progress | None:
        """The cursor of the query in work has expired: begin it again; None after `MAX_RESTARTS`."""
        if self.restarts >= MAX_RESTARTS:
            return None
        return msgspec.structs.replace(self, after=None, rows=0, restarts=self.restarts + 1, given=())

    def split_slice(self) -> Progress | None:
        """The query in work cut in two, both begun afresh; None if it is indivisible."""
        halves = self.slice.halves()
        return self._next((*halves, *self.todo[1:])) if halves else None

    def fail_slice(self, reason: str) -> Progress:
        """Give the query in work up; the gathering goes on and ends as partial."""
        return msgspec.structs.replace(self.finish_slice(), failed=(*self.failed, reason))

    def _next(self, todo: tuple[Slice, ...]) -> Progress:
        return msgspec.structs.replace(self, todo=todo, after=None, rows=0, restarts=0, given=())

    def encode(self) -> str:
        """The resume token."""
        return msgspec.json.encode(self).decode()


_decode = msgspec.json.Decoder(Progress).decode


def plan(
    pages: tuple[str, ...], countries: tuple[str, ...], first: date, last: date, failed: tuple[str, ...] = ()
) -> Progress:
    """The gathering of `pages` (Meta page ids) over inclusive delivery dates."""
    first = min(first, last)
    slices = (
        Slice(pages[i : i + PAGE_IDS_PER_CALL], countries, first, last) for i in range(0, len(pages), PAGE_IDS_PER_CALL)
    )
    return Progress(began=last, todo=tuple(slices), failed=failed)


def find_progress(token: str | None) -> Progress | None:
    """The progress in a resume token; None without one, or for one of another version."""
    if not token:
        return None
    try:
        return _decode(token)
    except msgspec.DecodeError:
        return None
