"""What a customer sees: a brandspace, its feed, look-alikes and a refresh, all through the server's API."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from adology.settings import AdologySettings, resolve_secret
from adology_server.owning import FoundError
from adology_server.people.founding import Founding
from clients.adology_client import OVER, Adology

EMAIL = "ann@customer.example"
FOLLOWED = "Lumen Outdoor"
"""A brand that nobody has gathered yet: customers add brands themselves."""
PAGE = 6
LONGEST_S = 120.0
_POLL_S = 0.25


class Seen(msgspec.Struct, kw_only=True):
    """What the API said. `progress` are the messages that came over the WebSocket, in order."""

    origin: str
    brandspace: dict[str, Any]
    statistics: dict[str, Any]
    feed: list[dict[str, Any]]
    example: dict[str, Any] | None = None
    similar: list[dict[str, Any]] = msgspec.field(default_factory=list)
    progress: list[dict[str, Any]] = msgspec.field(default_factory=list)


def keep_password(path: Path) -> str:
    """The password in the file; a new one the first time."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(18), "utf-8")
    return path.read_text("utf-8")


async def look(settings: AdologySettings, brands: Sequence[str], org_id: str, password: str) -> Seen:
    """Everything, as the first user of the organisation, who is made if need be."""
    origin = settings.server.public_url
    await _become_customer(settings, org_id, password)
    async with Adology(origin) as adology, asyncio.timeout(LONGEST_S):
        await adology.log_in(EMAIL, password)
        space = await _brandspace(adology, brands)
        await _wait_until_listed(adology)
        seen = Seen(
            origin=origin,
            brandspace=space,
            statistics=await adology.get("/v1/statistics"),
            feed=(await adology.get("/v1/ads", sort="newest", collapse=True, limit=PAGE))["items"],
        )
        await _add_similar(adology, seen)
        seen.progress = [message async for message in _refresh(adology, brands[0])]
    return seen


async def _become_customer(settings: AdologySettings, org_id: str, password: str) -> None:
    founding = Founding(resolve_secret(settings.postgres.url, setting="postgres.url"))
    with contextlib.suppress(FoundError):  # of an earlier run
        founding.make_org("Demo customer", org_id)
    with contextlib.suppress(FoundError):
        await founding.make_user(org_id, EMAIL, "owner", "Ann", password)


async def _brandspace(adology: Adology, brands: Sequence[str]) -> dict[str, Any]:
    """One primary brand, its competitors, and one that is followed."""
    async for space in adology.pages("/v1/brandspaces"):
        found: dict[str, Any] = space
        return found
    followed = await adology.post("/v1/brands", {"name": FOLLOWED})
    first, *others = brands
    body = {"name": "Our market", "primary": first, "competitors": others, "followed": [followed["id"]]}
    made: dict[str, Any] = await adology.post("/v1/brandspaces", body)
    return made


async def _wait_until_listed(adology: Adology) -> None:
    """The feed follows commits within a second or two."""
    counted = -1
    while True:
        total = (await adology.get("/v1/statistics"))["ads"]
        if total and total == counted:
            return
        counted = total
        await asyncio.sleep(4 * _POLL_S)


async def _add_similar(adology: Adology, seen: Seen) -> None:
    for ad in seen.feed:
        found = await adology.get(f"/v1/ads/{ad['id']}/similar", limit=3, everywhere=True)
        if found["items"]:
            seen.example, seen.similar = ad, found["items"]
            return


async def _refresh(adology: Adology, brand: str) -> AsyncIterator[dict[str, Any]]:
    """Ask for a refresh and hear how it goes."""
    async with contextlib.aclosing(adology.events()) as events:
        await anext(events)  # the connection stands
        task = await adology.post(f"/v1/brands/{brand}/refresh")
        async for event in events:
            if event.get("request_id") == task["request_id"]:
                yield event
                if event["status"] in OVER:
                    return
