"""The conformance kit over the customer database source, with a real SQLite file as the other side."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, ClassVar

from adology import Brand
from adology.testing import SourceConformance
from adology_customer_db import CustomerDb
from tests.unit.customer_db.conftest import QUERY, TABLE


class TestCustomerDb(SourceConformance):
    plugin = CustomerDb
    settings: ClassVar[Mapping[str, Any]] = {
        "url": "env:ADS_DATABASE",
        "owner_org_id": "org-1",
        "query": QUERY,
        "columns": {"id": "id", "bodies": ["body"]},
        "cursor_column": "updated_at",
        "page_size": 4,
        "lag_s": 3600,
    }
    secrets: ClassVar[Mapping[str, str]] = {"ADS_DATABASE": "postgresql://reader:made-up-password@127.0.0.1:1/ads"}
    brand = Brand(id="acme", handles={"customer_db": ("ACME",)})
    empty_brand = Brand(id="empty", handles={"customer_db": ("NOBODY",)})

    @asynccontextmanager
    async def vendor(self) -> AsyncIterator[Mapping[str, Any]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "customer.sqlite")
            rows = [(f"ad-{n}", f"Body {n}", f"2026-05-{1 + n // 2:02d} 10:00:00") for n in range(21)]
            with closing(sqlite3.connect(path)) as link, link:
                link.execute(TABLE)
                link.executemany("insert into ads (id, brand, body, updated_at) values (?, 'ACME', ?, ?)", rows)
            yield {"url": f"sqlite:///{path}"}

    async def publish_late(self, settings: Mapping[str, Any]) -> str:
        with closing(sqlite3.connect(settings["url"].removeprefix("sqlite:///"))) as link, link:
            link.execute("insert into ads (id, brand, updated_at) values ('late', 'ACME', '2026-05-11 09:30:00')")
        return "late"
