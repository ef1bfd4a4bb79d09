"""Celery on SQS: threads, acknowledged late as we do, ten prefetched."""

from __future__ import annotations

import importlib
import os
from typing import Any
from urllib.parse import quote, urlsplit

from tests.bench.peer_apps.tally import Tally

# Not imported by name: these packages are only in the environment of `make bench`.
celery: Any = importlib.import_module("celery")

origin = urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc
key, secret = (quote(os.environ[name], safe="") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
app = celery.Celery("bench", broker=f"sqs://{key}:{secret}@{origin}")
app.conf.update(
    task_default_queue=os.environ["BENCH_QUEUE"],
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=10,
    worker_enable_remote_control=False,
    broker_transport_options={
        "region": os.environ["AWS_DEFAULT_REGION"],
        "is_secure": False,
        "wait_time_seconds": 1,
        "polling_interval": 0.01,
    },
)
tally = Tally()


def noop(body: str) -> None:
    """Nothing but being counted."""
    assert body
    tally.add()


task = app.task(name="bench.noop")(noop)

if __name__ == "__main__":
    for _ in range(int(os.environ["BENCH_COUNT"])):
        task.delay("x" * 250)
    print("sent", flush=True)
