"""Rows of one statement, a page at a time, read in a thread so that any driver will do.

The cursor stays in the database (a named cursor in PostgreSQL, an unbuffered one in MySQL, a
stepping statement in SQLite): memory holds one page, whatever the table holds.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

import sqlalchemy as sa

from adology import Retry
from adology.log import external_call
from adology_customer_db.connection import Link
from adology_customer_db.faults import explain

T = TypeVar("T")
MAX_PAGE_BYTES = 8 * 1024 * 1024
"""A page of long texts ends early: its rows, its ads and its part of the manifest live at once."""
_BUFFER_ROWS = 100
_GRACE_S = 5.0
"""How much longer we wait than the database was told to."""


class Rows:
    """An asynchronous context manager: connects and runs the statement, always disconnects."""

    def __init__(
        self, url: sa.URL, statement: sa.Select[Any], *, plugin: str, page_size: int, timeout_s: float
    ) -> None:
        self._url = url
        self._statement = statement
        self._plugin = plugin
        self._page_size = page_size
        self._timeout_s = timeout_s
        self._link = Link(url, timeout_s, f"sources.{plugin}.url")
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"{plugin}-rows")
        self._result: sa.CursorResult[Any] | None = None
        self._rows: Iterator[sa.RowMapping] = iter(())
        self._connected = False
        self.keys: tuple[str, ...] = ()

    async def __aenter__(self) -> Self:
        try:
            self.keys = await self._run("open", self._open)
        except BaseException:
            await self._shut()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._shut()

    async def next_rows(self) -> list[dict[str, Any]]:
        """The next rows, at most a page; empty at the end.

        Raises:
            ConfigError, Retry: as `explain` decides.
        """
        return await self._run("fetch", self._fetch)

    async def _run(self, operation: str, work: Callable[[], T]) -> T:
        """`work` in the thread, with the errors that the engine knows."""
        self._link.extend()
        job = self._pool.submit(work)
        with external_call(self._plugin, operation, database=self._url.get_backend_name()):
            try:
                async with asyncio.timeout(self._timeout_s + _GRACE_S):
                    return await asyncio.wrap_future(job)
            except TimeoutError:
                message = f"{self._plugin}: the database did not answer within {self._timeout_s:g} s"
                raise Retry(
                    message, hint=f"The setting is sources.{self._plugin}.timeout_s.", code="ADO-2301"
                ) from None
            except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
                raise explain(
                    error, self._plugin, connected=self._connected, url=self._url, timeout_s=self._timeout_s
                ) from None

    def _open(self) -> tuple[str, ...]:
        connection = self._link.open()
        self._connected = True
        result = connection.execution_options(
            stream_results=True, max_row_buffer=min(self._page_size, _BUFFER_ROWS)
        ).execute(self._statement)
        self._result = result
        self._rows = iter(result.mappings())
        return tuple(result.keys())

    def _fetch(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        size = 0
        for row in self._rows:
            rows.append(dict(row))
            size += sum(len(value) for value in row.values() if isinstance(value, str | bytes))
            if len(rows) >= self._page_size or size >= MAX_PAGE_BYTES:
                break
        return rows

    async def _shut(self) -> None:
        """Disconnect, even when this task is cancelled again meanwhile."""
        ending = asyncio.create_task(asyncio.to_thread(self._end))
        cancelled = False
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError:
                cancelled = True
        ending.result()
        if cancelled:
            raise asyncio.CancelledError

    def _end(self) -> None:
        """Interrupt what still runs, then close in the thread that opened."""
        closing = self._pool.submit(self._close)
        if not _is_done(closing, 0.05):
            self._link.interrupt()
        finished = _is_done(closing, self._timeout_s + _GRACE_S)
        self._pool.shutdown(wait=finished, cancel_futures=True)

    def _close(self) -> None:
        try:
            if self._result is not None:
                self._result.close()
        finally:
            self._link.close()


def _is_done(job: Any, seconds: float) -> bool:
    """Wait for a future of the pool; its own error is of no interest when the link is given up."""
    try:
        job.exception(seconds)
    except TimeoutError:
        return False
    return True
