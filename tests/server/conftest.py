"""The embedded servers of the system tests."""

from __future__ import annotations

from tests.system.conftest import pytest_collection_modifyitems, settings, stack, store_settings

__all__ = ["pytest_collection_modifyitems", "settings", "stack", "store_settings"]
