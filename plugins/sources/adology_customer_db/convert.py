"""A row becomes an ad: columns by the mapping, the whole row into its raw record."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from adology import Ad, Media, Spend, values
from adology.types import AdStatus, MediaKind, MediaRole
from adology_customer_db.settings import Columns, CustomerDbSettings

Row = Mapping[str, Any]

MAX_ID = 200
"""Longer ids are replaced by their hash."""


class Converter:
    """Turns rows into ads and counts what was odd about them."""

    def __init__(self, settings: CustomerDbSettings, columns: Columns, *, today: date) -> None:
        self._settings = settings
        self._columns = columns
        self._today = today
        self.without_id = 0
        self.unfetchable = 0

    def ad(self, row: Row) -> Ad:
        """The ad of a row. One without an id gets the hash of its row, which is as stable as the row."""
        columns = self._columns
        raw = {name: values.plain(value) for name, value in row.items()}
        media, outside = self._media(row)
        self.unfetchable += len(outside)
        started, stopped = (values.day(_get(row, name)) for name in (columns.started_on, columns.stopped_on))
        return Ad(
            id=self._id(row, raw),
            advertiser=values.text(_get(row, columns.advertiser)),
            advertiser_id=values.text(_get(row, columns.advertiser_id)),
            bodies=_copy(row, columns.bodies),
            titles=_copy(row, columns.titles),
            captions=_copy(row, columns.captions),
            descriptions=_copy(row, columns.descriptions),
            cta=values.text(_get(row, columns.cta)),
            landing_url=values.text(_get(row, columns.landing_url)),
            link=values.text(_get(row, columns.link)),
            format=values.text(_get(row, columns.format)),
            platforms=self._list(row, columns.platforms),
            languages=self._list(row, columns.languages),
            countries=self._list(row, columns.countries),
            status=self._status(row, stopped),
            started_on=started,
            stopped_on=stopped,
            seen_at=values.moment(_get(row, columns.seen_at)),
            reach=_whole(_get(row, columns.reach)),
            impressions=_exactly(_get(row, columns.impressions)),
            spend=_exactly(_get(row, columns.spend), values.text(_get(row, columns.currency)) or None),
            media=media,
            # Files that exist but that we cannot reach: not a text-only ad.
            media_outcome="unavailable" if outside and not media else None,
            owner_org_id=self._settings.owner_org_id,
            raw=raw,
        )

    def _id(self, row: Row, raw: dict[str, Any]) -> str:
        if self._columns.id:
            found = values.text(_get(row, self._columns.id))
            if found:
                return found if len(found) <= MAX_ID else f"id-{_digest(found)}"
            self.without_id += 1
        # The cursor column moves whenever the row is touched; it must not make a new ad of it.
        named = {name: value for name, value in raw.items() if name != self._settings.cursor_column}
        return f"row-{_digest(named)}"

    def _media(self, row: Row) -> tuple[tuple[Media, ...], list[str]]:
        """The row's media in column order, and the addresses that cannot be fetched."""
        found: dict[str, Media] = {}
        outside: list[str] = []
        for columns, kind, role in self._media_columns():
            for name in columns:
                for address in self._addresses(row, name):
                    if not _is_fetchable(address):
                        outside.append(address)
                    elif address not in found:
                        found[address] = Media(url=address, kind=kind, role=role, position=len(found))
        return tuple(found.values()), outside

    def _media_columns(self) -> Iterator[tuple[tuple[str, ...], MediaKind, MediaRole]]:
        yield self._columns.images, "image", "creative"
        yield self._columns.videos, "video", "creative"
        yield self._columns.media, "unknown", "creative"
        yield self._columns.previews, "image", "preview"

    def _addresses(self, row: Row, column: str) -> Iterator[str]:
        value = _get(row, column)
        if isinstance(value, str) and "://" in value and not value.lstrip().startswith("["):
            # A URL may hold the separator itself: only what begins a new one counts.
            value = re.split(rf"(?:{re.escape(self._settings.list_separator)}|\s)+(?=[a-z][\w+.-]*://)", value)
        base = self._settings.media_base_url
        for entry in values.texts(value, self._settings.list_separator):
            try:
                yield urljoin(base, entry) if base else entry
            except ValueError:  # "https://[CDN]/a.jpg": a template that nobody filled in
                yield entry

    def _list(self, row: Row, column: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(values.texts(_get(row, column), self._settings.list_separator)))

    def _status(self, row: Row, stopped: date | None) -> AdStatus:
        if self._columns.status or not self._columns.stopped_on:
            return values.status(_get(row, self._columns.status))
        return "stopped" if stopped is not None and stopped < self._today else "active"


def merge(ad: Ad, more: Ad) -> Ad:
    """Two rows of one ad (a join with its media, say) as one ad; the first row's words stand."""
    media = {item.url: item for item in (*ad.media, *more.media)}
    numbered = tuple(msgspec.structs.replace(item, position=at) for at, item in enumerate(media.values()))
    rows = ad.raw.get("more_rows", [])
    return msgspec.structs.replace(
        ad,
        bodies=tuple(dict.fromkeys((*ad.bodies, *more.bodies))),
        titles=tuple(dict.fromkeys((*ad.titles, *more.titles))),
        captions=tuple(dict.fromkeys((*ad.captions, *more.captions))),
        descriptions=tuple(dict.fromkeys((*ad.descriptions, *more.descriptions))),
        media=numbered,
        media_outcome=None if numbered else ad.media_outcome or more.media_outcome,
        raw={**ad.raw, "more_rows": [*rows, more.raw]},
    )


def _is_fetchable(address: str) -> bool:
    try:
        return urlsplit(address).scheme in {"http", "https"}
    except ValueError:
        return False


def _get(row: Row, column: str) -> Any:
    return row.get(column) if column else None


def _copy(row: Row, columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found for name in columns for found in values.texts(_get(row, name))))


def _whole(value: Any) -> int | None:
    found = values.number(value)
    return None if found is None else round(found)


def _exactly(value: Any, currency: str | None = None) -> Spend | None:
    found = values.number(value)
    return None if found is None else Spend(lower=found, upper=found, currency=currency)


def _digest(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:32]
