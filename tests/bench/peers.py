"""Other task queues on SQS, each by its own worker program, with a task that does nothing.

Each is given what its documentation says is fastest. Their applications are in `peer_apps`.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

from adology.settings import AdologySettings
from adology.types import Struct
from tests.bench.lab import BenchError, Lab, Program

TIMEOUT_S = 300.0


class Peer(Struct, frozen=True, kw_only=True):
    """A task queue: the packages it needs, its application, and the arguments of its worker."""

    name: str
    packages: tuple[str, ...]
    app: str
    worker: tuple[str, ...]

    def is_installed(self) -> bool:
        """Whether this environment has it."""
        return all(importlib.util.find_spec(package) for package in self.packages)


APPS = "tests.bench.peer_apps"
PEERS = (
    Peer(
        name="taskiq (taskiq-aio-sqs)",
        packages=("taskiq", "taskiq_aio_sqs"),
        app=f"{APPS}.taskiq_app",
        worker=("taskiq", "worker", f"{APPS}.taskiq_app:broker", "--workers", "1", "--max-async-tasks", "100"),
    ),
    Peer(
        name="celery (threads)",
        packages=("celery", "kombu", "boto3", "urllib3"),
        app=f"{APPS}.celery_app",
        worker=("celery", "-A", f"{APPS}.celery_app:app", "worker", "-P", "threads", "-c", "16", "-l", "WARNING"),
    ),
    Peer(
        name="dramatiq (dramatiq-sqs)",
        packages=("dramatiq", "dramatiq_sqs"),
        app=f"{APPS}.dramatiq_app",
        worker=("dramatiq", f"{APPS}.dramatiq_app", "--processes", "1", "--threads", "8"),
    ),
)


async def run_peer(lab: Lab, peer: Peer, settings: AdologySettings, count: int) -> tuple[float, float]:
    """Seconds of wall and of CPU between the first and the last of `count` tasks; sending is not counted."""
    folder = lab.new_folder("peer")
    tally = folder / "tally.json"
    env = _environment(settings, count, tally)
    async with lab.module(peer.app, [], "sent", env=env):
        pass
    program = Program([sys.executable, "-m", *peer.worker], folder / "log", "", env)
    try:
        await program.wait_file(tally, timeout_s=TIMEOUT_S)
    finally:
        program.stop()
    found = json.loads(tally.read_text("utf-8"))
    if found["count"] != count:
        raise BenchError(f"{peer.name} ran {found['count']} tasks of {count}")
    return found["seconds"], found["cpu_s"]


def _environment(settings: AdologySettings, count: int, tally: Path) -> dict[str, str]:
    aws = settings.aws
    return {
        "BENCH_QUEUE": f"{settings.queues.prefix}peer",
        "BENCH_COUNT": str(count),
        "BENCH_TALLY": str(tally),
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_DEFAULT_REGION": aws.region,
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
    }
