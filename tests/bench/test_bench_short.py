"""Each measurement of `make bench`, tiny: it runs, both sides do their work, and the ratios are sane.

Nothing here looks at seconds: they belong to machines that nobody else uses.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from adology.aws import open_client
from adology.http.sockets import text_frame
from adology.queues import Sqs
from adology.queues.admin import queue_names
from adology.settings import AdologySettings, load_settings
from adology.settings.model import FetchSettings, QueueSettings
from tests.bench import messages
from tests.bench.__main__ import MEASUREMENTS, Measurement
from tests.bench.fanout import why_absent
from tests.bench.lab import ROOT, BenchError, Lab, as_toml
from tests.bench.listeners import frame_size
from tests.bench.meter import Peak, Timed, rss_bytes
from tests.bench.model import SHORT, Goal, Line, ratios
from tests.bench.peers import PEERS, Peer
from tests.bench.table import show

LEAST, MOST = 0.01, 100.0
"""Between these a ratio of two sides that do the same work is believable anywhere."""

servers = pytest.mark.stack


@servers
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", MEASUREMENTS)
def test_each_measurement_runs_and_its_ratios_are_sane(lab: Lab, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # CI has none of the peers; where they are installed, `make bench` is the place to run them.
    monkeypatch.setattr(messages, "PEERS", ())
    lines = asyncio.run(_measure(MEASUREMENTS[name], lab))
    assert lines
    assert all(sample >= 0 for line in lines for sample in line.samples)
    for line in lines:
        if line.unit in ("of its rate", "times its CPU"):
            assert all(LEAST < sample < MOST for sample in line.samples), line
    if name == "memory":
        assert all(line.is_met for line in lines), lines
    assert len(show(lines).splitlines()) == len(lines) + 2


async def _measure(measurement: Measurement, lab: Lab) -> list[Line]:
    return await measurement(lab, SHORT)


@servers
def test_a_side_that_did_not_do_its_work_is_an_error_and_no_number(lab: Lab) -> None:
    async def fill_and_claim_less() -> None:
        async with lab.space() as settings, open_client(settings.aws, "sqs") as client:
            sqs = Sqs(client)
            queue = queue_names(settings.queues)["acquire"]
            await messages.fill(sqs, queue, 1)
            await messages._check_empty(sqs, queue)

    with pytest.raises(BenchError, match="still holds"):
        asyncio.run(fill_and_claim_less())


@servers
def test_a_program_that_ends_early_is_an_error_with_its_last_words(lab: Lab) -> None:
    async def start() -> None:
        async with lab.module("tests.bench.no_such_program", [], "ready"):
            pass

    with pytest.raises(BenchError, match=r"No module named tests\.bench\.no_such_program"):
        asyncio.run(start())


def test_a_peer_that_is_not_installed_says_so() -> None:
    absent = Peer(name="nobody's queue", packages=("no_such_package_anywhere",), app="", worker=())
    (line,) = messages.absent_lines([absent])
    assert "not installed" in show([line])
    assert line.is_met is None
    assert {peer.name.split()[0] for peer in PEERS} == {"taskiq", "celery", "dramatiq"}


def test_without_its_packages_the_other_broadcaster_is_absent_and_says_why(tmp_path: Path) -> None:
    assert "is not installed" in why_absent(tmp_path)


@pytest.mark.parametrize("length", [1, 125, 126, 65_535, 65_536])
def test_cheap_clients_know_where_a_frame_ends(length: int) -> None:
    frame = text_frame(b"x" * length)
    assert frame_size(frame + b"more") == len(frame)
    assert all(frame_size(frame[:some]) > some for some in range(min(len(frame), 12)))


def test_the_table_shows_median_spread_and_whether_the_target_was_met() -> None:
    goal = Goal(sense="at least", limit=0.5)
    lines = [
        Line(group="g", what="fast enough", unit="of its rate", samples=(0.7, 0.5, 0.9), goal=goal),
        Line(group="g", what="too slow", unit="of its rate", samples=(0.4,), goal=goal),
        Line(group="g", what="light", unit="MiB", samples=(1234.5,), goal=Goal(sense="at most", limit=2000)),
    ]
    good, bad, light = show(lines).splitlines()[2:]
    assert "0.70" in good
    assert "[0.50..0.90]" in good
    assert good.endswith("yes")
    assert bad.endswith("NO")
    assert "1,234" in light
    assert light.endswith("yes")


def test_repetitions_are_compared_with_the_one_beside_them() -> None:
    assert ratios((10.0, 30.0), (20.0, 30.0)) == (0.5, 1.0)
    with pytest.raises(ValueError, match="zip"):
        ratios((1.0,), (1.0, 2.0))


def test_cpu_and_memory_are_those_of_the_whole_tree() -> None:
    child = "x = bytearray(50_000_000)\nfor i in range(0, len(x), 4096): x[i] = 1\nt = sum(range(5_000_000))\n"
    parent = (
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child + 'print(1, flush=True); input()'!r}])"
    )
    program = subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    timed = Timed([program.pid])
    with program:
        assert program.stdout is not None
        program.stdout.readline()
        assert rss_bytes([program.pid]) > 50_000_000
        _, cpu = timed.stop()
        assert cpu > 0.05
        program.communicate(b"\n")


def test_usual_memory_is_told_by_parts_of_the_time() -> None:
    peak = Peak(0)
    peak.seen = [10, 10, 10, 10, 900, 20, 20, 20, 20, 20]
    assert (peak.usual(0, 2), peak.usual(1, 2), peak.bytes) == (10, 20, 900)


def test_programs_read_the_settings_that_they_are_given(tmp_path: Path) -> None:
    queues = QueueSettings(prefix="bench-", visibility_s=7)
    given = AdologySettings(
        home=str(tmp_path), queues=queues, fetch=FetchSettings(stand_ins=("127.0.0.1:1",)), sources={"a b": {"x": 1}}
    )
    config = tmp_path / "adology.toml"
    config.write_text(as_toml(given), "utf-8")
    found = load_settings(config, env={}, cwd=tmp_path)
    assert found.queues == queues
    assert found.fetch == given.fetch
    assert found.sources == given.sources
    assert found.log.format == "json"
