"""Followers that fail are started again: later each time, and at once where they had worked for long."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from adology.log import logger
from adology.runtime import followers


def test_the_pause_grows_with_every_failure_and_begins_anew_after_a_while_of_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, worked_s, pauses = 0.0, [0.0, 0.0, 300.0, 0.0], list[float]()
    stop = asyncio.Event()

    class Ready:
        name = "any"

    async def fail(*_: object) -> None:
        nonlocal now
        if not worked_s:
            stop.set()
            return
        now += worked_s.pop(0)
        raise OSError("away")

    def note(message: Any) -> None:
        pauses.append(message.record["extra"]["pause_s"])

    monkeypatch.setattr(followers, "_follow", fail)
    monkeypatch.setattr(followers, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(followers, "time", SimpleNamespace(monotonic=lambda: now))
    sink = logger.add(note, filter=lambda record: "pause_s" in record["extra"])
    try:
        asyncio.run(followers._keep_following(Ready(), stop))  # type: ignore[arg-type]
    finally:
        logger.remove(sink)
    assert pauses == [0.001, 0.002, 0.001, 0.002]
