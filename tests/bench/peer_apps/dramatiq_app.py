"""dramatiq on SQS."""

from __future__ import annotations

import importlib
import os
from typing import Any

from tests.bench.peer_apps.tally import Tally

# Not imported by name: these packages are only in the environment of `make bench`.
dramatiq: Any = importlib.import_module("dramatiq")
sqs: Any = importlib.import_module("dramatiq_sqs")

broker = sqs.SQSBroker(namespace=os.environ["BENCH_QUEUE"], endpoint_url=os.environ["AWS_ENDPOINT_URL"])
dramatiq.set_broker(broker)
tally = Tally()


def noop(body: str) -> None:
    """Nothing but being counted."""
    assert body
    tally.add()


actor = dramatiq.actor(noop, actor_name="noop")

if __name__ == "__main__":
    for _ in range(int(os.environ["BENCH_COUNT"])):
        actor.send("x" * 250)
    print("sent", flush=True)
