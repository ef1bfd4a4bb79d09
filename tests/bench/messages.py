"""Messages per second beside a bare receive/delete loop, and beside what others use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from adology.aws import open_client
from adology.queues import Consumer, Delivery, Done, Sqs, Verdict
from adology.queues.admin import queue_names
from adology.settings import AdologySettings
from tests.bench.batches import run_batch, working, write_ads
from tests.bench.lab import BenchError, Lab
from tests.bench.meter import Timed
from tests.bench.model import Goal, Line, Size, ratios
from tests.bench.peers import PEERS, Peer, run_peer

GROUP = "messages"
BODY = '{"brand":"nike","url":"https://example.com/creatives/%06d.jpg","metadata":{"source":"facebook","ad":"%s"}}'
PADDING = "x" * 190
"""Makes a body of about 290 bytes, as a slim acquire message has."""
AT_ONCE = 8
POLL_S = 0.005
TIMEOUT_S = 120.0
CONSUMER = "adology consumer, no-op handler"
TEXT_ONLY = ("files", "s3", "postgres")

Side = Callable[[Lab, AdologySettings, Size], Awaitable["Run"]]


class Run(msgspec.Struct, frozen=True):
    """One side, one repetition: messages per second, and CPU microseconds per message."""

    rate: float
    cpu_us: float


async def measure_messages(lab: Lab, size: Size) -> list[Line]:
    """Lines of this group: both sides of the target, the whole acquire path, and peers."""
    sides: dict[str, Side] = {
        f"bare aioboto3 loop, {AT_ONCE} at once": run_bare,
        "bare aioboto3 loop, 1 at a time": run_bare_single,
        CONSUMER: run_consumer,
        "adology acquire, text-only ads, no analyzers": run_acquire,
        **{peer.name: _peer_side(peer) for peer in PEERS if peer.is_installed()},
    }
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for rep in range(size.reps):
        for name in list(sides) if rep % 2 == 0 else reversed(sides):
            async with lab.space() as settings:
                runs[name].append(await sides[name](lab, settings, size))
    return [*_lines(runs), *absent_lines(PEERS)]


def absent_lines(peers: Sequence[Peer]) -> list[Line]:
    """A line for each peer that this environment does not have."""
    return [Line(group=GROUP, what=peer.name, note="not installed") for peer in peers if not peer.is_installed()]


def _lines(runs: dict[str, list[Run]]) -> list[Line]:
    rates = {name: tuple(run.rate for run in found) for name, found in runs.items()}
    lines = []
    base = next(iter(rates))
    for name, found in runs.items():
        lines.append(Line(group=GROUP, what=name, unit="messages/s", samples=rates[name]))
        lines.append(
            Line(group=GROUP, what=f"{name}: CPU", unit="us/message", samples=tuple(run.cpu_us for run in found))
        )
        if name != base:
            goal = Goal(sense="at least", limit=0.5) if name == CONSUMER else None
            of_bare = ratios(rates[name], rates[base])
            lines.append(Line(group=GROUP, what=f"{name} / bare", unit="of its rate", samples=of_bare, goal=goal))
        if name in {peer.name for peer in PEERS}:
            faster, goal = ratios(rates[CONSUMER], rates[name]), Goal(sense="at least", limit=1.0)
            lines.append(Line(group=GROUP, what=f"{CONSUMER} / {name}", unit="of its rate", samples=faster, goal=goal))
    return lines


async def run_bare(_lab: Lab, settings: AdologySettings, size: Size) -> Run:
    """The loop that anybody would write first, on several connections."""
    return await _bare(settings, size.messages, AT_ONCE)


async def run_bare_single(_lab: Lab, settings: AdologySettings, size: Size) -> Run:
    """The same, one call after the other."""
    return await _bare(settings, size.messages, 1)


async def _bare(settings: AdologySettings, count: int, at_once: int) -> Run:
    async with open_client(settings.aws, "sqs") as client:
        queue = queue_names(settings.queues)["acquire"]
        sqs = Sqs(client)
        await fill(sqs, queue, count)
        url, left = await sqs.find_url(queue), [count]
        started, cpu = time.monotonic(), time.process_time()
        await asyncio.gather(*(_drain(client, url, left) for _ in range(at_once)))
        run = _run(count, time.monotonic() - started, time.process_time() - cpu)
        await _check_empty(sqs, queue)
    return run


async def _drain(client: Any, url: str, left: list[int]) -> None:
    """Receive ten, delete ten, until none is left."""
    while left[0] > 0:
        answer = await client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, AttributeNames=["ApproximateReceiveCount"]
        )
        found = answer.get("Messages", [])
        if not found:
            continue
        entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(found)]
        await client.delete_message_batch(QueueUrl=url, Entries=entries)
        left[0] -= len(found)


async def run_consumer(_lab: Lab, settings: AdologySettings, size: Size) -> Run:
    """Our consumer with a worker's settings: heartbeats, verdicts, logs, deletion after the handler."""

    async def handle(_delivery: Delivery) -> Verdict:
        return Done()

    async with open_client(settings.aws, "sqs") as client:
        sqs = Sqs(client)
        queue = queue_names(settings.queues)["acquire"]
        await fill(sqs, queue, size.messages)
        worker, queues = settings.worker, settings.queues
        consumer = Consumer(
            sqs,
            queue,
            handle,
            concurrency=worker.concurrency,
            prefetch=worker.prefetch,
            visibility_s=queues.visibility_s,
            wait_s=0,
            timeout_s=worker.item_timeout_s,
            drain_s=worker.drain_s,
        )
        started, cpu = time.monotonic(), time.process_time()
        running = asyncio.create_task(consumer.run())
        await _until(lambda: consumer.handled >= size.messages)
        run = _run(size.messages, time.monotonic() - started, time.process_time() - cpu)
        consumer.stop()
        await running
        await _check_empty(sqs, queue)
    return run


