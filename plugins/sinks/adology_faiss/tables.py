"""The tables of the index in PostgreSQL, and vectors as it takes them."""

from __future__ import annotations

import struct

import numpy as np
import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

from adology.store.database import Connection
from adology_faiss.model import Vector

SCHEMA = """
create table if not exists vector_spaces (
    id integer generated always as identity primary key,
    name text not null unique,
    dimensions integer not null check (dimensions between 1 and 16000)
);

create table if not exists vectors (
    space_id integer not null references vector_spaces (id) on delete cascade,
    id text not null,
    owner_org_id text,
    sources text[] not null,
    brands text[] not null,
    labels text[] not null,
    first_seen date not null,
    last_seen date not null,
    embedding vector not null,
    primary key (space_id, id),
    check (first_seen <= last_seen)
);
comment on column vectors.owner_org_id is 'null: public; else only that organisation may find or count it';
create index if not exists vectors_by_brand on vectors using gin (brands);
create index if not exists vectors_by_label on vectors using gin (labels);
create index if not exists vectors_private on vectors (space_id, owner_org_id) where owner_org_id is not null;
"""

_HEAD = struct.Struct(">iiIii").pack
_FLOAT4 = psycopg.adapters.types["float4"]
_ELEMENT = np.dtype([("length", ">i4"), ("value", ">f4")])


async def create_tables(connection: Connection) -> None:
    """Make the tables, and the extension `vector`, where they are not there yet."""
    # One transaction, and one process at a time: "if not exists" alone does not keep two from making the same.
    lock = "select pg_advisory_xact_lock(hashtext('adology vector tables')); create extension if not exists vector;"
    await connection.execute((lock + SCHEMA).encode())


class Floats:
    """A vector as a parameter: ``%s::vector`` takes it as ``float4[]``."""

    def __init__(self, vector: Vector) -> None:
        self.vector = vector


class FloatsDumper(Dumper):
    """The bytes of Postgres' ``array_send``; a text of the numbers takes five times as long."""

    format = Format.BINARY
    oid = _FLOAT4.array_oid

    def dump(self, obj: Floats) -> bytes:
        """See psycopg."""
        elements = np.empty(len(obj.vector), _ELEMENT)
        elements["length"] = 4
        elements["value"] = obj.vector
        return _HEAD(1, 0, _FLOAT4.oid, len(elements), 1) + elements.tobytes()
