"""The consumer while SQS is away, when its process is told to end, and how fast it is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import msgspec
import pytest

from adology.aws import open_client
from adology.log import logger
from adology.queues import Delivery, Done, Sqs, Verdict
from tests.system.conftest import Stack
from tests.system.queue_rig import Rig, consuming, open_rig

pytestmark = pytest.mark.anyio


class Relay:
    """A port that leads to the server, or to nobody."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.refused = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse new connections and cut the present ones."""
        assert self._server is not None
        self._server.close()
        for writer in self._links:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._links |= {writer, up_writer}
        await asyncio.gather(_pump(reader, up_writer), _pump(up_reader, writer))
        self._links -= {writer, up_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def relayed(stack: Stack, rig: Rig) -> AsyncIterator[Relay]:
    """The rig's client reaches SQS through a relay inside the block."""
    relay = Relay(stack.settings.aws.endpoint_url)
    await relay.open()
    aws = msgspec.structs.replace(stack.settings.aws, endpoint_url=f"http://127.0.0.1:{relay.port}")
    async with open_client(aws, "sqs") as client:
        rig.sqs = Sqs(client)
        yield relay
    await relay.close()


async def test_an_outage_of_sqs_costs_time_only(stack: Stack) -> None:
    """GIVEN a server that goes away and comes back THEN no busy loop, no lost message, and work goes on."""
    async with open_rig(stack) as rig, relayed(stack, rig) as relay:
        done: list[str] = []

        async def handle(delivery: Delivery) -> Verdict:
            done.append(delivery.body)
            return Done()

        failures: list[str] = []
        sink = logger.add(lambda line: failures.append(str(line)), level="WARNING", format="{message} {extra}")
        async with consuming(rig.consumer(handle)):
            await rig.send(["before"])
            await rig.wait_count(visible=0, hidden=0)
            await relay.close()
            failures.clear()
            cpu = time.process_time()
            await rig.send(["meanwhile"])
            await asyncio.sleep(4)
            assert done == ["before"]
            assert 1 <= len(failures) <= 14, failures
            assert time.process_time() - cpu < 2.0
            await relay.open()
            await rig.wait_count(visible=0, hidden=0)
        logger.remove(sink)
        assert done == ["before", "meanwhile"]


WORKER = """
import asyncio, sys
import msgspec
from adology.aws import open_client
from adology.cli.services import run_service
from adology.queues import Consumer, Done, Sqs
from adology.settings.model import AwsSettings

async def handle(delivery):
    print("began", flush=True)
    await asyncio.sleep(1.5)
    print("ended", flush=True)
    return Done()

async def work(stop):
    async with open_client(msgspec.json.decode(sys.argv[1], type=AwsSettings), "sqs") as client:
        consumer = Consumer(Sqs(client), sys.argv[2], handle, concurrency=1, prefetch=4, visibility_s=60,
                            wait_s=1, timeout_s=30.0, drain_s=10.0)
        async with asyncio.TaskGroup() as group:
            group.create_task(consumer.run())
            await stop.wait()
            consumer.stop()
    print("abandoned", consumer.abandoned, flush=True)

run_service(work)
"""


async def test_sigterm_drains_a_worker_process(stack: Stack) -> None:
    """GIVEN one message in work and four ready WHEN SIGTERM THEN the one is finished, the four are back."""
    async with open_rig(stack) as rig:
        await rig.send([str(n) for n in range(5)])
        aws = msgspec.json.encode(stack.settings.aws).decode()
        with subprocess.Popen(  # noqa: ASYNC220 - it is read from in a thread
            [sys.executable, "-c", WORKER, aws, rig.queue], stdout=subprocess.PIPE, text=True
        ) as worker:
            assert worker.stdout is not None
            assert await asyncio.to_thread(worker.stdout.readline) == "began\n"
            os.kill(worker.pid, signal.SIGTERM)
            rest = await asyncio.to_thread(worker.stdout.read)
        assert (rest, worker.returncode) == ("ended\nabandoned 0\n", 0)
        assert await rig.count() == {"visible": 4, "hidden": 0, "delayed": 0}


async def test_the_consumer_is_about_as_fast_as_a_bare_loop(stack: Stack, record_property: object) -> None:
    """A no-op handler against a loop of receive and delete, in turns; the emulator is what limits both."""
    logger.disable("adology")
    async with open_rig(stack) as rig:
        rounds = [(await time_bare(rig, 600), await time_consumer(rig, 600)) for _ in range(2)]
    logger.enable("adology")
    bare, ours = (600 / min(times) for times in zip(*rounds, strict=True))
    assert callable(record_property)
    record_property("bare_messages_per_s", round(bare))
    record_property("consumer_messages_per_s", round(ours))
    print(f"bare loop {bare:.0f} messages/s, consumer {ours:.0f} messages/s")  # noqa: T201 - shown with -rP
    assert ours > bare / 4


async def time_bare(rig: Rig, count: int) -> float:
    await rig.send(["x"] * count)
    url = await rig.url()
    started = time.perf_counter()

    async def loop() -> None:
        while True:
            found = (await rig.client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)).get("Messages", [])
            if not found:
                return
            entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(found)]
            await rig.client.delete_message_batch(QueueUrl=url, Entries=entries)

    await asyncio.gather(*(loop() for _ in range(2)))
    return time.perf_counter() - started


async def time_consumer(rig: Rig, count: int) -> float:
    await rig.send(["x"] * count)
    rig.sqs = Sqs(rig.client)
    everything = asyncio.Event()
    left = count

    async def handle(_: Delivery) -> Verdict:
        nonlocal left
        left -= 1
        if not left:
            everything.set()
        return Done()

    consumer = rig.consumer(handle, concurrency=12, prefetch=20, visibility_s=30)
    started = time.perf_counter()
    async with consuming(consumer):
        await everything.wait()
        return time.perf_counter() - started
