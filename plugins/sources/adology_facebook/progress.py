"""Which queries a gathering consists of, how far it is, and how a query is cut in two.

The library breaks when one query is paged deep, so a gathering is a list of slices (page ids ×
countries × delivery dates). `Progress` is immutable and travels as the page's resume token.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec

PAGE_IDS_PER_CALL = 10


class Slice(msgspec.Struct, frozen=True, array_like=True):
    """One query: up to ten page ids, countries, and an inclusive range of delivery dates."""

    pages: tuple[str, ...]
    countries: tuple[str, ...]
    first: date
    last: date

    def halves(self) -> tuple[Slice, Slice] | None:
        """The same ads in two queries, by dates, else page ids, else countries; None if indivisible.

        An ad that delivered in both halves comes back in both: the engine keeps the first.
        """
        days = (self.last - self.first).days
        if days > 0:
            middle = self.first + timedelta(days=days // 2)
            return (
                msgspec.structs.replace(self, last=middle),
                msgspec.structs.replace(self, first=middle + timedelta(days=1)),
            )
        for field in ("pages", "countries"):
            values: tuple[str, ...] = getattr(self, field)
            if len(values) > 1:
                cut = len(values) // 2
                parts: list[dict[str, Any]] = [{field: values[:cut]}, {field: values[cut:]}]
                return msgspec.structs.replace(self, **parts[0]), msgspec.structs.replace(self, **parts[1])
        return None

    def __str__(self) -> str:
        return f"pages {','.join(self.pages)}, {self.first} to {self.last}, {len(self.countries)} countries"


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is left to do. `began` is the day the gathering started: the next one's cursor."""

    began: date
    todo: tuple[Slice, ...]
    after: str | None = None
    rows: int = 0
    calls: int = 0
    restarted: bool = False
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
        return msgspec.structs.replace(self, after=after, rows=self.rows + rows, restarted=False)

    def finish_slice(self) -> Progress:
        """The query in work gave all it has."""
        return self._next(self.todo[1:])

    def restart_slice(self) -> Progress:
        """The cursor of the query in work has expired: begin it again, once."""
        return msgspec.structs.replace(self, after=None, rows=0, restarted=True)

    def split_slice(self) -> Progress | None:
        """The query in work cut in two, both begun afresh; None if it is indivisible."""
        halves = self.slice.halves()
        return self._next((*halves, *self.todo[1:])) if halves else None

    def fail_slice(self, reason: str) -> Progress:
        """Give the query in work up; the gathering goes on and ends as partial."""
        return msgspec.structs.replace(self.finish_slice(), failed=(*self.failed, reason))

    def _next(self, todo: tuple[Slice, ...]) -> Progress:
        return msgspec.structs.replace(self, todo=todo, after=None, rows=0, restarted=False)

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
