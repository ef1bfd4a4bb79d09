"""What the demo says when its work fails: that a server has ended, if that is why."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adology.errors import EngineError, StackError
from demo import run, servers
from demo.home import DemoHome


async def failing() -> Any:
    raise EngineError("the connection is closed", code="ADO-5004")


def told(home: Path, monkeypatch: pytest.MonkeyPatch, ends_after_s: float) -> str:
    async def wait_broken(_: DemoHome) -> None:
        await asyncio.sleep(ends_after_s)
        raise StackError("the servers were stopped from outside.")

    monkeypatch.setattr(servers, "wait_broken", wait_broken)
    with pytest.raises(EngineError) as caught:
        asyncio.run(run._unless_broken(DemoHome(home), failing()))
    return str(caught.value)


def test_work_that_met_the_end_of_a_server_first_is_not_what_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(tmp_path, monkeypatch, 0.2) == "the servers were stopped from outside."


def test_work_that_fails_while_the_servers_live_says_so_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "GRACE_S", 0.05)
    assert told(tmp_path, monkeypatch, 60) == "the connection is closed"
