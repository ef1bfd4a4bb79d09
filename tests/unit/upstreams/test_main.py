from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.unit.upstreams.meta_world import varied_world
from upstreams.meta import USER_TOKEN


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    varied_world(tmp_path)
    command = [sys.executable, "-m", "upstreams", "--world", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        yield running
        running.kill()


def _origins(process: subprocess.Popen[str]) -> dict[str, str]:
    output: IO[str] | None = process.stdout
    assert output is not None
    found: dict[str, str] = json.loads(output.readline())
    return found


def _get(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own server
        body: dict[str, object] = json.load(answer)
        return body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_of_them_run_in_one_process_and_stop_when_told(process: subprocess.Popen[str], number: int) -> None:
    origins = _origins(process)
    assert set(origins) == {"media", "meta", "serpapi", "openai", "bedrock"}
    for name, origin in origins.items():
        assert _get(f"{origin}/healthz") == {"status": "ok", "name": name}
    query = "ad_reached_countries=DE&search_terms=.&ad_active_status=ALL"
    body = _get(f"{origins['meta']}/v26.0/ads_archive?{query}&access_token={USER_TOKEN}")
    assert isinstance(body["data"], list)
    assert body["data"]
    process.send_signal(number)
    assert process.wait(timeout=10) == 0
