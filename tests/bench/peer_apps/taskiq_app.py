"""taskiq on SQS: receives ten at a time, in batches where it can."""

from __future__ import annotations

import asyncio
import importlib
import os
from typing import Any

import boto3

from tests.bench.peer_apps.tally import Tally

# Not imported by name: these packages are only in the environment of `make bench`.
sqs: Any = importlib.import_module("taskiq_aio_sqs")

queue = os.environ["BENCH_QUEUE"]
broker = sqs.SQSBroker(
    queue,
    endpoint_url=os.environ["AWS_ENDPOINT_URL"],
    region_name=os.environ["AWS_DEFAULT_REGION"],
    aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    wait_time_seconds=1,
    max_number_of_messages=10,
)
tally = Tally()


async def noop(body: str) -> None:
    """Nothing but being counted."""
    assert body
    tally.add()


task = broker.register_task(noop, task_name="bench:noop")


async def send() -> None:
    """Fill the queue."""
    boto3.client("sqs").create_queue(QueueName=queue)
    await broker.startup()
    for _ in range(int(os.environ["BENCH_COUNT"])):
        await task.kiq("x" * 250)
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(send())
    print("sent", flush=True)
