"""The database with the rights of the schema's owner: for commands, which no organisation gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString, TypeVar

import msgspec
import psycopg
from psycopg.rows import dict_row

from adology.errors import EngineError

T = TypeVar("T")


class FoundError(EngineError):
    """It cannot be made or changed: the name is taken, or something it needs is not there."""

    code = "ADO-5902"


class OwnersDatabase:
    """The database at `url`, whose login owns the schema."""

    def __init__(self, url: str) -> None:
        self._url = url

    def all(self, kind: type[T], statement: LiteralString, values: list[Any] | None = None) -> list[T]:
        """Rows as Structs of fields of the same names."""
        return [msgspec.convert(row, kind) for row in self.rows(statement, values)]

    def rows(self, statement: LiteralString, values: list[Any] | None = None) -> list[dict[str, Any]]:
        """What a statement gives."""
        with self.connection() as link:
            return link.execute(statement, values).fetchall()

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """A connection in autocommit, for the length of the block."""
        try:
            with psycopg.connect(self._url, autocommit=True, connect_timeout=10, row_factory=dict_row) as link:
                yield link
        except psycopg.errors.UndefinedTable as error:
            raise EngineError(
                "the database lacks the tables of organisations", hint="Run `adology migrate`.", code="ADO-5904"
            ) from error
        except psycopg.OperationalError as error:
            first = (str(error).splitlines() or [""])[0]
            raise EngineError(f"the database does not answer: {first}", code="ADO-5904") from error
