"""A creative, and a pool with a short way to ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adology.abc.analyzer import MediaItem
from adology.isolation import IsolatedPool, Outcome

BEHAVE = "tests.unit.isolation.analyzers:Behave"


class Asker:
    """Asks the pool for one of the moods of `analyzers.Behave`."""

    def __init__(self, pool: IsolatedPool, scratch: Path) -> None:
        self.pool = pool
        self.scratch = scratch
        file = scratch / "creative.png"
        file.write_bytes(b"the creative")
        self.item = MediaItem(
            sha256="ab" * 32,
            path=file,
            kind="image",
            content_type="image/png",
            size_bytes=12,
            results={"other": {"x": [1, None, "ü"]}},
        )

    async def __call__(
        self, mode: str, amount: int = 0, *, deadline_s: float = 20.0, reference: str = BEHAVE, **settings: Any
    ) -> Outcome:
        given = settings or {"mode": mode, "amount": amount}
        return await self.pool.run(reference, given, self.item, scratch=self.scratch, deadline_s=deadline_s)

    async def data(self, mode: str, amount: int = 0) -> Any:
        return (await self(mode, amount)).result.get("data")

    async def pid(self) -> int:
        return int((await self("well")).result["pid"])

    def marker(self) -> Path:
        return self.scratch / "looping"


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Asker]:
    async with IsolatedPool(1) as pool:
        yield Asker(pool, tmp_path)
