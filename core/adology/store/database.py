"""The connection pool, with every use logged and every passing fault told apart."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Self

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from adology.errors import ConfigError, EngineError, UnavailableError
from adology.log import external_call
from adology.settings import resolve_secret
from adology.settings.model import PostgresSettings

Connection = AsyncConnection[TupleRow]

TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
"""Deadlocks and what the pool raises are operational errors as well; a server that takes no writes
any more was demoted in a failover, and its connections still look sound."""


class Database:
    """Postgres for one process. Connections are in autocommit; transactions are explicit."""

    def __init__(self, settings: PostgresSettings) -> None:
        if not settings.url:
            raise ConfigError(
                "postgres.url",
                "is not set",
                "Run `adology up` for embedded servers, or set ADOLOGY_POSTGRES__URL.",
            )
        self.url = resolve_secret(settings.url, setting="postgres.url")
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            self.url,
            min_size=1,
            max_size=settings.pool_size,
            timeout=settings.timeout_s,
            max_idle=60,
            reconnect_timeout=15,
            check=self._check,
            kwargs={"autocommit": True, "connect_timeout": 10, "application_name": "adology"},
            open=False,
        )

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close(timeout=2)

    async def _check(self, connection: Connection) -> None:
        """Raise for a dead connection, and look at all the others at once.

        The pool would find them one by one, with a longer pause after each: when a server has
        restarted all of them are dead, and the first caller would wait in vain.
        """
        try:
            await AsyncConnectionPool.check_connection(connection)
        except psycopg.OperationalError:
            await self._pool.check()
            raise

    @contextlib.asynccontextmanager
    async def connection(self, operation: str, **fields: Any) -> AsyncIterator[Connection]:
        """A pooled connection for one logged operation.

        Raises:
            UnavailableError: the server went away, restarts, or no connection came free in time.
            EngineError: the database was never migrated.
        """
        try:
            async with external_call("postgres", operation, **fields), self._pool.connection() as connection:
                yield connection
        except psycopg.errors.UndefinedTable as error:
            raise EngineError(
                f"the database lacks a table ({str(error).splitlines()[0]})",
                hint="Run `adology migrate`.",
                code="ADO-5402",
            ) from error
        except TRANSIENT as error:
            raise UnavailableError(f"postgres: {operation}: {_first_line(error)}", code="ADO-5401") from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
