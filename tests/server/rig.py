"""A server of this process on the embedded servers, and people who talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import msgspec
import psycopg

from adology.settings import AdologySettings
from adology_server.callers import KEY, digest, make_secret
from adology_server.people.passwords import Passwords
from adology_server.service import serve

PASSWORD = "correct horse battery"


class Client:
    """Somebody who asks: `token` goes with every request."""

    def __init__(self, http: aiohttp.ClientSession, origin: str, token: str = "") -> None:
        self.http = http
        self.origin = origin
        self.token = token
        self.refresh_token = ""

    def as_(self, token: str) -> Client:
        """The same address, somebody else."""
        return Client(self.http, self.origin, token)

    async def ask(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any
    ) -> Answer:
        """One request and its answer, whatever its status."""
        sent = {**({"authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        params = {key: str(value) for key, value in query.items() if value is not None}
        async with self.http.request(
            method, self.origin + path, json=body, headers=sent, params=params, allow_redirects=False
        ) as response:
            raw = await response.read()
            is_json = "json" in response.content_type
            return Answer(response.status, msgspec.json.decode(raw) if raw and is_json else raw, response.headers)

    async def get(self, path: str, **query: Any) -> Any:
        """The body of a 200."""
        return (await self.ask("GET", path, **query)).expect(200)

    async def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        """The body of an answer of that status."""
        return (await self.ask("POST", path, body)).expect(status)


class Answer:
    """Status, decoded body, headers."""

    def __init__(self, status: int, body: Any, headers: Any) -> None:
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def kind(self) -> str:
        """The last part of a problem's type."""
        assert self.headers["content-type"] == "application/problem+json", (self.status, self.body)
        return str(self.body["type"]).rpartition(":")[2]

    def expect(self, status: int) -> Any:
        """The body, if the status is that."""
        assert self.status == status, (self.status, self.body)
        return self.body


@contextlib.asynccontextmanager
async def serving(settings: AdologySettings, **changes: Any) -> AsyncIterator[Client]:
    """The server on a free port; yields somebody who is not logged in."""
    replace = msgspec.structs.replace
    own = replace(settings, server=replace(settings.server, port=0, drain_s=1.0, pool_size=4, **changes))
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(own, ready=ready.set_result))
    waiting: set[asyncio.Future[Any]] = {task, ready}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
            yield Client(http, ready.result())
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@functools.cache
def _hashed(password: str) -> str:
    """Takes a tenth of a second and 64 MiB: one is enough for all tests."""
    return Passwords()._hasher.hash(password)


class Links:
    """One connection for each database and thread: to log in takes longer than most statements."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], psycopg.Connection[Any]] = {}

    def get(self, url: str) -> psycopg.Connection[Any]:
        """The connection, made at its first use."""
        key = (url, threading.get_ident())
        if key not in self._open or self._open[key].closed:
            self._open[key] = psycopg.connect(url, autocommit=True)
        return self._open[key]

    def close(self) -> None:
        """Close all of them."""
        for link in self._open.values():
            link.close()
        self._open.clear()


LINKS = Links()


class World:
    """Puts organisations, people and brands into the database, as the command line does."""

    def __init__(self, settings: AdologySettings) -> None:
        self.url = settings.postgres.url

    def rows(self, statement: Any, values: Sequence[Any] = ()) -> list[Any]:
        """What a statement of the owner gives."""
        found = LINKS.get(self.url).execute(statement, values)
        return found.fetchall() if found.description else []

    def add_org(self, org_id: str, name: str = "") -> str:
        """An organisation."""
        self.rows("insert into organisations (id, name) values (%s, %s)", [org_id, name or org_id])
        return org_id

    def add_user(self, org_id: str, email: str, role: str = "owner") -> str:
        """A user whose password is `PASSWORD`."""
        ((user,),) = self.rows(
            "insert into users (org_id, email, role, password_hash) values (%s, %s, %s, %s) returning id",
            [org_id, email, role, _hashed(PASSWORD)],
        )
        return str(user)

    def add_brands(self, *brands: str) -> None:
        """Brands of the shared catalogue."""
        for brand in brands:
            self.rows("insert into brands (id, name) values (%s, %s)", [brand, brand.title()])

    def add_ad(self, brand: str, ad: str, owner: str | None = None, *, title: str = "") -> int:
        """A committed ad of a brand without media; its id."""
        batch = f"{brand}-batch"
        statement = "insert into batches (id, brand, state) values (%s, %s, 'committed') on conflict do nothing"
        self.rows(statement, [batch, brand])
        ((number,),) = self.rows(
            "insert into ads (source, source_ad_id, owner_org_id, titles, media_outcome, copy_hash, first_seen_at,"
            " last_seen_at, first_batch, last_batch)"
            " values ('facebook', %s, %s, %s, 'text_only', %s, now(), now(), %s, %s) returning id",
            [ad, owner, [title] if title else [], ad, batch, batch],
        )
        self.rows("insert into brand_ads values (%s, %s, %s, %s)", [brand, number, batch, batch])
        return int(number)

    def add_operator(self, name: str = "ops") -> str:
        """The secret of an operator's key."""
        ((operator,),) = self.rows("insert into operators (name) values (%s) returning id", [name])
        return self._add_key(operator, ["operate"])

    def add_service(self) -> str:
        """The secret of a worker's key."""
        return self._add_key(None, ["notify"])

    def _add_key(self, operator: Any, scopes: list[str]) -> str:
        secret = make_secret(KEY)
        self.rows(
            "insert into api_keys (operator_id, name, hint, secret_hash, scopes) values (%s, 'key', %s, %s, %s)",
            [operator, secret[-4:], digest(secret), scopes],
        )
        return secret


async def log_in(nobody: Client, email: str, password: str = PASSWORD) -> Client:
    """The person, with a session."""
    tokens = await nobody.post("/v1/auth/login", {"email": email, "password": password}, 200)
    person = nobody.as_(tokens["access_token"])
    person.refresh_token = tokens["refresh_token"]
    return person
