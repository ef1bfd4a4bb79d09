"""The stand-in world: brands, their ads and the creatives that the stand-in vendors serve.

A world is a folder: ``world.json``, ``media/`` and what else its generator wrote. Every stand-in
reads the same world, so that the same creative shows up at Meta, Google and in a customer's
database under different addresses, as it does outside.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

WORLD_FILE = "world.json"
MEDIA_FOLDER = "media"

CreativeKind = Literal["image", "video"]
Network = Literal["meta", "google", "customer"]
AdFormat = Literal["image", "video", "carousel", "text"]


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the world's structs: frozen and keyword-only."""


class Creative(Struct, frozen=True, kw_only=True):
    """One media file. `file` is relative to the world's media folder.

    `same_as` names the creative that this one repeats: with equal `sha256` byte for byte, else
    as a re-encoded or resized variant.
    """

    id: str
    file: str
    kind: CreativeKind
    content_type: str
    width: int
    height: int
    duration_s: float | None = None
    sha256: str
    headline: str
    price: str
    language: str
    same_as: str | None = None


class WorldAd(Struct, frozen=True, kw_only=True):
    """One ad as it runs on one network. `creatives` are ids, in the order of the ad's cards."""

    id: str
    network: Network
    format: AdFormat
    bodies: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    cta: str = ""
    landing_url: str = ""
    platforms: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    started_on: date
    stopped_on: date | None = None
    creatives: tuple[str, ...] = ()
    removed: bool = False
    youtube_id: str | None = None
    reach: int | None = None


class WorldBrand(Struct, frozen=True, kw_only=True):
    """One advertiser with its handle on each network."""

    id: str
    name: str
    meta_page_id: str
    google_advertiser_id: str
    domain: str
    ads: tuple[WorldAd, ...] = ()


class World(Struct, frozen=True, kw_only=True):
    """Everything there is. `made_on` is the day that the dates of the ads lead up to."""

    seed: int
    made_on: date
    brands: tuple[WorldBrand, ...] = ()
    creatives: tuple[Creative, ...] = ()


_decoder = msgspec.json.Decoder(World)


def load_world(folder: Path) -> World:
    """The world that `write_world` or the generator left in `folder`."""
    return _decoder.decode((folder / WORLD_FILE).read_bytes())


def write_world(folder: Path, world: World) -> None:
    """Write `world.json` in one step: a stand-in that starts meanwhile reads the old one or the new one."""
    (folder / MEDIA_FOLDER).mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(world), indent=1)
    half = folder / f".{WORLD_FILE}.{os.getpid()}"
    half.write_bytes(text)
    half.replace(folder / WORLD_FILE)
