"""Rows as commits leave them, for tests of what reads them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg

SPACE = "m/1/4/f32"


def pack(vector: Sequence[float] | np.ndarray[Any, Any]) -> str:
    return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode()


def unit(*values: float) -> np.ndarray[Any, Any]:
    vector = np.asarray(values, dtype=np.float32)
    found: np.ndarray[Any, Any] = vector / np.linalg.norm(vector)
    return found


def sha(name: str) -> str:
    return name.ljust(64, "0")


class Catalogue:
    """Rows as commits leave them."""

    def __init__(self, link: psycopg.Connection[Any]) -> None:
        self.link = link
        for brand in ("nike", "puma"):
            link.execute("insert into brands (id, name) values (%s, %s)", [brand, brand])
            link.execute("insert into batches (id, brand, state) values (%s, %s, 'committed')", [f"b-{brand}", brand])

    def add(
        self,
        name: str,
        vector: Sequence[float],
        *,
        brand: str = "nike",
        owner: str | None = None,
        space: str = SPACE,
        source: str = "facebook",
        batch: str | None = None,
    ) -> None:
        """An ad with one asset; both have the embedding."""
        run, batch = self.link.execute, batch or f"b-{brand}"
        found = run(
            "insert into ads (source, source_ad_id, owner_org_id, titles, bodies, media_outcome, copy_hash,"
            " first_seen_at, last_seen_at, first_batch, last_batch)"
            " values (%s, %s, %s, %s, %s, 'media', %s, now(), now(), %s, %s) returning id",
            [source, name, owner, [f"Title {name}"], ["Body"], f"copy-{name}", batch, batch],
        )
        (ad,) = found.fetchone() or (0,)
        run("insert into brand_ads values (%s, %s, %s, %s)", [brand, ad, batch, batch])
        run(
            "insert into assets (sha256, kind, content_type, size_bytes, s3_path, thumbnail, first_batch,"
            " first_seen_at) values (%s, 'image', 'image/png', 1, 's3://b/' || %s, 's3://b/t', %s, now())"
            " on conflict do nothing",
            [sha(name), name, batch],
        )
        run("insert into ad_assets (ad_id, position, sha256) values (%s, 0, %s)", [ad, sha(name)])
        for kind, analyzer, subject in (("asset", "visual", sha(name)), ("ad", "textual", f"copy-{name}")):
            key = f"{analyzer}-{name}"
            run(
                "insert into analyses (key, analyzer, version, fingerprint, subject_kind, subject, state, result)"
                " values (%s, %s, 1, 'f', %s, %s, 'done', jsonb_build_object('space', %s::text, 'vector', %s::text))",
                [key, analyzer, kind, subject, space, pack(unit(*vector))],
            )
            if kind == "asset":
                run("insert into asset_analyses values (%s, %s, %s)", [subject, analyzer, key])
            else:
                run("insert into ad_analyses values (%s, %s, %s)", [ad, analyzer, key])
