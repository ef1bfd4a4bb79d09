"""Which queries a gathering consists of and how far it is: the page's resume token.

A gathering is a list of slices (advertisers or a domain, by region and platform), each paged by
opaque tokens. Rows whose details are still to be bought travel in the progress, so that a crash
repeats neither their list search nor anybody else's details.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import product
from typing import Any

import msgspec

_ADVERTISER = re.compile(r"AR\d{10,25}")
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}")


class Slice(msgspec.Struct, frozen=True, array_like=True):
    """One query: advertiser ids or a domain, in one region and on one platform (None: all)."""

    advertisers: tuple[str, ...]
    domain: str
    region: int | None
    platform: str | None
    first: date | None
    last: date

    def singles(self) -> tuple[Slice, ...]:
        """The same query, one advertiser at a time; none when it is single already."""
        if len(self.advertisers) < 2:  # noqa: PLR2004 - one is single
            return ()
        return tuple(msgspec.structs.replace(self, advertisers=(one,)) for one in self.advertisers)

    def __str__(self) -> str:
        return f"{self.domain or ','.join(self.advertisers)}, region {self.region or 'anywhere'}" + (
            f", {self.platform}" if self.platform else ""
        )


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is left to do. `began` is the day the gathering started: the next one's cursor.

    `token` is the next page of the first slice in `todo`. `pending` are rows that wait for
    details, found by `pending_slice`; `detailed` the ads whose details were bought already.
    """

    began: date
    todo: tuple[Slice, ...]
    token: str | None = None
    pending: tuple[dict[str, Any], ...] = ()
    pending_slice: Slice | None = None
    detailed: frozenset[str] = frozenset()
    pages: int = 0
    searches: int = 0
    restarted: bool = False
    failed: tuple[str, ...] = ()

    @property
    def slice(self) -> Slice:
        """The query in work."""
        return self.todo[0]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to ask."""
        return not self.todo and not self.pending

    def take_page(self, token: str | None, pending: tuple[dict[str, Any], ...]) -> Progress:
        """After a list answer: its successor's token, and its rows that need details."""
        moved = msgspec.structs.replace(self, token=token) if token else self.finish_slice()
        return msgspec.structs.replace(
            moved,
            pending=pending,
            pending_slice=self.slice if pending else None,
            pages=self.pages + 1,
            searches=self.searches + 1,
        )

    def settle(self, settled: frozenset[str], searches: int) -> Progress:
        """After details: `settled` ads wait no longer, `searches` were made for them."""
        pending = tuple(row for row in self.pending if row["ad_creative_id"] not in settled)
        return msgspec.structs.replace(
            self,
            pending=pending,
            pending_slice=self.pending_slice if pending else None,
            detailed=self.detailed | settled,
            searches=self.searches + searches,
        )

    def finish_slice(self) -> Progress:
        """The query in work gave all it has."""
        return self._next(self.todo[1:])

    def restart_slice(self) -> Progress:
        """The page token of the query in work has expired: begin it again, once. Its pages are paid again."""
        return msgspec.structs.replace(self, token=None, restarted=True)

    def split_slice(self) -> Progress | None:
        """The query in work, one advertiser at a time; None when it is about one already."""
        singles = self.slice.singles()
        return self._next((*singles, *self.todo[1:])) if singles else None

    def fail_slice(self, reason: str) -> Progress:
        """Give the query in work up; the gathering goes on and ends as partial."""
        return msgspec.structs.replace(self.finish_slice(), failed=(*self.failed, reason))

    def stop(self, reason: str) -> Progress:
        """Ask for no more lists. Pending rows stay to be dealt with."""
        return msgspec.structs.replace(self._next(()), failed=(*self.failed, reason))

    def note_search(self) -> Progress:
        """After a list search that brought no page."""
        return msgspec.structs.replace(self, searches=self.searches + 1)

    def _next(self, todo: tuple[Slice, ...]) -> Progress:
        return msgspec.structs.replace(self, todo=todo, token=None, restarted=False)

    def encode(self) -> str:
        """The resume token."""
        return msgspec.json.encode(self).decode()


class Handles(msgspec.Struct, frozen=True):
    """A brand's handles told apart: advertiser ids, domains, and what is neither."""

    advertisers: tuple[str, ...]
    domains: tuple[str, ...]
    wrong: tuple[str, ...]


def read_handles(handles: tuple[str, ...]) -> Handles:
    """The handles by kind, each once. Domains may come as they are copied: with scheme, www or path."""
    advertisers, domains, wrong = [], [], []
    for handle in handles:
        text = handle.strip()
        host = text.lower().partition("://")[2] or text.lower()
        host = host.partition("/")[0].removeprefix("www.")
        if _ADVERTISER.fullmatch(text.upper()):
            advertisers.append(text.upper())
        elif _DOMAIN.fullmatch(host):
            domains.append(host)
        else:
            wrong.append(handle)
    return Handles(tuple(dict.fromkeys(advertisers)), tuple(dict.fromkeys(domains)), tuple(wrong))


def plan(
    handles: Handles,
    *,
    group: int,
    regions: tuple[int, ...],
    platforms: tuple[str, ...],
    first: date | None,
    last: date,
    failed: tuple[str, ...] = (),
) -> Progress:
    """The gathering of `handles`, up to `group` advertisers per query; `first` None for all time."""
    ids = handles.advertisers
    subjects: list[tuple[tuple[str, ...], str]] = [(ids[i : i + group], "") for i in range(0, len(ids), group)]
    subjects += [((), domain) for domain in handles.domains]
    axes = product(subjects, regions or (None,), platforms or (None,))
    todo = tuple(
        Slice(advertisers, domain, region, platform, first, last) for (advertisers, domain), region, platform in axes
    )
    return Progress(began=last, todo=todo, failed=failed)


_decode = msgspec.json.Decoder(Progress).decode


def find_progress(token: str | None) -> Progress | None:
    """The progress in a resume token; None without one, or for one of another version."""
    if not token:
        return None
    try:
        return _decode(token)
    except msgspec.DecodeError:
        return None
