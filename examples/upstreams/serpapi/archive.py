"""Searches that were made: the cache of equal ones, and the archive by id."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Any

import msgspec

from upstreams.serpapi.errors import Refusal
from upstreams.serpapi.rules import SerpApiRules


class Kept(msgspec.Struct):
    """A search by its id. `polls` looks are left until it shows its result."""

    id: str
    body: dict[str, Any]
    at: float
    polls: int = 0

    def show(self) -> dict[str, Any]:
        """The result, or that it is still being made."""
        if self.polls <= 0:
            return self.body
        metadata = {**self.body["search_metadata"], "status": "Processing"}
        return {"search_metadata": metadata, "search_parameters": self.body["search_parameters"]}


class Archive:
    """Everything searched since the start, in memory."""

    def __init__(self, rules: SerpApiRules) -> None:
        self._rules = rules
        self._by_id: dict[str, Kept] = {}
        self._by_parameters: dict[str, Kept] = {}
        self._made = 0

    def clear(self) -> None:
        """Forget all."""
        self._by_id.clear()
        self._by_parameters.clear()

    def new_id(self, parameters: dict[str, str]) -> str:
        """An id for the next search."""
        self._made += 1
        return hashlib.sha256(f"{self._made} {sorted(parameters.items())}".encode()).hexdigest()[:24]

    def keep(self, kept: Kept, parameters: dict[str, str]) -> Kept:
        """Remember a search by id and by its parameters."""
        self._by_id[kept.id] = self._by_parameters[_name(parameters)] = kept
        return kept

    def find_cached(self, parameters: dict[str, str], now: float) -> Kept | None:
        """An equal search that is young enough to serve again, free of charge."""
        kept = self._by_parameters.get(_name(parameters))
        return kept if kept is not None and now - kept.at < self._rules.cache_ttl_s else None

    def look(self, search_id: str, now: float) -> dict[str, Any]:
        """A search by id; each look brings a running one nearer to its end.

        Raises:
            Refusal: 404 for an unknown id, 410 for an expired one.
        """
        kept = self._by_id.get(search_id)
        if kept is None:
            raise Refusal(f"Search with id `{search_id}` not found.", HTTPStatus.NOT_FOUND)
        if now - kept.at >= self._rules.archive_ttl_s:
            raise Refusal("The search expired and has been deleted from the archive.", HTTPStatus.GONE)
        kept.polls -= 1
        return kept.show()


def _name(parameters: dict[str, str]) -> str:
    compared = {key: value for key, value in parameters.items() if key not in ("async", "no_cache")}
    return msgspec.json.encode(compared, order="sorted").decode()
