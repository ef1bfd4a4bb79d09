"""The embedded servers of the system tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adology.settings import AdologySettings
from tests.server.rig import LINKS
from tests.server.similar_rig import Seeded
from tests.system.conftest import pytest_collection_modifyitems, settings, stack, store_settings

__all__ = ["pytest_collection_modifyitems", "settings", "stack", "store_settings"]


@pytest.fixture(autouse=True)
def _links() -> Iterator[None]:
    """Connections of `World` end with their test."""
    yield
    LINKS.close()


@pytest.fixture
def seeded(settings: AdologySettings) -> Iterator[Seeded]:
    made = Seeded(settings)
    yield made
    made.link.close()
