"""The service as a process: where it listens, how it ends, what a restart shows, what it measures."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from adology.errors import EngineError
from adology_registry import serve
from tests.unit.registry.serving import foreign, running, settings

pytestmark = pytest.mark.anyio


@contextmanager
def process(folder: Path, **env: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``python -m adology_registry`` and its address, read from its log as an operator would."""
    child = subprocess.Popen(
        [sys.executable, "-m", "adology_registry"],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("ADOLOGY_")},
            "ADOLOGY_REGISTRY__PORT": "0",
            "ADOLOGY_LOG__FORMAT": "json",
            **env,
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stderr is not None
        line = json.loads(child.stderr.readline())
        assert line["msg"] == "registry listening"
        assert line["svc"] == "registry"
        yield child, line["address"]
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_in_order_within_two_seconds(tmp_path: Path, name: signal.Signals) -> None:
    with process(tmp_path) as (child, origin):
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{origin}/start", data='{"brand":"nike","expected_count":1}') as response:
                assert response.status == 200
            # The session keeps its connection open: idle connections must not hold the process up.
            started = time.monotonic()
            child.send_signal(name)
            assert await asyncio.to_thread(child.wait, 5) == 0
            assert time.monotonic() - started < 2
        assert child.stderr is not None
        lines = [json.loads(line) for line in child.stderr.read().splitlines()]
        assert [line["msg"] for line in lines] == ["batch active", "registry stopped"]


async def test_a_request_under_way_does_not_hold_the_end_up(tmp_path: Path) -> None:
    with process(tmp_path) as (child, origin):
        host, _, port = origin.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /submit HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
        # The registry has begun to read the body, of which nothing will come.
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        started = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(child.wait, 5) == 0
        assert time.monotonic() - started < 2
        writer.close()


async def test_a_restart_shows_a_new_epoch_and_an_empty_memory() -> None:
    epochs = []
    for _ in range(2):
        async with foreign() as other:
            assert (await other.get("/brands")).body["brands"] == []
            answer = await other.post("/start", '{"brand":"nike","expected_count":1}')
            epochs.append(answer.body["epoch"])
    assert epochs[0] != epochs[1]
    assert all(len(epoch) >= 16 for epoch in epochs)


async def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match=rf"cannot listen on 127\.0\.0\.1:{port}: Address already in use.*port 0"):
            await serve(settings(port=port))


async def test_the_process_says_why_it_cannot_serve(tmp_path: Path) -> None:
    def run(**env: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "adology_registry"]
        return subprocess.run(
            command, cwd=tmp_path, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=30
        )

    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = await asyncio.to_thread(run, ADOLOGY_REGISTRY__PORT=str(taken.getsockname()[1]))
    assert (ended.returncode, "cannot listen" in ended.stderr) == (1, True)
    ended = await asyncio.to_thread(run, ADOLOGY_REGISTRY__PROT="1")
    assert (ended.returncode, "registry.prot" in ended.stderr) == (1, True)
    assert "Traceback" not in ended.stderr


async def test_ipv6_addresses_are_served_too() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    async with running(host="::1") as origin, aiohttp.ClientSession() as session:
        assert origin.startswith("http://[::1]:")
        async with session.get(f"{origin}/healthz") as response:
            assert response.status == 200


SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z]+="[^"\\]*",?)*)\})? (-?[0-9.]+(?:e[-+]?[0-9]+)?)$')


async def test_metrics_are_prometheus_text_and_count_what_happened() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":2}')
        for url in ("a", "a", "b"):
            await other.post("/submit", f'{{"brand":"nike","result":{{"url":"{url}"}}}}')
        await other.post("/submit", "{")
        await other.get("/nowhere")
        answer = await other.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        epoch = answer.headers["x-adology-epoch"]
    kinds: dict[str, str] = {}
    samples: dict[str, float] = {}
    for line in answer.body.rstrip("\n").split("\n"):
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            found = SAMPLE.match(line)
            assert found, line
            assert found[1] in kinds, f"{line} comes before its TYPE"
            samples[line.rpartition(" ")[0]] = float(found[3])
    assert samples[f'adology_registry_info{{epoch="{epoch}"}}'] == 1
    prefix = "adology_registry_"
    assert samples[f"{prefix}active_brands"] == 1
    assert samples[f"{prefix}held_results"] == 2
    assert samples[f"{prefix}held_bytes"] > 0
    assert samples[f"{prefix}results_counted_total"] == 2
    assert samples[f"{prefix}results_replaced_total"] == 1
    assert samples[f"{prefix}commit_leases_granted_total"] == 1
    assert samples[f'{prefix}requests_total{{operation="submit",status="200"}}'] == 3
    assert samples[f'{prefix}requests_total{{operation="submit",status="400"}}'] == 1
    assert samples[f'{prefix}requests_total{{operation="unknown",status="404"}}'] == 1
    assert samples[f'{prefix}request_seconds_total{{operation="submit"}}'] > 0
    assert all(kind == "counter" for name, kind in kinds.items() if name.endswith("_total"))
