from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.unit.upstreams.meta_lab import Lab


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with aiohttp.ClientSession() as session:
        lab = Lab(session)
        yield lab
        for server in lab.servers:
            await server.stop()
