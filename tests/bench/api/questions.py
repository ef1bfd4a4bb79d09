"""What is asked of the server, and of its peers in the same words: paths, each with the key of who asks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, Literal

from adology.types import Struct
from tests.bench.api.templates import LABELS
from tests.bench.api.world import Tenant

Name = Literal["feed", "filtered feed", "facets", "one ad", "statistics", "similar ads"]


class Question(Struct, frozen=True, kw_only=True):
    """One request. `values` are what it asks for, as the peers' statements take them."""

    path: str
    org: str
    key: str
    space: str = ""
    ad: int = 0
    label: str = ""


def questions(
    name: Name, tenants: Sequence[Tenant], ads: Sequence[int], count: int, *, seed: int = 1
) -> list[Question]:
    """`count` requests of a kind: by all organisations, about all brandspaces."""
    chance = random.Random(f"{name}{seed}")
    return [_KINDS[name](chance, chance.choice(tenants), chance.choice(ads)) for _ in range(count)]


def _feed(chance: random.Random, who: Tenant, _: int) -> Question:
    space = chance.choice(list(who.spaces))
    return Question(path=f"/v1/ads?brandspace={space}", org=who.org, key=who.key, space=space)


def _filtered(chance: random.Random, who: Tenant, _: int) -> Question:
    space, label = chance.choice(list(who.spaces)), _label(chance)
    path = f"/v1/ads?brandspace={space}&label={label}&platform=instagram&status=running&status=unknown&sort=last_seen"
    return Question(path=path, org=who.org, key=who.key, space=space, label=label)


def _facets(chance: random.Random, who: Tenant, _: int) -> Question:
    space, label = chance.choice(list(who.spaces)), _label(chance)
    path = f"/v1/ads/facets?brandspace={space}&label={label}"
    return Question(path=path, org=who.org, key=who.key, space=space, label=label)


def _one(_: random.Random, who: Tenant, ad: int) -> Question:
    return Question(path=f"/v1/ads/{ad}", org=who.org, key=who.key, ad=ad)


def _statistics(chance: random.Random, who: Tenant, _: int) -> Question:
    space = chance.choice(list(who.spaces))
    return Question(path=f"/v1/statistics?brandspace={space}", org=who.org, key=who.key, space=space)


def _similar(chance: random.Random, who: Tenant, ad: int) -> Question:
    space = chance.choice(list(who.spaces))
    path = f"/v1/ads/{ad}/similar?brandspace={space}&limit=10"
    return Question(path=path, org=who.org, key=who.key, space=space, ad=ad)


def _label(chance: random.Random) -> str:
    taxonomy = chance.choice(["hook", "angle", "emotion", "funnel"])
    return f"{taxonomy}:{chance.choice(LABELS[taxonomy])}"


_KINDS: Final[dict[Name, Callable[[random.Random, Tenant, int], Question]]] = {
    "feed": _feed,
    "filtered feed": _filtered,
    "facets": _facets,
    "one ad": _one,
    "statistics": _statistics,
    "similar ads": _similar,
}
NAMES: Final = tuple(_KINDS)
