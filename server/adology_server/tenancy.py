"""The database as one organisation sees it: every statement runs in a transaction that says for whom."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, LiteralString, Self, TypeVar

import msgspec
import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool

from adology.errors import ConfigError, UnavailableError
from adology.settings import resolve_secret
from adology.settings.model import AdologySettings
from adology_server.manners.deeds import CURRENT, FINISH
from adology_server.problems import Refusal
from adology_server.turns import Turns

ROLE = "adology_app"
"""Owns nothing and is held to row-level security; made by the migrations."""

PLANNER = "-c random_page_cost=1.1"
"""On solid-state disks, and in memory, a row elsewhere costs hardly more than the next one; PostgreSQL's own guess is
of disks that turn, and would read whole brands where an index has the page."""

Connection = AsyncConnection[DictRow]
Values = Mapping[str, Any] | Sequence[Any] | None
T = TypeVar("T")

_FOR = (
    "select set_config('role', 'adology_app', true), set_config('adology.org_id', %s, true),"
    " set_config('statement_timeout', %s, true)"
)
"""Role and limit are said each time as well: a pooler may have dropped what the connection began with."""
TAKEN_OVER = "AD001"
"""SQLSTATE of `finish_change`: the idempotency key is held by another execution."""
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError)


class SlowError(UnavailableError):
    """A statement took longer than `server.statement_timeout_s`, and was ended."""

    code = "ADO-5946"


class Tenants:
    """The server's pool of connections, all in the role `adology_app`.

    Nothing is visible without an organisation but what is public. The organisation is set for the
    length of one transaction, so that connections can be shared, also behind a pooler. None has more
    of them at once than `server.connections_per_organisation`.
    """

    def __init__(self, settings: AdologySettings) -> None:
        own = settings.server
        if not (own.postgres_url or settings.postgres.url):
            hint = "Run `adology up` for embedded servers, or set ADOLOGY_SERVER__POSTGRES_URL."
            raise ConfigError("server.postgres_url", "is not set, nor is postgres.url", hint)
        url = (
            resolve_secret(own.postgres_url, setting="server.postgres_url")
            if own.postgres_url
            else resolve_secret(settings.postgres.url, setting="postgres.url")
        )
        milliseconds = round(own.statement_timeout_s * 1000)
        self.url = url
        self._limit = f"{milliseconds}ms"
        self._turns = Turns(own.connections_per_organisation or max(1, own.pool_size // 2), own.connection_wait_s)
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            connection_class=AsyncConnection[DictRow],
            min_size=2,
            max_size=own.pool_size,
            timeout=settings.postgres.timeout_s,
            max_idle=60,
            reconnect_timeout=15,
            configure=_configure,
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "connect_timeout": 10,
                # A plan takes longer than many of the statements: what is asked twice is kept.
                "prepare_threshold": 1,
                "application_name": "adology-server",
                # RESET leads back to this role as well.
                "options": f"-c role={ROLE} {PLANNER} -c timezone=UTC -c statement_timeout={milliseconds}"
                f" -c idle_in_transaction_session_timeout={2 * milliseconds}",
            },
            open=False,
        )

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close(timeout=2)

    @contextlib.asynccontextmanager
    async def transaction(self, org_id: str | None, *, snapshot: bool = False) -> AsyncIterator[Connection]:
        """One transaction of that organisation; None: only what is public.

        With `snapshot` all its statements see what was there at the first one.

        Raises:
            UnavailableError: the database does not answer.
            CrowdedError: the organisation has enough under way.
            SlowError: a statement took too long.
        """
        try:
            async with (
                self._turns.turn(org_id),
                self._pool.connection() as connection,
                connection.transaction(),
            ):
                if snapshot:
                    await connection.execute("set transaction isolation level repeatable read, read only")
                await connection.execute(_FOR, [org_id or "", self._limit])
                yield connection
                await _note(await _finish(connection, org_id))
        except _AWAY as error:
            raise self._away(error) from error

    async def rows(self, org_id: str | None, statement: LiteralString, values: Values = None) -> list[DictRow]:
        """All rows of one statement; see `several`."""
        (rows,) = await self.several(org_id, (statement, values))
        return rows

    async def several(self, org_id: str | None, *asked: tuple[LiteralString, Values]) -> list[list[DictRow]]:
        """All rows of each statement, in one transaction and one round trip; raises as `transaction`.

        What is sent up to the end of a pipeline is one transaction by itself: nothing has to begin or end it.
        Source: https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
        """
        try:
            async with self._turns.turn(org_id), self._pool.connection() as connection:
                async with connection.pipeline():
                    await connection.execute(_FOR, [org_id or "", self._limit])
                    found = [await connection.execute(statement, values) for statement, values in asked]
                    finish = await _finish(connection, org_id)
                await _note(finish)
                return [await one.fetchall() for one in found]
        except psycopg.Error as error:
            if isinstance(error, _AWAY):
                raise self._away(error) from error
            if error.sqlstate == TAKEN_OVER:
                raise _taken_over(error) from error
            raise

    async def all(self, org_id: str | None, kind: type[T], statement: LiteralString, values: Values = None) -> list[T]:
        """The rows as Structs; columns are named as their fields."""
        return [convert(row, kind) for row in await self.rows(org_id, statement, values)]

    async def one(self, org_id: str | None, kind: type[T], statement: LiteralString, values: Values = None) -> T | None:
        """The only row as a Struct; None when there is none."""
        rows = await self.rows(org_id, statement, values)
        return convert(rows[0], kind) if rows else None

    async def note(self, org_id: str) -> None:
        """Write into the audit log what the request does, though it changes no row of ours; raises as `transaction`."""
        # `finish_change` takes a transaction that has an id for one that changed something.
        await self.rows(org_id, "select pg_current_xact_id()")

    async def ping(self) -> None:
        """Whether the database answers.

        Raises:
            UnavailableError: it does not.
        """
        await self.rows(None, "select 1 as one")

    def _away(self, error: psycopg.Error) -> UnavailableError:
        if isinstance(error, psycopg.errors.QueryCanceled):
            hint = "Ask for less, or raise server.statement_timeout_s."
            return SlowError(f"a statement took longer than {self._limit} and was ended", hint=hint)
        return UnavailableError(f"postgres: {_first_line(error)}", code="ADO-5903")


async def _configure(connection: Connection) -> None:
    set_json_loads(_read_json, connection)


def _read_json(text: bytes | str) -> Any:
    """In a third of the time that the standard library takes; jsonb holds larger numbers than msgspec reads."""
    try:
        return msgspec.json.decode(text)
    except msgspec.ValidationError:
        return json.loads(text)


async def _finish(connection: Connection, org_id: str | None) -> AsyncCursor[DictRow] | None:
    """What the request did is written down in the transaction that does it."""
    deed = CURRENT.get()
    values = deed.finish(org_id) if deed is not None else None
    if values is None:
        return None
    try:
        return await connection.execute(FINISH, values)
    except psycopg.Error as error:
        raise _taken_over(error) from error


async def _note(finish: AsyncCursor[DictRow] | None) -> None:
    deed = CURRENT.get()
    if deed is None or finish is None:
        return
    try:
        row = await finish.fetchone()
    except psycopg.Error as error:
        raise _taken_over(error) from error
    deed.noted = deed.noted or bool(row and row["wrote"])


def _taken_over(error: psycopg.Error) -> Exception:
    if error.sqlstate == TAKEN_OVER:
        return Refusal("in-progress", "Another execution of this request took over; ask again.")
    return error


def convert(row: DictRow, kind: type[T]) -> T:
    """A row as a Struct of fields of the same names."""
    return msgspec.convert(row, kind)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
