"""A lab on the servers that the system tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.lab import Lab
from tests.system.conftest import Stack, stack

__all__ = ["stack"]


@pytest.fixture
def lab(stack: Stack, tmp_path: Path) -> Lab:
    return Lab(stack, tmp_path)
