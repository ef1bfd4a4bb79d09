"""The transcript analyzer against the vendor's own client and a stand-in that really decodes what it is sent."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pytest

from adology import Context, Deferred, Needs, RetryLater, Terminal
from adology.engine.analyzers import ReadyAnalyzer
from adology.engine.invoke import Invoker, Work
from adology.errors import ConfigError, MediaUnusableError, Retry
from adology.isolation import IsolatedPool
from adology.money import MemoryPurse, Price, PriceTable
from adology.money.calls import Payer
from adology.testing import AnalyzerConformance
from adology.vendors import close_clients
from adology.vendors.lanes import LANES
from adology.vendors.openai_audio import transcribe
from adology_video import Transcript, TranscriptAnalyzer, TranscriptSettings
from adology_video.speech import extract_speech
from tests.unit.analyzers.media_files import animation, film, scene, sine
from tests.unit.analyzers.video_lab import item_of, speech_like
from upstreams.faults import Fault
from upstreams.openai import API_KEY, OpenAiServer

pytestmark = pytest.mark.anyio

DAY = date(2020, 1, 1)
PRICES = PriceTable(
    (
        Price(service="openai", model="gpt-transcribe", since=DAY, usd_per_million={"seconds": 75.0}),
        Price(
            service="openai", model="gpt-4o-*", since=DAY, usd_per_million={"audio_tokens": 6.0, "output_tokens": 10.0}
        ),
    )
)


class TestTranscript(AnalyzerConformance):
    plugin = TranscriptAnalyzer


@pytest.fixture
async def server() -> AsyncIterator[OpenAiServer]:
    LANES.clear()
    async with OpenAiServer() as started:
        yield started
        await close_clients()


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of six seconds in which there is something to hear."""
    path = tmp_path_factory.mktemp("talking") / "film.mp4"
    return film(path, [scene(64, 48)] * 10, sound=speech_like(6.0))


class Desk:
    """A context of the analyzer with its ledger, pointed at the stand-in."""

    def __init__(self, server: OpenAiServer | None = None, **settings: Any) -> None:
        self.purse = MemoryPurse(PRICES)
        address = f"{server.origin}/v1" if server else "http://127.0.0.1:9/v1"
        given = {"provider": "openai", "openai_base_url": address, "openai_api_key": "env:KEY", **settings}
        self.ctx: Context[TranscriptSettings] = Context(
            "transcript",
            TranscriptSettings(**given),
            section="analyzers",
            purse=self.purse,
            env={"KEY": API_KEY},
        )

    async def run(self, path: Path) -> Transcript:
        return await TranscriptAnalyzer().analyze(self.ctx, item_of(path))

    @property
    def bill(self) -> Any:
        ((_, bill),) = self.purse.calls
        return bill


async def test_what_is_said_is_written_down_and_billed_by_the_minute(server: OpenAiServer, talking: Path) -> None:
    desk = Desk(server)
    said = await desk.run(talking)
    assert said.available
    assert (said.provider, said.model, said.language) == ("openai", "gpt-transcribe", "en")
    assert said.text
    assert said.segments == ()
    assert said.listened_s == pytest.approx(6.0, abs=0.1)
    assert not said.truncated
    bill = desk.bill
    assert (bill.outcome, bill.units) == ("billed", {"seconds": 7.0})  # 6.02 seconds, begun ones count
    assert bill.request_id.startswith("req_")
    assert float(bill.cost_usd) == pytest.approx(7 * 0.0045 / 60)


@pytest.mark.parametrize(("model", "language"), [("whisper-1", "en"), ("gpt-4o-transcribe-diarize", "")])
async def test_models_with_times_give_segments(server: OpenAiServer, talking: Path, model: str, language: str) -> None:
    said = await Desk(server, model=model).run(talking)
    assert [(one.start_s, one.end_s) for one in said.segments] == [(0.0, 4.0), (4.0, pytest.approx(6.0, abs=0.1))]
    assert " ".join(one.text for one in said.segments) == said.text
    assert said.language == language
    assert bool(said.segments[0].speaker) == ("diarize" in model)


async def test_models_that_bill_tokens_are_billed_so(server: OpenAiServer, talking: Path) -> None:
    desk = Desk(server, model="gpt-4o-mini-transcribe")
    await desk.run(talking)
    units = desk.bill.units
    assert units["audio_tokens"] == pytest.approx(60, abs=1)
    assert units["input_tokens"] == 0
    assert units["output_tokens"] > 0
    assert desk.bill.cost_usd > 0


async def test_only_small_mono_sound_leaves_the_house(server: OpenAiServer, talking: Path) -> None:
    await Desk(server, language="de").run(talking)
    (asked,) = server.asked
    assert asked["languages"] == ["de"]
    assert asked["response_format"] == "json"
    upload = asked["file"]
    assert (upload.name, upload.content_type) == ("audio.ogg", "audio/ogg")
    assert len(upload.data) < 30_000
    with av.open(io.BytesIO(upload.data), "r") as container:
        assert not container.streams.video
        assert container.streams.audio[0].codec_context.name in ("opus", "libopus")
        assert container.streams.audio[0].codec_context.channels == 1


