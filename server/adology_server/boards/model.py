"""What requests and answers about boards, notes and tags look like."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from adology_server.people.model import Answer, Body, Name

About = Annotated[str, Meta(max_length=2000)]
Text = Annotated[str, Meta(min_length=1, max_length=10_000)]


class NewBoard(Body, frozen=True, kw_only=True):
    """A board to put ads on."""

    name: Name
    about: About = ""


class BoardChange(Body, frozen=True, kw_only=True):
    """What may be changed of a board; absent fields stay."""

    name: Name | None = None
    about: About | None = None


class Board(Answer, frozen=True, kw_only=True):
    """A board. `ads` counts those that can still be seen."""

    id: UUID
    name: str
    about: str
    ads: int
    version: int
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


class Pinned(Answer, frozen=True, kw_only=True):
    """An ad on a board."""

    ad_id: int
    source: str
    source_ad_id: str
    advertiser: str
    title: str
    added_by: UUID | None
    added_at: datetime
    number: int


class NewNote(Body, frozen=True, kw_only=True):
    """What is to be said about an ad."""

    text: Text


class Note(Answer, frozen=True, kw_only=True):
    """What somebody said about an ad."""

    id: UUID
    ad_id: int
    text: str
    version: int
    created_by: UUID
    created_at: datetime
    updated_at: datetime


class Tag(Answer, frozen=True, kw_only=True):
    """A tag of the organisation, and how many ads have it."""

    tag: str
    ads: int
