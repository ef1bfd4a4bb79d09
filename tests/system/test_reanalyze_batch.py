"""`adology reanalyze --batch` on a real engine: quoted, handed over, listed, brought in by the steward."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from adology.cli.model import BatchQuote
from adology.cli.reanalyze import _run as reanalyze
from adology.cli.vendor_batches import _read as list_batches
from adology.cli.vendor_batches import list_batches as print_batches
from adology.cli.vendor_batches import show_quotes
from adology.errors import EngineError
from adology.plugins import Plugins, load_plugins
from adology.runtime import run_steward
from adology.settings import AdologySettings
from adology.settings.model import StewardSettings
from tests.conftest import HEAVY
from tests.system import rig
from tests.system.vendor_batches_rig import API_KEY, KEY, World, world

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    found = load_plugins(without=[name for name in HEAVY if name != "embeddings"], strict=True)
    monkeypatch.setattr("adology.runtime.engine.load_plugins", lambda **_: found)
    monkeypatch.setenv(KEY, API_KEY)
    return found


def configured(there: World) -> AdologySettings:
    text = {"provider": "openai", "openai_base_url": f"{there.openai.origin}/v1", "openai_api_key": f"env:{KEY}"}
    return msgspec.structs.replace(
        there.settings,
        analyzers={"text_embedding": text},
        steward=StewardSettings(interval_s=0.1, batch_poll_s=0.2),
    )


async def ask(settings: AdologySettings, *, go: bool, name: str = "text_embedding") -> BatchQuote | None:
    answer = await reanalyze(settings, [name], ["missing"], None, None, go=go, batch=True)
    (line,) = answer.lines
    return line.batch


def test_stale_results_are_renewed_in_a_batch_that_the_steward_brings_in(
    store_settings: AdologySettings, loaded: Plugins, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> AdologySettings:
        async with world(store_settings, polls=3) as there:
            there.add_ads(300)
            settings = configured(there)
            quote = await ask(settings, go=False)
            assert quote is not None
            assert (quote.requests, quote.batches, there.paid, there.created) == (300, 1, (0, {}), 0)
            assert quote.at_most_usd
            assert await list_batches(settings) == []
            given = await ask(settings, go=True)
            assert given is not None
            assert (given.requests, given.batches, given.left) == (300, 1, {})
            assert given.at_most_usd == pytest.approx(quote.at_most_usd, rel=0.05)
            show_quotes([quote], went=False)
            show_quotes([given], went=True)
            (line,) = await list_batches(settings)
            assert (line.analyzer, line.state, line.requests) == ("text_embedding", "open", 300)

            stop = asyncio.Event()
            steward = asyncio.create_task(run_steward(settings, stop, plugins=loaded))
            await rig.wait_until(lambda: there.states() == ["completed"], "the answers are there")
            await rig.wait_until(lambda: not there.openai.batches.files, "the files are deleted")
            stop.set()
            await steward
            there.check_books()
            assert there.paid == (300, {})
            assert await ask(settings, go=True) is None
            (line,) = await list_batches(settings)
            assert (line.state, line.counts) == ("completed", {"done": 300})
            return settings

    own = asyncio.run(scenario())
    print_batches(own, json=False)
    shown = " ".join(capsys.readouterr().out.split())
    assert "by batch: 300 requests in 1 batch for < 0.0001 USD at most, half of the usual price" in shown
    assert "handed over 300 requests in 1 batch for < 0.0001 USD at most" in shown
    assert "text_embedding completed" in shown


@pytest.mark.usefixtures("loaded")
def test_who_asks_nobody_in_batches_says_so(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with world(store_settings) as there:
            there.add_ads(3)
            for go in (False, True):
                with pytest.raises(EngineError, match="asks nobody in batches as it is configured"):
                    await ask(configured(there), go=go, name="copy")
            assert there.rows("select count(*) from analyses") == [(0,)]

    asyncio.run(scenario())
