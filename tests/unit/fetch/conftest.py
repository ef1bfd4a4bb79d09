"""Fixtures of the fetch guard's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.fetch.sites import Wire


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A wire under the running loop: only addresses that it leads somewhere can be reached."""
    wire = Wire()
    with wire.watched():
        yield wire
