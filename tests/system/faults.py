"""Makes calls to the outside fail, once per kind of call: before any effect, or with the answer lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Any, Literal, Self

import pytest

from adology.errors import Retry, UnavailableError
from adology.log.calls import external_call

When = Literal["before", "after"]
STORES = frozenset({"postgres", "mongo", "s3", "sqs", "registry", "sink"})
BACKGROUND = frozenset(
    {"lock.try", "lock.connect", "receive_message", "get_queue_url", "get_queue_attributes", "ledger.find_request"}
)
"""Calls that repeat by themselves all the time (the consumer's tests see to them), and the tests' own."""


class Faulty:
    """Every external call of this process passes here; `times` first calls of each operation fail."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *, when: When, times: int = 1, only: AbstractSet[str] = frozenset()
    ) -> None:
        self.seen: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._when = when
        self._times = times
        self._only = only
        self._enter = external_call.__enter__
        self._exit = external_call.__exit__
        self.armed = False
        faulty = self

        def enter(call: external_call) -> Any:
            entered = faulty._enter(call)
            faulty.seen[faulty._name(call)] += 1
            if when == "before" and faulty._strikes(call):
                faulty._exit(call, None, None, None)
                raise faulty._error(call)
            return entered

        def leave(
            call: external_call,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            faulty._exit(call, kind, error, trace)
            if when == "after" and error is None and faulty._strikes(call):
                raise faulty._error(call)

        monkeypatch.setattr(external_call, "__enter__", enter)
        monkeypatch.setattr(external_call, "__exit__", leave)

    def arm(self) -> Self:
        """From now on."""
        self.armed = True
        return self

    def _name(self, call: external_call) -> str:
        return f"{call.service} {call.operation}"

    def _strikes(self, call: external_call) -> bool:
        name = self._name(call)
        if not self.armed or call.service not in STORES or call.operation in BACKGROUND:
            return False
        if self._only and name not in self._only:
            return False
        if self.failed[name] >= self._times:
            return False
        self.failed[name] += 1
        return True

    def _error(self, call: external_call) -> Retry:
        kind = Retry if call.service == "fetch" else UnavailableError
        return kind(f"{self._name(call)} fails {self._when} its effect (injected)")
