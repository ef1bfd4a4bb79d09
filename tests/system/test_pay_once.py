"""Nothing is paid twice: workers killed in mid-call, messages delivered again, equal creatives under different ads.

What a vendor has charged for stands in its stand-in's `/_paid`; what we know of it in the ledger. A
call whose worker was killed may have been charged without its answer arriving: it is made again
once its lease has run out, and stands in the ledger as one whose outcome is unknown.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from adology.engine.manifest import Manifest
from adology.engine.metadata import item_body
from adology.runtime import open_engine
from adology.runtime.engine import Engine
from adology.settings import AdologySettings
from adology.types import Brand
from tests.bench.creatives import serving
from tests.bench.lab import Lab, Program
from tests.bench.media_files import draw_pictures
from tests.conftest import HEAVY, WITHOUT
from tests.system import rig
from tests.system.conftest import Stack
from upstreams.bedrock import ACCESS_KEY_ID, NOVA, SECRET_ACCESS_KEY, BedrockServer
from upstreams.faults import FOREVER, Fault
from upstreams.openai import API_KEY, OpenAiServer

CREATIVES = 12
ADS_OF_EACH = 3
LEASE_S = 6.0
CALL_S = 0.4
"""How long a vendor takes: long enough that every blow meets somebody in the middle of a call."""

OF_KEYS = """
select key, array_agg(c.state order by c.began_at), bool_and(c.cost_usd > 0 or c.state = 'open'),
    extract(epoch from max(c.began_at) - min(c.began_at))::float
