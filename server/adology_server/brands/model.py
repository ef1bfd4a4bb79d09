"""What requests and answers about brands look like."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from adology_server.people.model import Answer, Body, Name

Source = Annotated[str, Meta(min_length=1, max_length=100)]
Handle = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]+$")]
Handles = Annotated[
    dict[Source, Annotated[tuple[Handle, ...], Meta(max_length=50)]],
    Meta(max_length=20, description="Source → what it knows the brand by: page ids, advertiser ids, domains."),
]
Every = Annotated[int, Meta(ge=3600, le=366 * 86400, description="Seconds between refreshes.")]


class NewBrand(Body, frozen=True, kw_only=True):
    """A brand; its id is made from its name."""

    name: Name
    handles: Handles = field(default_factory=dict)
    refresh_every_s: Every | None = None


class BrandChange(Body, frozen=True, kw_only=True):
    """Handles of the named sources are replaced, none of a source removes it; no schedule: null."""

    handles: Handles | UnsetType = UNSET
    refresh_every_s: Every | UnsetType | None = UNSET


class Brand(Answer, frozen=True, kw_only=True):
    """A brand of the catalogue. `version` counts what people change of it."""

    id: str
    name: str
    handles: dict[str, tuple[str, ...]]
    refresh_every_s: int | None
    next_refresh_at: datetime | None
    created_at: datetime
    version: int


class Look(Answer, frozen=True, kw_only=True):
    """A source as it was looked at last: how that ended, when it was last read to its end.

    `whole_at` is when it last showed all that runs, so that ads that were absent have stopped.
    """

    source: str
    outcome: str
    tried_at: datetime
    read_at: datetime | None
    whole_at: datetime | None


class BrandDetail(Brand, frozen=True, kw_only=True):
    """A brand, its ads that the caller may see, and how its sources were looked at."""

    ads: int
    last_committed_at: datetime | None
    sources: tuple[Look, ...]
