"""A catalogue that batches are committed to, for what follows commits."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from tests.system.rows import Catalogue, sha


class Committing(Catalogue):
    """A catalogue that batches are committed to."""

    count = 0

    def open(self, brand: str = "nike", link: psycopg.Connection[Any] | None = None) -> str:
        type(self).count += 1
        batch = f"{brand}-{self.count}"
        (link or self.link).execute(
            "insert into batches (id, brand, state) values (%s, %s, 'acquiring')", [batch, brand]
        )
        return batch

    def commit(self, batch: str, link: psycopg.Connection[Any] | None = None) -> None:
        (link or self.link).execute("update batches set state = 'committed' where id = %s", [batch])

    def ad(self, name: str, *vector: float, brand: str = "nike", **over: Any) -> None:
        """An ad that a batch of its own commits."""
        batch = self.open(brand)
        self.add(name, vector or (1, 0, 0, 0), brand=brand, batch=batch, **over)
        self.commit(batch)

    def label(self, name: str, *labels: str) -> None:
        said = [dict(zip(("taxonomy", "id"), label.split(":"), strict=True)) for label in labels]
        self.link.execute(
            "insert into analyses (key, analyzer, version, fingerprint, subject_kind, subject, state, result)"
            " values (%s, 'labels', 1, 'f', 'asset', %s, 'done', %s)",
            [f"labels-{name}", sha(name), Jsonb({"labels": said})],
        )