async def test_the_same_film_is_the_same_call(server: OpenAiServer, talking: Path) -> None:
    first, second = await Desk(server).run(talking), await Desk(server).run(talking)
    assert first == second
    assert list(server.charges.counts.values()) == [2]


async def test_long_films_are_heard_as_far_as_the_setting_allows(server: OpenAiServer, talking: Path) -> None:
    desk = Desk(server, max_audio_s=2.0)
    said = await desk.run(talking)
    assert said.truncated
    assert said.listened_s == pytest.approx(2.0, abs=0.1)
    ((wanted, bill),) = desk.purse.calls
    assert wanted.units["seconds"] == 3
    assert bill is not None
    assert bill.units["seconds"] <= 3


async def test_in_a_worker_the_sound_is_taken_out_in_a_child_process(
    server: OpenAiServer, talking: Path, tmp_path: Path
) -> None:
    settings = TranscriptSettings(
        provider="openai", openai_base_url=f"{server.origin}/v1", openai_api_key="env:ADOLOGY_TEST_OPENAI_KEY"
    )
    ready = ReadyAnalyzer(
        name="transcript",
        analyzer=TranscriptAnalyzer(),
        settings=settings,
        settings_fields={},
        reference="adology_video.transcript_analyzer:TranscriptAnalyzer",
        fingerprint="",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADOLOGY_TEST_OPENAI_KEY", API_KEY)
        async with IsolatedPool(1) as pool:
            work = Work(item=item_of(talking), key="", payer=Payer())
            outcome = await Invoker(pool).invoke(ready, work, tmp_path)
    assert msgspec.convert(outcome.result, Transcript) == await Desk(server).run(talking)


# Nothing is paid where there is nothing to hear


async def test_without_a_provider_nobody_listens(talking: Path) -> None:
    desk = Desk(provider="none")
    assert await desk.run(talking) == Transcript(available=False, why="no provider is set")
    assert desk.purse.calls == []


async def test_a_film_without_sound_costs_nothing(tmp_path: Path) -> None:
    desk = Desk()
    said = await desk.run(film(tmp_path / "mute.mp4", [scene(64, 48)] * 3))
    assert (said.available, said.why, said.provider) == (False, "the film has no sound", "openai")
    assert desk.purse.calls == []


async def test_a_silent_film_costs_nothing(tmp_path: Path) -> None:
    desk = Desk()
    path = film(tmp_path / "silent.mp4", [scene(64, 48)] * 3, sound=np.zeros((1, 48_000), np.float32))
    assert (await desk.run(path)).why == "the film is silent"
    faint = film(tmp_path / "faint.mp4", [scene(64, 48)] * 3, sound=sine(-70, 1.0, channels=1))
    assert (await desk.run(faint)).why == "the film is silent"
    assert desk.purse.calls == []


def test_an_animated_picture_has_no_sound(tmp_path: Path) -> None:
    path = animation(tmp_path / "moving.gif", "GIF", [scene(seed=1), scene(seed=2)], 100)
    assert extract_speech(str(path), 10, 100, -50) == {"why": "the film has no sound"}


def test_films_beyond_the_limit_are_refused(talking: Path) -> None:
    with pytest.raises(MediaUnusableError, match="the video lasts 6 s, 3 s are allowed"):
        extract_speech(str(talking), 10.0, 3.0, -50.0)


def test_what_it_needs_depends_on_the_provider() -> None:
    assert TranscriptAnalyzer.needs(TranscriptSettings()) == Needs()
    paid = TranscriptAnalyzer.needs(TranscriptSettings(provider="openai"))
    assert paid == Needs(packages=("openai",), pays=("openai",))


# Faults


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(kind="rate_429", seconds=3), RetryLater),
        (Fault(kind="quota_429"), Deferred),
        (Fault(kind="error_500"), Retry),
        (Fault(kind="bad_key"), ConfigError),
        (Fault(kind="model_not_found"), ConfigError),
    ],
)
async def test_the_vendors_errors_say_what_to_do_and_cost_nothing(
    server: OpenAiServer, talking: Path, fault: Fault, error: type[Exception]
) -> None:
    server.faults.add(fault)
    desk = Desk(server)
    with pytest.raises(error):
        await desk.run(talking)
    assert (desk.bill.outcome, desk.bill.cost_usd) == ("failed", 0)


async def test_a_proxys_page_leaves_the_estimate_in_the_ledger(server: OpenAiServer, talking: Path) -> None:
    server.faults.add(Fault(kind="html"))
    desk = Desk(server)
    with pytest.raises(Retry, match="answered 200 with text/html"):
        await desk.run(talking)
    assert desk.bill.outcome == "unknown"
    assert desk.bill.cost_usd > 0


async def test_what_is_no_audio_is_refused_for_good(server: OpenAiServer) -> None:
    desk = Desk(server)
    with pytest.raises(Terminal, match="Audio file might be corrupted or unsupported"):
        await transcribe(desk.ctx, "whisper-1", b"no audio", seconds=1.0)


@pytest.mark.parametrize(("audio", "seconds"), [(b"", 1.0), (b"x", 0.0), (b"x", float("nan"))])
async def test_nothing_is_asked_about_nothing(audio: bytes, seconds: float) -> None:
    with pytest.raises(ValueError, match="bytes of audio that lasts"):
        await transcribe(Desk().ctx, "whisper-1", audio, seconds=seconds)
