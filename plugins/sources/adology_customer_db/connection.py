"""One connection that only reads, with time limits, as far as each database can promise that.

============  ============================  ==========================================
database      writes are refused by         a slow statement is ended by
============  ============================  ==========================================
PostgreSQL    the read-only transaction     statement_timeout
SQLite        PRAGMA query_only             a progress handler; the file must exist
MySQL         the read-only session         max_execution_time
MariaDB       the read-only session         max_statement_time
Oracle        the read-only transaction     our own wait
others        nothing: give a login that    our own wait
              may only read
============  ============================  ==========================================
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from adology import ConfigError
from adology.log import REDACTOR

_SQLITE_STEPS = 20_000
"""Virtual machine steps between two looks at the clock: about a millisecond."""
_CANCEL_S = 5.0


def parse_url(text: str, setting: str) -> sa.URL:
    """The database URL; ``postgresql://`` means the psycopg driver.

    Raises:
        ConfigError: it is no URL, or names a SQLite file that does not exist.
    """
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        # The library's message may quote the URL, password and all.
        raise ConfigError(
            setting,
            "is not a database URL (nothing is shown of it: it may hold a password)",
            "Write dialect+driver://user:password@host:port/database.",
            code="ADO-1005",
        ) from None
    if url.password:
        REDACTOR.add(str(url.password))
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername in {"sqlite", "sqlite+pysqlite"}:
        _check_sqlite_file(url, setting)
    return url


def _check_sqlite_file(url: sa.URL, setting: str) -> None:
    """SQLite would make an empty database of a misspelt path."""
    path = url.database or ""
    if path.startswith("file:"):
        return
    if path in {"", ":memory:"} or not Path(path).is_file():
        raise ConfigError(setting, f"SQLite file {path or '(none)'} does not exist", "Check the path.", code="ADO-1005")


class Link:
    """An open connection. Everything but `interrupt` must be called from one and the same thread."""

    def __init__(self, url: sa.URL, timeout_s: float, setting: str) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._setting = setting
        self._connection: sa.Connection | None = None
        self._driver: Any = None
        self._deadline = 0.0

    def open(self) -> sa.Connection:
        """Connect and begin a read-only transaction.

        Raises:
            ConfigError: the dialect or its driver is not installed, or is asynchronous.
        """
        engine = self._make_engine()
        self.extend()
        sa.event.listen(engine, "connect", self._on_connect)
        connection = engine.connect()
        self._connection = connection
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
        self._limit(connection, engine.dialect)
        return connection

    def extend(self) -> None:
        """Start the time limit of the next step."""
        self._deadline = time.monotonic() + self._timeout_s

    def interrupt(self) -> None:
        """End the statement that another thread waits for, where the driver can."""
        driver = self._driver
        if isinstance(driver, sqlite3.Connection):
            with contextlib.suppress(sqlite3.Error):
                driver.interrupt()
        elif hasattr(driver, "cancel_safe"):
            with contextlib.suppress(Exception):  # the connection is given up in any case
                driver.cancel_safe(timeout=_CANCEL_S)

    def close(self) -> None:
        """Roll back and disconnect; harmless when never opened."""
        if self._connection is not None:
            self._connection.close()
            self._connection.engine.dispose()
            self._connection = None
            self._driver = None

    def _make_engine(self) -> sa.Engine:
        try:
            dialect = self._url.get_dialect()
            engine = sa.create_engine(self._url, poolclass=NullPool, connect_args=self._connect_args())
        except sa.exc.NoSuchModuleError:
            raise ConfigError(
                self._setting,
                f"names the dialect {self._url.drivername}, which SQLAlchemy does not know",
                "Install the package that brings it.",
                code="ADO-1005",
            ) from None
        except ModuleNotFoundError as error:
            raise ConfigError(
                self._setting,
                f"needs the driver {error.name}, which is not installed",
                f"Install {error.name}.",
                code="ADO-1005",
            ) from None
        if dialect.is_async:
            raise ConfigError(
                self._setting,
                f"names the asynchronous driver {self._url.drivername}",
                "Name a synchronous driver, such as postgresql+psycopg:// or mysql+pymysql://.",
                code="ADO-1005",
            )
        return engine

    def _connect_args(self) -> dict[str, Any]:
        seconds = max(2, int(self._timeout_s))
        match self._url.get_backend_name(), self._url.get_driver_name():
            case "postgresql", "psycopg" | "psycopg2":
                return {"connect_timeout": seconds, "application_name": "adology"}
            case (("mysql" | "mariadb"), "pymysql" | "mysqldb"):
                return {"connect_timeout": seconds, "read_timeout": seconds}
            case "sqlite", _:
                return {"timeout": self._timeout_s}
        return {}

    def _on_connect(self, driver: Any, _record: Any) -> None:
        self._driver = driver
        if isinstance(driver, sqlite3.Connection):
            # Invalid UTF-8 in one row must not end the gathering of all.
            driver.text_factory = lambda data: data.decode("utf-8", "replace")
            driver.set_progress_handler(lambda: int(time.monotonic() > self._deadline), _SQLITE_STEPS)
            driver.execute("PRAGMA query_only = ON")

    def _limit(self, connection: sa.Connection, dialect: sa.Dialect) -> None:
        """Time limit and, where it is a statement, the promise only to read."""
        milliseconds = max(1, int(self._timeout_s * 1000))
        match dialect.name:
            case "postgresql":
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
            case "mysql" | "mariadb":
                limit = (
                    f"max_statement_time = {self._timeout_s:.3f}"
                    if getattr(dialect, "is_mariadb", False)
                    else f"max_execution_time = {milliseconds}"
                )
                connection.exec_driver_sql(f"SET SESSION {limit}")
                # Of the session, not of this transaction: that one may have begun with the line above.
                connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
                connection.rollback()
            case "oracle":
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
