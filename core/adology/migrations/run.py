"""Bring a database to the newest revision; several processes may try at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from adology.errors import EngineError
from adology.log import REDACTOR, logger

LOCK = 0x61646F6C
"""Advisory lock number: only one process migrates at a time, the others wait and find it done."""


def migrate(url: str, revision: str = "head") -> str:
    """Upgrade the database at `url` (postgresql://…) and return its revision.

    Raises:
        EngineError: the database cannot be reached or a migration failed; nothing was half done
            (each migration is one transaction).
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with _connected(url) as connection:
        connection.execute(text("select pg_advisory_lock(:n)"), {"n": LOCK})
        connection.commit()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        finally:
            connection.execute(text("select pg_advisory_unlock(:n)"), {"n": LOCK})
            connection.commit()
        found = MigrationContext.configure(connection).get_current_revision() or ""
    logger.bind(revision=found).info("database migrated")
    return found


def current_revision(url: str) -> str | None:
    """The database's present revision, None when it was never migrated.

    Raises:
        EngineError: the database cannot be reached.
    """
    with _connected(url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


@contextlib.contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """A connection to the database at `url`; what fails inside comes out as an EngineError."""
    try:
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
        with engine.connect() as connection:
            yield connection
    except OperationalError as error:
        raise EngineError(
            f"the database cannot be reached: {_reason(error)}",
            hint="Check postgres.url; `adology status` shows the embedded one.",
        ) from None
    except SQLAlchemyError as error:
        raise EngineError(f"the database cannot be migrated: {_reason(error)}") from error
    except CommandError as error:
        raise EngineError(
            f"the database cannot be migrated: {_reason(error)}",
            hint="If a newer version of adology has migrated it, use that version or a newer one.",
        ) from error


def _reason(error: Exception) -> str:
    """What the server said, without the statement that it said it about."""
    told = error.orig if isinstance(error, DBAPIError) else error
    return REDACTOR.redact(str(told)).strip()
