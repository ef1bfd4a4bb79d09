"""What requests and answers about similarity look like."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from adology_server.people.model import Answer, Body

How = Literal["looks", "says"]
MOST = 100
"""Neighbours of one answer."""


class TextSearch(Body, frozen=True, kw_only=True):
    """Words to look for; ads that say such things, and pictures where a space knows both."""

    text: Annotated[str, Meta(min_length=1, max_length=2000)]
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 20
    everywhere: bool = False


class SimilarAd(Answer, frozen=True, kw_only=True):
    """An ad that shows the creative or has the copy."""

    ad_id: int
    brand: str
    source: str
    source_ad_id: str
    advertiser: str
    title: str
    last_seen_at: datetime


class Neighbour(Answer, frozen=True, kw_only=True):
    """A creative or a copy. `similarity` is the cosine in its space, in [-1, 1].

    `subject` is the SHA-256 of the creative, or the hash of the copy; `ads` the newest that have it,
    at most 5 of `ads_in_all`.
    """

    how: How
    similarity: float
    space: str
    subject: str
    ads: tuple[SimilarAd, ...]
    ads_in_all: int


class Neighbours(Answer, frozen=True, kw_only=True):
    """The nearest first. `spaces` were asked; empty where nothing was embedded in a space that is indexed."""

    items: tuple[Neighbour, ...]
    spaces: tuple[str, ...]
