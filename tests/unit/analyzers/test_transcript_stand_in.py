"""The stand-in's transcriptions, asked by the vendor's own client: what it refuses, and how it answers."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import openai
import pytest

from upstreams.openai import API_KEY, OpenAiServer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client() -> AsyncIterator[openai.AsyncOpenAI]:
    async with (
        OpenAiServer() as server,
        openai.AsyncOpenAI(api_key=API_KEY, base_url=f"{server.origin}/v1", max_retries=0) as made,
    ):
        yield made


def tone(seconds: float, *, level: float = 0.5, rate: int = 16_000) -> bytes:
    t = np.arange(int(rate * seconds)) / rate
    samples = (level * 32_000 * np.sin(2 * np.pi * 300 * t)).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


async def ask(client: openai.AsyncOpenAI, seconds: float = 5.0, *, name: str = "a.wav", **given: Any) -> Any:
    file = (
        name,
        given.pop("data", None) or tone(seconds, level=given.pop("level", 0.5), rate=given.pop("rate", 16_000)),
    )
    return await client.audio.transcriptions.create(file=file, **{"model": "gpt-transcribe", **given})


async def test_the_newest_model_tells_languages_and_seconds(client: openai.AsyncOpenAI) -> None:
    answer = await ask(client, languages=["fr", "en"])
    assert answer.text
    assert [language.code for language in answer.languages] == ["fr"]
    assert (answer.usage.type, answer.usage.seconds) == ("duration", 5)


async def test_silence_has_no_words_and_no_language(client: openai.AsyncOpenAI) -> None:
    answer = await ask(client, level=0.0)
    assert (answer.text, answer.languages) == ("", [])


async def test_verbose_answers_are_parsed_by_the_client(client: openai.AsyncOpenAI) -> None:
    answer = await ask(client, model="whisper-1", response_format="verbose_json")
    assert answer.language == "english"
    assert [round(segment.end, 1) for segment in answer.segments] == [4.0, 5.0]
    assert answer.usage.seconds == 5


async def test_diarized_answers_are_parsed_by_the_client(client: openai.AsyncOpenAI) -> None:
    answer = await ask(client, model="gpt-4o-transcribe-diarize", response_format="diarized_json")
    assert [segment.speaker for segment in answer.segments] == ["A", "B"]
    assert answer.usage.type == "tokens"
    assert answer.usage.input_tokens == answer.usage.input_token_details.audio_tokens == 50


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "gpt-4o-transcribe", "response_format": "verbose_json"}, "not compatible with model"),
        ({"model": "gpt-4o-transcribe-diarize", "seconds": 31.0}, "chunking_strategy is required"),
        ({"name": "a.txt"}, "Unrecognized file format"),
        ({"seconds": 0.05}, "too short"),
        ({"data": b"RIFF nothing"}, "corrupted or unsupported"),
        ({"model": "gpt-4o-transcribe", "seconds": 1501.0, "rate": 1000}, "longer than 1500 seconds"),
    ],
)
async def test_requests_that_cannot_be_worked_on_are_refused(
    client: openai.AsyncOpenAI, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=words):
        await ask(client, **given)


async def test_an_unknown_model_does_not_exist(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await ask(client, model="whisper-9")


async def test_too_large_a_file_is_refused(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.APIStatusError, match="Maximum content size limit") as caught:
        await ask(client, data=bytes(26 * 1024 * 1024))
    assert caught.value.status_code == 413
