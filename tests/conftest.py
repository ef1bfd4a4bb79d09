"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real ads and hostile media; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("ADOLOGY_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "manifest.tsv").exists():
        pytest.skip(f"real test data is not at {folder}; set ADOLOGY_TEST_DATA to its folder")
    return folder
