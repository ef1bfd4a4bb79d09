"""The program in docs/operations.md that sends dead letters again, run as it stands there."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from adology.aws import open_client
from adology.queues import Delivery, Sqs
from adology.queues.admin import queue_names
from adology.queues.sqs import dead_letter_name
from adology.settings import AdologySettings
from tests.unit.docs.pages import blocks, read, section

LETTERS = 12


def test_dead_letters_are_sent_again_by_the_documented_program(settings: AdologySettings, tmp_path: Path) -> None:
    async def bury() -> None:
        async with open_client(settings.aws, "sqs") as client:
            sqs = Sqs(client)
            queue = queue_names(settings.queues)["acquire"]
            await sqs.send(queue, [f"letter {n}" for n in range(LETTERS)])
            left = LETTERS
            while left:
                for delivery in await sqs.receive(queue, most=10, wait_s=1, visibility_s=60):
                    await sqs.bury(queue, delivery, reason="a test", code="ADO-5800")
                    left -= 1

    async def collect() -> tuple[list[Delivery], dict[str, int]]:
        async with open_client(settings.aws, "sqs") as client:
            sqs = Sqs(client)
            queue = queue_names(settings.queues)["acquire"]
            found: list[Delivery] = []
            while more := await sqs.receive(queue, most=10, wait_s=1, visibility_s=60):
                found += more
            return found, await sqs.count(dead_letter_name(queue))

    asyncio.run(bury())
    (program,) = blocks(section(read("operations.md"), "Dead letters"), "python")
    (tmp_path / "redrive.py").write_text(program)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ADOLOGY_")},
        "ADOLOGY_AWS__ENDPOINT_URL": settings.aws.endpoint_url,
        "ADOLOGY_AWS__ACCESS_KEY_ID": settings.aws.access_key_id,
        "ADOLOGY_AWS__SECRET_ACCESS_KEY": settings.aws.secret_access_key,
        "ADOLOGY_QUEUES__PREFIX": settings.queues.prefix,
    }
    done = subprocess.run(
        [sys.executable, "redrive.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, f"{LETTERS}\n"), done.stderr
    found, buried = asyncio.run(collect())
    assert sorted(delivery.body for delivery in found) == sorted(f"letter {n}" for n in range(LETTERS))
    assert buried == {"visible": 0, "hidden": 0, "delayed": 0}
