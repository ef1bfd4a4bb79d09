"""What the calls of one process share: clients, lanes, secrets; and what they must not load."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from adology.errors import ConfigError, Deferred, RetryLater
from adology.vendors import BedrockSettings, CloudSettings, OpenAISettings, calls, close_clients, openai
from adology.vendors.clients import get_client
from adology.vendors.lanes import Lanes, digest
from tests.unit.vendors.rig import Rig, error_of
from upstreams.openai import API_KEY, OpenAiServer

pytestmark = pytest.mark.anyio

SMALL = "text-embedding-3-small"


class Time:
    """Stands still until somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_importing_the_clients_loads_no_sdk() -> None:
    code = (
        "import sys, adology.vendors, adology.vendors.openai, adology.vendors.bedrock\n"
        "assert not {'openai', 'aioboto3', 'botocore'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_both_vendors_settings_are_those_of_each() -> None:
    both = {*OpenAISettings.__struct_fields__, *BedrockSettings.__struct_fields__}
    assert set(CloudSettings.__struct_fields__) == both
    for cls in (OpenAISettings, BedrockSettings):
        for name in cls.__struct_fields__:
            assert getattr(CloudSettings(), name) == getattr(cls(), name)
    assert API_KEY not in repr(CloudSettings(openai_api_key=API_KEY))


async def test_calls_are_spaced_when_a_rate_is_set() -> None:
    time = Time()
    lane = Lanes(time.clock, time.sleep).get("openai", "abc", "m", calls_per_minute=60)
    for _ in range(8):
        await lane.enter()
    assert time.now == 1000.0, "a burst goes out at once"
    await lane.enter()
    await lane.enter()
    assert time.now == pytest.approx(1002.0)


async def test_a_quota_opens_again_after_its_time() -> None:
    time = Time()
    lanes = Lanes(time.clock, time.sleep)
    lane = lanes.get("openai", "abc", "m")
    lane.note(Deferred("no money", after=3600))
    with pytest.raises(Deferred, match="no money") as caught:
        await lanes.get("openai", "abc", "other").enter()
    assert caught.value.after == 3600
    await lanes.get("openai", "another key", "m").enter()
    time.now += 3601
    await lane.enter()


async def test_a_lane_says_why_it_is_paused() -> None:
    time = Time()
    lane = Lanes(time.clock, time.sleep).get("openai", "abc", "m")
    lane.note(RetryLater(40, "too fast"))
    with pytest.raises(RetryLater, match="too fast"):
        await lane.enter()


def test_a_credential_is_named_by_a_digest() -> None:
    assert digest(API_KEY, "url") != digest(API_KEY, "other")
    assert API_KEY not in digest(API_KEY, "url")
    assert digest("a", "bc") != digest("ab", "c")


async def test_all_calls_of_a_loop_use_one_client(openai_server: OpenAiServer) -> None:
    rig = Rig(openai_server)
    await asyncio.gather(*(openai.embed_texts(rig.ctx, [f"text {number}"], SMALL) for number in range(5)))
    made = []

    async def make() -> asyncio.timeouts.Timeout:
        made.append(1)
        return asyncio.timeout(None)

    first, second = await asyncio.gather(get_client("one", make), get_client("one", make))
    assert first is second
    await close_clients()
    await close_clients()
    await openai.embed_texts(rig.ctx, ["after closing"], SMALL)
    assert len(made) == 1


def test_another_loop_gets_a_client_of_its_own() -> None:
    async def work() -> int:
        async with OpenAiServer() as server:
            await openai.embed_texts(Rig(server).ctx, ["text"], SMALL)
            await close_clients()
            return len(server.requests)

    assert [asyncio.run(work()), asyncio.run(work())] == [1, 1]


async def test_a_missing_sdk_is_a_setting_to_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    error = await error_of(openai.embed_texts(Rig().ctx, ["text"], SMALL))
    await close_clients()
    assert isinstance(error, ConfigError)
    assert "needs the package openai" in str(error)
    assert "pip install openai" in str(error)


async def test_a_secret_of_the_cloud_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def read(name: str, _: str) -> str:
        asked.append(name)
        return API_KEY

    monkeypatch.setattr("adology.settings.secrets._read_secrets_manager", read)
    monkeypatch.setattr(calls, "_secrets", {})
    rig = Rig(openai_api_key="aws-sm:openai/key")
    found = [await calls.read_secret(rig.ctx, "openai_api_key") for _ in range(3)]
    assert found == [API_KEY] * 3
    assert asked == ["openai/key"]
