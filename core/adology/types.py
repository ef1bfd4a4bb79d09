"""What crosses the boundaries: brands, ads, media, pages. All frozen, all msgspec.

Wire rules: a new field has a default, types never change, unknown fields are accepted
(a newer peer may send them).
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec

C = TypeVar("C")

MediaKind = Literal["image", "video", "unknown"]
MediaRole = Literal["creative", "preview"]
MediaOutcome = Literal["media", "text_only", "removed", "unresolved", "unavailable"]
AdStatus = Literal["active", "stopped", "unknown"]


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of our wire structs: frozen, keyword-only, defaults left out on the wire."""


class Brand(Struct, frozen=True, kw_only=True):
    """An advertiser, shared by all customers.

    `id` is a slug of at most 100 characters. `handles` maps a source instance's name to what
    that source knows the brand by: Meta page ids, Google advertiser ids, domains, folders.
    """

    id: str
    name: str = ""
    handles: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    def handles_for(self, source: str) -> tuple[str, ...]:
        """The brand's handles in `source`; empty when the source does not know the brand."""
        return self.handles.get(source, ())


class Advertiser(Struct, frozen=True, kw_only=True):
    """Somebody whose ads a source shows, and who may be a brand that is looked for.

    `handle` is what the brand's handle in that source would be. `verified` is the vendor's word on who
    it is, None where it does not say. `ads` are those that were looked at, `domains` where they lead.
    `confidence` in [0, 1] puts candidates in order and is no probability; `why` says it in words.
    """

    handle: str
    name: str = ""
    link: str = ""
    verified: bool | None = None
    ads: int = 0
    domains: tuple[str, ...] = ()
    confidence: float = 0.0
    why: str = ""


class Media(Struct, frozen=True, kw_only=True):
    """One media file of an ad, by address. The same bytes may come under many addresses.

    `role` is "preview" for pictures that stand for a video and are not creatives themselves.
    `external_id` names media that cannot be fetched as a file (a YouTube id).
    """

    url: str
    kind: MediaKind = "unknown"
    role: MediaRole = "creative"
    position: int = 0
    width: int | None = None
    height: int | None = None
    external_id: str | None = None


class Spend(Struct, frozen=True, kw_only=True):
    """A range as the vendor gave it; `upper` is None in the open top bucket."""

    lower: float | None = None
    upper: float | None = None
    currency: str | None = None


class Ad(Struct, frozen=True, kw_only=True):
    """One advertisement as a source showed it. Only `id` is required.

    `id` is stable in its source. Dates are the vendor's, in UTC. `status` is "unknown" where
    the source does not say. `media_outcome` tells a text-only ad from one whose media was
    removed, could not be found by our parser ("unresolved") or cannot be fetched
    ("unavailable"). `raw` is the vendor's record, secrets removed. `owner_org_id` is set on
    ads of a customer's own database: nobody else may ever see them.
    """

    id: str
    advertiser: str = ""
    advertiser_id: str = ""
    bodies: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    cta: str = ""
    landing_url: str = ""
    link: str = ""
    format: str = ""
    platforms: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    status: AdStatus = "unknown"
    started_on: date | None = None
    stopped_on: date | None = None
    seen_at: datetime | None = None
    reach: int | None = None
    spend: Spend | None = None
    impressions: Spend | None = None
    media: tuple[Media, ...] = ()
    media_outcome: MediaOutcome | None = None
    owner_org_id: str | None = None
    raw: dict[str, Any] = msgspec.field(default_factory=dict)

    def outcome(self) -> MediaOutcome:
        """The stated media outcome, else what the media list itself says."""
        if self.media_outcome is not None:
            return self.media_outcome
        return "media" if self.media else "text_only"

    def copy_hash(self) -> str:
        """SHA-256 of what the ad says: equal copy is analysed once, whatever ad carries it."""
        copy = (self.bodies, self.titles, self.captions, self.descriptions, self.cta, self.landing_url)
        return hashlib.sha256(msgspec.msgpack.encode(copy)).hexdigest()


class Page(Struct, Generic[C], frozen=True, kw_only=True):
    """One page of a source's answer.

    `cursor` is where the *next gathering* may start (stored with the commit). `resume` is an
    opaque token with which *this gathering* can go on after a crash without asking the vendor
    for this page again; it comes back as `ctx.resume`. Leave it None where the vendor has no
    such thing: the gathering then starts over and the engine drops what it has seen.
    """

    ads: tuple[Ad, ...]
    cursor: C | None = None
    resume: str | None = None