from paid_calls c, unnest(c.analysis_keys) as key where c.state <> 'failed' group by key"""


def settings_for(base: AdologySettings, origin: str, openai: OpenAiServer, bedrock: BedrockServer) -> AdologySettings:
    aws = {
        "bedrock_endpoint_url": bedrock.origin,
        "bedrock_access_key_id": ACCESS_KEY_ID,
        "bedrock_secret_access_key": SECRET_ACCESS_KEY,
    }
    replace = msgspec.structs.replace
    quick = rig.quick(base)
    return replace(
        quick,
        # Workers take seconds to start here; the proof is about payments, not about giving up.
        steward=replace(quick.steward, stalled_after_s=30.0),
        fetch=replace(quick.fetch, stand_ins=(origin,)),
        analyzers={
            "text_embedding": {"provider": "openai", "openai_base_url": f"{openai.origin}/v1"},
            "visual_embedding": {"provider": "bedrock", "model": NOVA, **aws},
        },
    )


def write_ads(folder: Path, origin: str) -> None:
    """Each creative and each copy under several ads; every ad has an address of its own."""
    folder.mkdir(parents=True)
    rows = [
        {
            "id": f"ad-{number}-{ad}",
            "body": f"Everything for the long way, no. {number}",
            "image_url": f"http://{origin}/run/{number}?ad={ad}",
        }
        for number in range(CREATIVES)
        for ad in range(ADS_OF_EACH)
    ]
    (folder / "ads.jsonl").write_text("\n".join(map(json.dumps, rows)))


def with_vendors(monkeypatch: pytest.MonkeyPatch) -> None:
    """What our processes inherit: the key, and which plugins they run without."""
    monkeypatch.setenv("OPENAI_API_KEY", API_KEY)
    monkeypatch.setenv(WITHOUT, ",".join(name for name in HEAVY if name != "embeddings"))


@contextlib.asynccontextmanager
async def at_work(
    lab: Lab, settings: AdologySettings, processes: int
) -> AsyncIterator[tuple[Engine, Program, AdologySettings]]:
    """Registry, steward and that many workers as processes, and an engine of our own to look with."""
    async with (
        lab.registry(settings) as (own, _),
        lab.command(own, ["steward"], "steward ready"),
        lab.command(own, ["worker", "--processes", str(processes)], "worker ready") as (workers, _),
        open_engine(own, plugins=rig.plugins()) as engine,
    ):
        yield engine, workers, own


async def strike(workers: Program, blows: int, pause_s: float, rng: random.Random) -> int:
    """Kill one worker after the other, each in the middle of something; how many."""
    struck = 0
    for _ in range(blows):
        await asyncio.sleep(pause_s * rng.uniform(0.6, 1.4))
        alive = [child for child in psutil.Process(workers.pid).children() if child.status() != psutil.STATUS_ZOMBIE]
        if alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(rng.choice(alive).pid, signal.SIGKILL)
                struck += 1
    return struck


async def deliver_again(engine: Engine, batch_id: str) -> None:
    """Every message of the batch once more, as a queue may."""
    manifest = Manifest(engine.objects, batch_id)
    seal = await manifest.read_seal()
    bodies = [item_body(rig.BRAND, batch_id, item, again=False) async for item in manifest.items(seal.parts)]
    await engine.send("acquire", bodies)


def unfinished(settings: AdologySettings) -> int:
    ((count,),) = rig.rows(settings, "select count(*) from analyses where state in ('pending', 'deferred')")
    return int(count)


async def scenario(lab: Lab, settings: AdologySettings, folder: Path, *, processes: int, blows: int) -> dict[str, Any]:
    rng = random.Random(11)
    pictures = draw_pictures(lab.new_folder("pictures"), CREATIVES)
    async with OpenAiServer() as openai, BedrockServer() as bedrock, serving(lab, pictures) as origin:
        for vendor in (openai, bedrock):
            vendor.faults.add(Fault(kind="slow", seconds=CALL_S, times=FOREVER))
        own = settings_for(settings, origin, openai, bedrock)
        write_ads(folder, origin)
        async with at_work(lab, own, processes) as (engine, workers, own):
            await engine.catalogue.put_brand(
                Brand(id=rig.BRAND, handles={"files": (str(folder),)}), file_roots=[str(folder)]
            )
            await rig.ask(engine, "first")
            await rig.wait_until(lambda: openai.charges.counts or bedrock.charges.counts, "a vendor is asked")
            batch = await engine.ledger.find_request(rig.BRAND, "first")
            assert batch is not None
            struck = await strike(workers, blows, processes / 4, rng)
            await deliver_again(engine, batch.id)
            ended = await rig.wait_ended(engine, "first", timeout_s=90)
            assert ended.state == "committed"
            await rig.wait_until(lambda: unfinished(own) == 0, "what was under way is made", timeout_s=60)
            await rig.wait_queues_empty(engine)
        charged = {"openai": openai.charges.show(), "bedrock": bedrock.charges.show()}
        return {"struck": struck, "charged": charged, "keys": rig.rows(own, OF_KEYS), "settings": own}


def check(found: dict[str, Any]) -> None:
    own = found["settings"]
    done = dict(
        rig.rows(own, "select analyzer, count(*) from analyses where state = 'done' and cost_usd > 0 group by 1")
    )
    assert done == {"text_embedding": CREATIVES, "visual_embedding": CREATIVES}
    linked = rig.rows(own, "select count(*) from ad_analyses where analyzer = 'text_embedding'")
    assert linked == [(CREATIVES * ADS_OF_EACH,)]
    charged = found["charged"]
    assert {name: one.contents for name, one in charged.items()} == {"openai": CREATIVES, "bedrock": CREATIVES}
    # One result for each key that was ever paid for, and no result that was not.
    results = rig.rows(own, "select key, count(*) from analyses where state = 'done' and cost_usd > 0 group by key")
    assert {count for _, count in results} == {1}
    assert {key for key, _ in results} == {key for key, _, _, _ in found["keys"]}
    calls = sum(one.calls for one in charged.values())
    states = {key: tuple(each) for key, each, _, _ in found["keys"]}
    # The last call of a key was billed, and its answer is what is stored. Each one before it is an extra, and the
    # ledger says of what kind: billed, its worker killed before the answer was stored; or cut off, its outcome unknown.
    assert {each[-1] for each in states.values()} == {"billed"}
    extras = [state for each in states.values() for state in each[:-1]]
    assert set(extras) <= {"billed", "open", "unknown"}
    assert all(priced for _, _, priced, _ in found["keys"])
    # What the vendors charged for is what was billed and some of what was cut off: nothing beside the ledger.
    billed = sum(each.count("billed") for each in states.values())
    assert billed <= calls <= billed + len(extras) - extras.count("billed")
    again = calls - 2 * CREATIVES
    # A worker has at most its concurrency in hand when it dies.
    assert again <= found["struck"] * own.worker.concurrency
    # Whoever takes over waits until the dead one's lease has run out.
    early = [key for key, each, _, apart in found["keys"] if len(each) > 1 and apart < LEASE_S / 2]
    assert early == []


@pytest.mark.stack
@pytest.mark.timeout(180)
def test_three_workers_killed_in_mid_call(
    stack: Stack, settings: AdologySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_vendors(monkeypatch)
    found = asyncio.run(scenario(Lab(stack, tmp_path), settings, tmp_path / "ads", processes=3, blows=4))
    assert found["struck"] == 4
    check(found)


@pytest.mark.stack
@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("_", range(2))
def test_eight_workers_killed_in_mid_call(
    stack: Stack, settings: AdologySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _: int
) -> None:
    with_vendors(monkeypatch)
    found = asyncio.run(scenario(Lab(stack, tmp_path), settings, tmp_path / "ads", processes=8, blows=12))
    check(found)
    charged = found["charged"].values()
    print(  # noqa: T201 - `pytest -s` reports the overlap
        f"{found['struck']} workers killed; {2 * CREATIVES} contents, {sum(one.calls for one in charged)} calls charged"
    )
