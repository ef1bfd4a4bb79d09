"""What every test may use."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from adology.log import logger

ROOT = Path(__file__).resolve().parent.parent


WITHOUT = "ADOLOGY_PLUGINS__WITHOUT"
HEAVY = ("text", "video", "embeddings", "safety", "labels", "scores", "likeness")
"""Entry points that engines in tests run without: models would cost minutes. Their own tests load them."""
AGAIN_S = 20.0


def pytest_configure(config: pytest.Config) -> None:
    """Keep logs of engines that live longer than one test out of the list of results, and models out of engines."""
    # xdist 3.8 says which tests share a costly start in a way that pytest 9.2 drops.
    if config.getoption("dist", "no") == "loadgroup" and pytest.version_tuple[:2] >= (9, 2):
        raise pytest.UsageError(f"pytest {pytest.__version__} does not fit xdist: each process would start all anew")
    os.environ.setdefault(WITHOUT, ",".join(HEAVY))
    os.environ.setdefault("ADOLOGY_SERVER__PORT", "0")  # several stacks run at once
    logger.remove()
    logger.add(_write_while_testing, level="DEBUG")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process runs the tests of a module that share what the module makes: each other one would make it anew."""
    for item in items:
        made = getattr(item, "_fixtureinfo", None)
        if made and not item.get_closest_marker("xdist_group"):
            scopes = {definitions[-1].scope for definitions in made.name2fixturedefs.values()}
            if "module" in scopes:
                item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Generator[None, object, object]:  # noqa: ARG001 - the hook's
    """Say more than once that a test's time is up: a loop that is in a callback just then keeps it to itself."""
    done = yield
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    if left:
        signal.setitimer(signal.ITIMER_REAL, left, AGAIN_S)
    return done


def _write_while_testing(message: str) -> None:
    # Within a test pytest captures it, and shows it if the test fails.
    if "PYTEST_CURRENT_TEST" in os.environ:
        sys.stderr.write(message)


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
