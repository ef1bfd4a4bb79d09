"""A small client of the Adology server. It needs aiohttp and nothing else of Adology.

::

    async with Adology("http://127.0.0.1:8000") as adology:
        await adology.log_in("ann@acme.example", "…")
        async for ad in adology.pages("/v1/ads", sort="newest"):
            print(ad["title"])
        task = await adology.post("/v1/brands/nike/refresh")
        async for event in adology.events():
            print(event)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp

LONGEST_PAUSE_S = 30.0
HEARTBEAT_S = 20.0
UNAUTHORIZED, TOO_MANY, UNAVAILABLE = 401, 429, 503
TRIES = 4
OVER = frozenset({"completed", "failed", "cancelled", "expired"})


class ProblemError(Exception):
    """The server refused. `kind` is the last part of the problem's type, such as ``not-found``."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status}: {problem.get('detail', 'no detail')}")
        self.status = status
        self.kind = str(problem.get("type", "")).rpartition(":")[2]
        self.problem = problem


class Adology:
    """Somebody who talks to the server: with a key, or logged in."""

    def __init__(self, origin: str, key: str = "") -> None:
        self.origin = origin.rstrip("/")
        self._token = key
        self._refresh_token = ""
        self._refreshing = asyncio.Lock()
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def log_in(self, email: str, password: str) -> None:
        """Begin a session; its tokens are renewed by themselves."""
        self._take(await self._once("POST", "/v1/auth/login", {"email": email, "password": password}, {}, token=""))

    async def get(self, path: str, **query: Any) -> Any:
        """What is there."""
        return await self.ask("GET", path, **query)

    async def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """Make something."""
        return await self.ask("POST", path, body, **query)

    async def put(self, path: str, body: Any = None) -> Any:
        """Set something."""
        return await self.ask("PUT", path, body)

    async def pages(self, path: str, **query: Any) -> AsyncIterator[Any]:
        """All rows of a list, page by page."""
        after: str | None = None
        while True:
            page = await self.get(path, **query, after=after)
            for row in page["items"]:
                yield row
            after = page["next"]
            if after is None:
                return

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """One request; a token that ran out is renewed, a pause that the server asks for is made.

        Raises:
            ProblemError: the server refuses.
        """
        for attempt in range(TRIES):
            token = self._token
            try:
                return await self._once(method, path, body, query, token=token)
            except ProblemError as problem:
                if attempt + 1 == TRIES:
                    raise
                if problem.status == UNAUTHORIZED and self._refresh_token:
                    await self._renew(token)
                elif problem.status in (TOO_MANY, UNAVAILABLE) and problem.problem.get("retry_after"):
                    await asyncio.sleep(min(LONGEST_PAUSE_S, float(problem.problem["retry_after"])))
                else:
                    raise
        raise AssertionError

    async def finish(self, request_id: str) -> dict[str, Any]:
        """The task once it is over, by asking; `events` tells it sooner."""
        pause = 0.2
        while True:
            task: dict[str, Any] = await self.get(f"/v1/tasks/{request_id}")
            if task["status"] in OVER:
                return task
            await asyncio.sleep(pause)
            pause = min(5.0, pause * 1.5)

    async def events(
        self, *, after: int | None = None, brandspace: str | None = None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """What happens, from now on or behind an event; after a broken connection nothing is missed or told twice.

        Events have `seq`. Beside them come ``{"type":"hello"}`` when a connection stands, and
        ``{"type":"gap"}`` where older events are not kept any more: look at the lists anew.

        Raises:
            ProblemError: the session has ended.
        """
        pause = 0.5
        while True:
            try:
                async for message in self._socket(after, brandspace):
                    pause = 0.5
                    if "seq" in message:
                        after = message["seq"]
                        yield message
                    elif message.get("type") == "hello":
                        after = message["latest"] if after is None else after
                        yield message
                    elif message.get("type") == "gap":
                        after = message["latest"]
                        yield message
            except (aiohttp.ClientError, OSError):
                pass
            except ProblemError as problem:
                if problem.status < UNAVAILABLE and problem.status != TOO_MANY:
                    raise
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_S, pause * 2)

    async def _socket(self, after: int | None, brandspace: str | None) -> AsyncIterator[dict[str, Any]]:
        ticket = (await self.post("/v1/ws-tickets"))["ticket"]
        query = {"ticket": ticket, **({} if after is None else {"after": after})}
        async with self._session.ws_connect(f"{self.origin}/v1/ws?{urlencode(query)}", heartbeat=HEARTBEAT_S) as socket:
            if brandspace is not None:
                await socket.send_json({"type": "subscribe", "brandspace": brandspace})
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    yield json.loads(message.data)

    async def _once(self, method: str, path: str, body: Any, query: dict[str, Any], *, token: str) -> Any:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        params = {name: _text(value) for name, value in query.items() if value is not None}
        async with self._session.request(
            method, self.origin + path, json=body, headers=headers, params=params
        ) as response:
            raw = await response.read()
            content = json.loads(raw) if raw and "json" in response.content_type else None
            if response.ok:
                return content
            problem = content if isinstance(content, dict) else {}
            raise ProblemError(response.status, {**problem, "retry_after": response.headers.get("retry-after")})

    async def _renew(self, used: str) -> None:
        """New tokens, once for all requests that found the old one ended."""
        async with self._refreshing:
            if self._token == used:
                body = {"refresh_token": self._refresh_token}
                self._take(await self._once("POST", "/v1/auth/refresh", body, {}, token=""))

    def _take(self, tokens: dict[str, Any]) -> None:
        self._token, self._refresh_token = tokens["access_token"], tokens["refresh_token"]

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise RuntimeError("use it with `async with`")
        return self._http


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
