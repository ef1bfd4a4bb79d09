"""Re-analyses over killed runners: whatever moment they die at, a vendor is paid once for each copy."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from adology.plugins import load_plugins
from adology.settings import AdologySettings
from adology.vendors import close_clients
from adology.vendors.lanes import LANES
from tests.conftest import HEAVY
from tests.server.rig import World, log_in, serving
from tests.server.tasks_rig import is_, process, quick, stalling, wait_task
from tests.system import rig
from upstreams.openai import API_KEY, OpenAiRules, OpenAiServer

pytestmark = pytest.mark.timeout(170)
KEY = "TEST_OPENAI_KEY"
WITHOUT = [name for name in HEAVY if name != "labels"]
COPIES = 8
MOMENTS = {
    "while it writes down what is to be made": ("insert", "new.subject_kind = 'ad'", "task_analyses"),
    "before it hands on": ("update of batch_key", "new.batch_key is not null", "tasks"),
    "after messages were sent": ("update of sent_at", "new.sent_at is not null", "task_analyses"),
}


@pytest.mark.parametrize(
    "moment",
    [pytest.param(name, marks=[pytest.mark.slow] if "hands on" not in name else []) for name in MOMENTS],
)
def test_a_killed_runner_leads_to_no_second_payment(
    settings: AdologySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    loaded = load_plugins(without=WITHOUT, strict=True)
    monkeypatch.setattr("adology.runtime.engine.load_plugins", lambda **_: loaded)
    monkeypatch.setattr("adology_server.analyzers.load_plugins", lambda **_: loaded)
    monkeypatch.setenv(KEY, API_KEY)
    world, folder, config = World(settings), tmp_path / "ads", tmp_path / "adology.toml"
    world.add_org("acme")
    world.add_user("acme", "owner@acme.example")
    rig.draw_ads(folder, COPIES)
    (folder / "copy-0.jpg").unlink()
    bodies = [{"id": f"ad-{n}", "file": f"ad-{n:03}.jpg", "body": f"Offer number {n}"} for n in range(COPIES)]
    (folder / "ads.jsonl").write_text("\n".join(map(json.dumps, bodies)))

    async def scenario() -> None:
        async with rig.living(settings) as engine:
            await rig.add_brand(engine, folder)
            await rig.ask(engine, "first")
            assert (await rig.wait_ended(engine, "first")).state == "committed"
        LANES.clear()
        async with OpenAiServer(OpenAiRules()) as openai, serving(settings) as nobody:
            asked = {
                "provider": "openai",
                "openai_base_url": f"{openai.origin}/v1",
                "openai_api_key": f"env:{KEY}",
                "least_confidence": 0.0,
            }
            own = quick(msgspec.structs.replace(settings, analyzers={"labels_copy": asked}))
            fields = "\n".join(f"{name} = {json.dumps(value)}" for name, value in asked.items())
            config.write_text(f"[analyzers.labels_copy]\n{fields}\n")
            env = {"ADOLOGY_CONFIG": str(config), "ADOLOGY_PLUGINS__WITHOUT": json.dumps(WITHOUT)}
            owner = await log_in(nobody, "owner@acme.example")
            space = await owner.post("/v1/brandspaces", {"name": "Sport", "primary": "nike"})
            body = {"brandspace_id": space["id"], "analyzers": ["labels_copy"], "because": ["missing"]}
            async with rig.living(own, loaded=loaded):
                task = (await owner.post("/v1/reanalyses", body, 202))["request_id"]
                change, when, table = MOMENTS[moment]
                with stalling(world, change, when, table) as stall, process(own, "tasks", env=env) as runner:
                    await stall.wait()
                    runner.kill()
                    stall.end()
                with process(own, "tasks", env=env) as runner:
                    await runner.wait_line("task runner ready")
                    done = await wait_task(owner, task, is_("completed"), timeout_s=80)
                await close_clients()
            assert (done["result"]["analyses"], done["result"]["done"]) == (COPIES, COPIES)
            shown = openai.charges.show()
            assert (shown.calls, shown.contents, shown.twice) == (COPIES, COPIES, {})
            ends = world.rows("select count(*) from events where task = %s and body->>'status' = 'completed'", [task])
            assert ends == [(1,)]

    asyncio.run(scenario())
