"""Verifies chains of the audit log, with the rights of the schema's owner and without its functions."""

from __future__ import annotations

import hashlib
from datetime import UTC
from typing import Any

import psycopg
from psycopg.rows import dict_row

from adology.cli.model import AuditCheck, AuditLine
from adology.errors import EngineError

_FIELDS = ("actor", "session", "action", "target", "subject", "address", "request", "outcome", "reason")


class AuditLog:
    """The log in the database at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def newest(self, org_id: str, limit: int) -> list[AuditLine]:
        """The last records of a chain, the newest first. The operators' chain is ''."""
        names = ("seq", "at", "actor", "action", "target", "subject", "address", "outcome", "reason")
        rows = self._rows(
            "select * from audit where coalesce(org_id, '') = %s order by seq desc limit %s", [org_id, limit]
        )
        return [AuditLine(**{name: row[name] for name in names}) for row in rows]

    def verify(self, org_id: str) -> AuditCheck:
        """Whether every record is as it was written, in its place, and none is missing.

        What changes all later hashes as well is found by comparing `head` with one noted elsewhere.
        """
        self._rows("select 1 from audit limit 1", [])
        previous, seq = b"", 0
        with self._connection() as link, link.cursor(name="audit") as cursor:
            cursor.execute("select * from audit where coalesce(org_id, '') = %s order by seq", [org_id])
            for row in cursor:
                seq += 1
                fault = _fault(row, seq, previous)
                if fault:
                    return AuditCheck(org_id=org_id, records=seq - 1, broken=seq, error=fault, head=previous.hex())
                previous = row["hash"]
        ends = self._rows("select seq, hash from audit_heads where org_id = %s", [org_id])
        last = ends[0] if ends else {"seq": 0, "hash": b""}
        if (last["seq"], last["hash"]) != (seq, previous):
            error = f"the chain ends with record {seq}, but {last['seq']} were written"
            return AuditCheck(org_id=org_id, records=seq, broken=seq + 1, error=error, head=previous.hex())
        return AuditCheck(org_id=org_id, records=seq, broken=None, error="", head=previous.hex())

    def _rows(self, statement: Any, values: list[Any]) -> list[dict[str, Any]]:
        try:
            with self._connection() as link:
                return link.execute(statement, values).fetchall()
        except psycopg.errors.UndefinedTable as error:
            hint = "Run `adology migrate`."
            raise EngineError("the database lacks the audit log", hint=hint, code="ADO-5904") from error

    def _connection(self) -> psycopg.Connection[dict[str, Any]]:
        try:
            return psycopg.connect(self._url, connect_timeout=10, row_factory=dict_row)
        except psycopg.OperationalError as error:
            first = (str(error).splitlines() or [""])[0]
            raise EngineError(f"the database does not answer: {first}", code="ADO-5904") from error


def _fault(row: dict[str, Any], seq: int, previous: bytes) -> str:
    if row["seq"] != seq:
        return f"record {seq} is missing; {row['seq']} follows"
    if row["previous"] != previous:
        return f"record {seq} does not follow the one before it"
    if row["hash"] != hashlib.sha256(record_bytes(row)).digest():
        return f"record {seq} is not as it was written"
    return ""


def record_bytes(row: dict[str, Any]) -> bytes:
    """What a record's hash is of: each field with its length before it, as `audit_bytes` in the database has it."""
    at = row["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = [row["previous"].hex(), row["org_id"] or "", str(row["seq"]), at, *(row[name] for name in _FIELDS)]
    parts = [field.encode() for field in fields]
    return b"".join(f"{len(part)}:".encode() + part for part in parts)
