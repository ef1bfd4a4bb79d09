"""Locks by name that one process at a time holds; the server frees them when the holder is gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import psycopg

from adology.errors import UnavailableError
from adology.log import external_call
from adology.store.database import Connection, Database

SPACE = 0x61646F6C
"""First half of our lock numbers; the second is the name's hash."""


CHECK_S = 10.0


class Held:
    """A lock that is ours, until the block ends or the server takes it away."""

    def __init__(self, name: str, connection: Connection) -> None:
        self._name = name
        self._connection = connection

    async def check(self) -> None:
        """Nothing while it is ours.

        Raises:
            UnavailableError: the session is gone, and somebody else may hold the lock.
        """
        try:
            async with asyncio.timeout(CHECK_S), external_call("postgres", "lock.check", lock=self._name):
                await self._connection.execute("select 1")
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as error:
            raise _unavailable(f"{self._name} is lost", error) from error


class AdvisoryLocks:
    """Session locks of Postgres, each on a connection of its own.

    A pooled connection would give the lock away with the connection; one transaction around the
    work would hold back vacuum for as long.
    """

    def __init__(self, database: Database) -> None:
        self._url = database.url

    @contextlib.asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        """True inside the block if the lock is ours, False at once when somebody else holds it.

        Raises:
            UnavailableError: the server does not answer.
        """
        async with self.take(name) as held:
            yield held is not None

    @contextlib.asynccontextmanager
    async def take(self, name: str) -> AsyncIterator[Held | None]:
        """As `hold`, for work that lasts: the lock, to be asked now and then whether it is still ours; or None.

        Raises:
            UnavailableError: the server does not answer.
        """
        connection = await self._connect(name)
        try:
            yield Held(name, connection) if await self._try_lock(connection, name) else None
            # The end of the session frees it as well, but the server takes its time to notice.
            await _unlock(connection)
        finally:
            await connection.close()

    async def _connect(self, name: str) -> Connection:
        try:
            async with external_call("postgres", "lock.connect", lock=name):
                return await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=10, application_name=f"adology lock {name}"[:63]
                )
        except psycopg.OperationalError as error:
            raise _unavailable(name, error) from error

    async def _try_lock(self, connection: Connection, name: str) -> bool:
        try:
            async with external_call("postgres", "lock.try", lock=name):
                found = await connection.execute("select pg_try_advisory_lock(%s, hashtext(%s))", [SPACE, name])
                row = await found.fetchone()
        except psycopg.OperationalError as error:
            raise _unavailable(name, error) from error
        return bool(row and row[0])


async def _unlock(connection: Connection) -> None:
    with contextlib.suppress(psycopg.OperationalError):
        await connection.execute("select pg_advisory_unlock_all()")


def _unavailable(name: str, error: Exception) -> UnavailableError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return UnavailableError(f"postgres: lock {name}: {reason}", code="ADO-5401")
