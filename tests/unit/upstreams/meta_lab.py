"""Asking Meta stand-ins questions in tests."""

from __future__ import annotations

from typing import Any

import aiohttp

from tests.unit.upstreams.meta_world import PAGE, Clock
from upstreams.meta import USER_TOKEN, MetaRules, MetaServer
from upstreams.world import World

BASE = {"ad_reached_countries": '["DE"]', "search_page_ids": f'["{PAGE}"]', "ad_active_status": "ALL"}


class Caller:
    """Asks one stand-in."""

    def __init__(self, server: MetaServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.status = 0
        self.headers: dict[str, str] = {}

    async def get(self, *, token: str = USER_TOKEN, **given: Any) -> dict[str, Any]:
        params = {name: str(value) for name, value in {**BASE, **given}.items() if value is not None}
        if token:
            params["access_token"] = token
        async with self.session.get(f"{self.server.origin}/v26.0/ads_archive", params=params) as answer:
            self.status, self.headers = answer.status, dict(answer.headers)
            decoded: dict[str, Any] = await answer.json()
            return decoded

    async def ids(self, **given: Any) -> set[str]:
        """The ids of the one page that holds everything."""
        body = await self.get(**{"limit": 500, **given})
        return {row["id"] for row in body["data"]}

    async def error(self, **given: Any) -> dict[str, Any]:
        found: dict[str, Any] = (await self.get(**given))["error"]
        return found

    async def code(self, **given: Any) -> tuple[int, int | None]:
        error = await self.error(**given)
        return error["code"], error.get("error_subcode")

    async def walk(self, **given: Any) -> list[list[str]]:
        """The ids of every page up to the end, in whichever form it comes."""
        pages, after = [], None
        for _ in range(100):
            body = await self.get(after=after, **given)
            pages.append([row["id"] for row in body["data"]])
            if not body["data"] or "next" not in body.get("paging", {}):
                return pages
            after = body["paging"]["cursors"]["after"]
        raise AssertionError("the walk does not end")


class Lab:
    """Starts stand-ins with a world and rules, and stops them."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self.clock = Clock()
        self.servers: list[MetaServer] = []

    async def serve(self, world: World, **rules: Any) -> Caller:
        server = MetaServer(
            world, lambda file: f"http://cdn.test/m/{file}?sig=1", rules=MetaRules(**rules), clock=self.clock
        )
        await server.start()
        self.servers.append(server)
        return Caller(server, self.session)
