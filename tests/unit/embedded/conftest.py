from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adology.embedded import Program, StackState, stop_stack

WEB = """
import http.server, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("web says hello", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
IDLE = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\ntime.sleep(600)"
STUBBORN = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(600)"
)
CRASHING = "import sys\nprint('cannot open the shop: password=hunter22', flush=True)\nsys.exit(3)"


def make_program(name: str, code: str, **over: object) -> Program:
    port = ("{port}",) if over.get("port") is not None else ()
    options: dict[str, object] = {"settle_s": 0.05, "grace_s": 10.0, **over}
    return Program(name=name, argv=(sys.executable, "-S", "-c", code, *port), **options)  # type: ignore[arg-type]  # mixed keywords


def wait_for(what: Callable[[], bool], *, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def processes_of(state: StackState) -> list[tuple[int | None, float | None]]:
    return [(state.pid, state.create_time), *((s.pid, s.create_time) for s in state.services.values())]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    if folder.is_dir():
        stop_stack(folder)