async def run_acquire(lab: Lab, settings: AdologySettings, size: Size) -> Run:
    """Ads of text alone, no analyzers: ledger, durable result, registry and commit are what is left."""
    replace = msgspec.structs.replace
    plain = replace(settings, plugins=replace(settings.plugins, only=TEXT_ONLY))
    async with lab.registry(plain) as (own, _), working(lab, own) as (worker, engine):
        folders = [lab.new_folder(name) for name in ("warm", "texts")]
        write_ads(folders[0], size.warm, lambda _: "")
        await run_batch(engine, folders[0], "warm", size.warm, timeout_s=TIMEOUT_S)
        write_ads(folders[1], size.texts, lambda _: "")
        timed = Timed([worker.pid])
        done = await run_batch(engine, folders[1], "nike", size.texts, timeout_s=TIMEOUT_S)
        _, cpu = timed.stop()
    return _run(size.texts, done.seconds, cpu)


def _peer_side(peer: Peer) -> Side:
    async def side(lab: Lab, settings: AdologySettings, size: Size) -> Run:
        seconds, cpu = await run_peer(lab, peer, settings, size.peer_messages)
        return _run(size.peer_messages, seconds, cpu)

    return side


def _run(count: int, seconds: float, cpu: float) -> Run:
    return Run(count / seconds, cpu / count * 1e6)


async def fill(sqs: Sqs, queue: str, count: int) -> None:
    """Put `count` messages into the queue."""
    bodies = [BODY % (number, PADDING) for number in range(count)]
    step = -(-count // AT_ONCE)
    await asyncio.gather(*(sqs.send(queue, bodies[at : at + step]) for at in range(0, count, step)))


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not condition():  # noqa: ASYNC110 - the consumer has no event to wait for
            await asyncio.sleep(POLL_S)


async def _check_empty(sqs: Sqs, queue: str) -> None:
    left: Sequence[int] = list((await sqs.count(queue)).values())
    if any(left):
        raise BenchError(f"{queue} still holds {left} messages after all were deleted")
