"""Bring a database to the newest revision; several processes may try at once."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
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
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    try:
        with engine.connect() as connection:
            connection.execute(text("select pg_advisory_lock(:n)"), {"n": LOCK})
            connection.commit()
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, revision)
            finally:
                connection.execute(text("select pg_advisory_unlock(:n)"), {"n": LOCK})
                connection.commit()
            found = MigrationContext.configure(connection).get_current_revision() or ""
    except OperationalError as error:
        shown = REDACTOR.redact(str(error.orig)).strip()
        raise EngineError(
            f"the database cannot be reached: {shown}",
            hint="Check postgres.url; `adology status` shows the embedded one.",
        ) from None
    finally:
        engine.dispose()
    logger.bind(revision=found).info("database migrated")
    return found


def current_revision(url: str) -> str | None:
    """The database's present revision, None when it was never migrated."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
