from __future__ import annotations

from collections.abc import Iterator

import pytest

from adology.log import logger


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    logger.disable("adology")
    yield
    logger.enable("adology")
