from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adology.vendors import close_clients
from adology.vendors.lanes import LANES
from upstreams.bedrock import BedrockServer
from upstreams.openai import OpenAiServer


@pytest.fixture(autouse=True)
def fresh_lanes() -> None:
    """A port may be used again, and with it the lanes of a test before."""
    LANES.clear()


@pytest.fixture
async def openai_server() -> AsyncIterator[OpenAiServer]:
    async with OpenAiServer() as server:
        yield server
        await close_clients()


@pytest.fixture
async def bedrock_server() -> AsyncIterator[BedrockServer]:
    async with BedrockServer() as server:
        yield server
        await close_clients()
