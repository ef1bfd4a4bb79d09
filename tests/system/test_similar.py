"""Neighbours among committed embeddings: exact, of one space, and never an organisation's ads for anybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import psycopg
import pytest

from adology.settings import AdologySettings
from adology.store import Database, similar
from adology.store.similar import Query, Similar, unpack
from tests.system.rows import SPACE, Catalogue, pack, sha, unit

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(store_settings: AdologySettings) -> AsyncIterator[Database]:
    async with Database(store_settings.postgres) as database:
        yield database


@pytest.fixture
def catalogue(store_settings: AdologySettings) -> Any:
    with psycopg.connect(store_settings.postgres.url, autocommit=True) as link:
        yield Catalogue(link)


def looks(*vector: float, **over: Any) -> Query:
    return Query(kind="asset", analyzer="visual", space=SPACE, vector=unit(*vector), **over)


async def names(database: Database, query: Query, limit: int = 10) -> list[str]:
    return [one.subject.rstrip("0") for one in await Similar(database).search(query, limit=limit)]


async def test_the_nearest_come_first_with_their_cosine(database: Database, catalogue: Catalogue) -> None:
    catalogue.add("far", (0, 1, 0, 0))
    catalogue.add("same", (1, 0, 0, 0))
    catalogue.add("near", (1, 1, 0, 0))
    found = await Similar(database).search(looks(1, 0, 0, 0), limit=2)
    assert [(one.subject, one.similarity) for one in found] == [(sha("same"), 1.0), (sha("near"), 0.7071)]
    assert await names(database, looks(1, 0, 0, 0, without=sha("same"))) == ["near", "far"]
    copies = await Similar(database).search(
        Query(kind="ad", analyzer="textual", space=SPACE, vector=unit(1, 0, 0, 0)), limit=1
    )
    assert copies[0].subject == "copy-same"


async def test_pages_make_no_difference(
    database: Database, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    vectors = {f"a{number:02}x": rng.normal(size=4) for number in range(23)}
    for name, vector in vectors.items():
        catalogue.add(name, vector.tolist())
    want = sorted(vectors, key=lambda name: -float(unit(*vectors[name]) @ unit(1, 2, 3, 4)))[:5]
    for page in (1, 4, 23, 1000):
        monkeypatch.setattr(similar, "PAGE", page)
        assert await names(database, looks(1, 2, 3, 4), limit=5) == want


async def test_vectors_of_another_space_or_length_and_garbage_are_never_compared(
    database: Database, catalogue: Catalogue
) -> None:
    catalogue.add("good", (0, 1, 0, 0))
    catalogue.add("other", (1, 0, 0, 0), space="m/2/4/f32")
    catalogue.add("short", (1, 0, 0))
    catalogue.add("broken", (1, 0, 0, 0))
    catalogue.link.execute("""update analyses set result = result || '{"vector":"%%%"}' where key = 'visual-broken'""")
    assert await names(database, looks(1, 0, 0, 0)) == ["good"]


async def test_ads_of_an_organisation_are_found_by_itself_alone(database: Database, catalogue: Catalogue) -> None:
    catalogue.add("public", (1, 1, 0, 0))
    catalogue.add("secret", (1, 0, 0, 0), owner="org-a")
    assert await names(database, looks(1, 0, 0, 0)) == ["public"]
    assert await names(database, looks(1, 0, 0, 0, organisation="org-b")) == ["public"]
    assert await names(database, looks(1, 0, 0, 0, organisation="org-a")) == ["secret", "public"]
    assert await Similar(database).find_ad("secret") is None
    assert await Similar(database).find_ad("secret", organisation="org-a") == ([sha("secret")], "copy-secret")
    assert await Similar(database).shown("asset", [sha("secret")]) == {}
    shown = await Similar(database).shown("ad", ["copy-secret"], organisation="org-a")
    assert [(ad.ad, ad.brand, ad.copy, ad.s3_path) for ad in shown["copy-secret"]] == [
        ("secret", "nike", "Title secret · Body", "s3://b/secret")
    ]


async def test_a_brand_limits_both_neighbours_and_the_ads_shown(database: Database, catalogue: Catalogue) -> None:
    catalogue.add("n", (1, 0, 0, 0))
    catalogue.add("p", (1, 0.1, 0, 0), brand="puma")
    assert await names(database, looks(1, 0, 0, 0, brand="puma")) == ["p"]
    shown = await Similar(database).shown("asset", [sha("n"), sha("p")], brand="puma")
    assert list(shown) == [sha("p")]


@pytest.mark.parametrize("text", [None, "", "%%%", "AAA", "AAAA"])
def test_what_is_no_packed_vector_is_none(text: str | None) -> None:
    found = unpack(text)
    assert found is None


def test_a_packed_vector_comes_back() -> None:
    found = unpack(pack([0.5, -1.0]))
    assert found is not None
    assert found.tolist() == [0.5, -1.0]
