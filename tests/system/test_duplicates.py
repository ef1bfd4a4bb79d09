"""Near-duplicates among committed creatives: compared once, grouped, and private ones seen by their owner alone."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from psycopg.types.json import Jsonb

from adology.cli.duplicates import _read as read_groups
from adology.cli.duplicates import _show as show_groups
from adology.settings import AdologySettings
from adology.store import Database
from adology.store.follower import Follower
from adology.store.likenesses import Known, Likenesses, Member, Pair, connect
from adology_duplicates import pairs
from adology_duplicates.pairs import Duplicates
from adology_likeness import Creative, Evidence, Likeness
from tests.system.rows import Catalogue, sha

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(store_settings: AdologySettings) -> AsyncIterator[Database]:
    async with Database(store_settings.postgres) as database:
        yield database


@pytest.fixture
def catalogue(store_settings: AdologySettings) -> Iterator[Catalogue]:
    with psycopg.connect(store_settings.postgres.url, autocommit=True) as link:
        yield Catalogue(link)


async def put(store: Likenesses, name: str, *others: str, tokens: tuple[str, ...] = ()) -> None:
    pairs = [Pair(other=sha(other), kind="crop", confidence=0.9, result={"by": name}) for other in others]
    await store.put(Known(sha256=sha(name), keys=(f"k-{name}",), results={}), tokens or (name,), pairs)


def shown(groups: list[list[Member]]) -> list[str]:
    return ["".join(member.sha256.rstrip("0") for member in group) for group in groups]


async def test_groups_are_what_pairs_connect_and_come_apart_again(database: Database, catalogue: Catalogue) -> None:
    store = Likenesses(database)
    for name in "abcde":
        catalogue.add(name, (1, 0, 0, 0), brand="puma" if name == "e" else "nike")
        await put(store, name)
    assert await store.groups() == []
    await put(store, "c", "a")
    await put(store, "e", "d")
    assert shown(await store.groups()) == ["ac", "de"]
    await put(store, "d", "c", "e")
    assert shown(await store.groups()) == ["acde"]
    (pair, other) = await store.pairs_of(sha("c"))
    assert (pair.other, pair.kind, pair.confidence, other.other) == (sha("a"), "crop", 0.9, sha("d"))
    await put(store, "d", "e")
    assert shown(await store.groups()) == ["ac", "de"]
    assert shown(await store.groups(brand="puma")) == ["de"]
    assert shown(await store.groups(limit=1)) == ["ac"]
    assert shown(await store.groups(after=sha("a"))) == ["de"]
    await put(store, "a")
    assert shown(await store.groups()) == ["de"]


async def test_a_private_creative_is_in_groups_for_its_owner_alone(database: Database, catalogue: Catalogue) -> None:
    store = Likenesses(database)
    for name, owner in (("a", None), ("b", "acme"), ("c", "acme")):
        catalogue.add(name, (1, 0, 0, 0), owner=owner)
        await put(store, name)
    await put(store, "b", "a", "c")
    assert await store.groups() == []
    assert await store.groups(organisation="other") == []
    assert shown(await store.groups(organisation="acme")) == ["abc"]


async def test_what_may_not_be_seen_connects_nothing_and_names_nothing(
    database: Database, catalogue: Catalogue
) -> None:
    store = Likenesses(database)
    for name, owner in (("a", "acme"), ("b", None), ("c", None), ("d", "acme"), ("e", None), ("f", None), ("g", None)):
        catalogue.add(name, (1, 0, 0, 0), owner=owner)
        await put(store, name)
    await put(store, "c", "b")
    await put(store, "f", "e")
    await put(store, "a", "b", "g")  # the least hash of all is a private one's
    await put(store, "d", "c", "e")  # and another private one holds both pairs together
    mine = await store.groups(organisation="acme")
    assert (shown(mine), mine[0][0].group) == (["abcdefg"], sha("a"))
    for organisation in (None, "other"):
        found = await store.groups(organisation=organisation)
        assert shown(found) == ["bc", "ef"]
        assert [{one.group for one in group} for group in found] == [{sha("b")}, {sha("e")}]
    for after, rest in (("b", ["ef"]), ("e", [])):
        assert shown(await store.groups(after=sha(after))) == rest
    assert shown(await store.groups(limit=1)) == ["bc"]
    assert shown(await store.groups(limit=1, after=sha("b"))) == ["ef"]


async def test_a_page_is_filled_with_groups_that_may_be_seen(database: Database, catalogue: Catalogue) -> None:
    store = Likenesses(database)
    for first, second, brand, owner in (
        ("a", "b", "nike", "acme"),
        ("c", "d", "nike", None),
        ("e", "f", "puma", None),
        ("g", "h", "puma", None),
    ):
        catalogue.add(first, (1, 0, 0, 0), brand=brand, owner=owner)
        catalogue.add(second, (1, 0, 0, 0), brand=brand, owner=owner)
        await put(store, first)
        await put(store, second, first)
    assert shown(await store.groups(limit=1)) == ["cd"]
    assert shown(await store.groups(limit=1, brand="puma")) == ["ef"]
    assert shown(await store.groups(limit=2, brand="puma", after=sha("e"))) == ["gh"]
    catalogue.link.execute(
        "insert into ad_assets (ad_id, position, sha256) select ad_id, 1, sha256 from ad_assets where sha256 = %s",
        [sha("c")],
    )
    assert [one.ads for one in (await store.groups(limit=1))[0]] == [1, 1]  # ads, not places in them


async def test_what_shares_most_is_proposed_first_and_common_tokens_propose_nothing(
    database: Database, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Likenesses(database)
    for name, tokens in (("a", "xyz"), ("b", "xw"), ("c", "xyw"), ("d", "vw"), ("e", "xyz")):
        catalogue.add(name, (1, 0, 0, 0))
        await put(store, name, tokens=tuple(tokens))
    assert await store.propose(sha("a"), ("x", "y", "z"), limit=9) == [sha("e"), sha("c"), sha("b")]
    assert await store.propose(sha("a"), ("x", "y", "z"), limit=1) == [sha("e")]
    monkeypatch.setattr("adology.store.likenesses.COMMON", 3)
    assert await store.propose(sha("b"), ("x", "w"), limit=9) == [sha("c"), sha("d")]


async def test_the_command_lists_groups_with_their_pairs_and_pages(
    store_settings: AdologySettings, database: Database, catalogue: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Likenesses(database)
    for name in "abcd":
        catalogue.add(name, (1, 0, 0, 0))
        await put(store, name)
    await put(store, "b", "a")
    await put(store, "d", "c")
    first, second = await read_groups(store_settings, None, None, "", 20)
    assert [one.sha256 for one in first.creatives] == [first.id, sha("b")] == [sha("a"), sha("b")]
    assert [(pair.a, pair.b, pair.kind, pair.confidence) for pair in first.pairs] == [(sha("a"), sha("b"), "crop", 0.9)]
    assert await read_groups(store_settings, "puma", None, "", 20) == []
    assert await read_groups(store_settings, "nike", None, first.id, 20) == [second]
    show_groups([first, second])
    shown = capsys.readouterr().out
    assert [word in shown for word in ("nike", "crop", "0.90", "s3://b/t")] == [True] * 4


async def test_a_pair_that_cannot_be_compared_keeps_nobody_else_from_being_compared(
    database: Database, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        catalogue.add(name, (1, 0, 0, 0))
        shot = {"picture": "not base64", "width": 9, "height": 9}
        said = {
            "recipe": 1,
            "kind": "image",
            "tokens": ["x"],
            "shots": [shot],
            "duration_s": 3.0 if name == "b" else None,
        }
        catalogue.link.execute(
            "insert into analyses (key, analyzer, version, fingerprint, subject_kind, subject, state, result)"
            " values (%s, 'likeness', 1, 'f', 'asset', %s, 'done', %s)",
            [f"likeness-{name}", sha(name), Jsonb(said)],
        )
        catalogue.link.execute(
            "insert into asset_analyses values (%s, 'likeness', %s)", [sha(name), f"likeness-{name}"]
        )

    def compare(a: Creative, b: Creative) -> Likeness | None:
        if a.signature.duration_s or b.signature.duration_s:
            raise ValueError("broken signature")
        return Likeness(kind="crop", changes=("crop",), confidence=0.9, evidence=Evidence())

    monkeypatch.setattr(pairs, "compare", compare)
    follower = Follower(database, Duplicates(database))
    await follower.catch_up()
    assert shown(await Likenesses(database).groups()) == ["ac"]


def test_connecting_is_what_walking_along_the_pairs_finds() -> None:
    rng = random.Random(3)
    for _ in range(200):
        members = [f"m{number}" for number in range(rng.randrange(1, 12))]
        pairs = [(rng.choice(members), rng.choice(members)) for _ in range(rng.randrange(12))]
        groups = connect(members, pairs)
        for member in members:
            reached = {member}
            for _ in members:
                reached |= {other for pair in pairs for other in pair if reached & set(pair)}
            assert groups[member] == min(reached)
