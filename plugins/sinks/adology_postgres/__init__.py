"""Committed batches in PostgreSQL: the one transaction that makes a batch visible."""

from __future__ import annotations

from adology import Sink, hookimpl
from adology_postgres.sink import PostgresSink

__all__ = ["PostgresSink", "adology_sinks"]


@hookimpl
def adology_sinks() -> list[type[Sink[None]]]:
    """The Postgres sink."""
    return [PostgresSink]
