"""OpenAI's transcription of speech, beside what `adology.vendors.openai` asks.

Raises what that does. Models differ in what they answer: `gpt-transcribe` and the `gpt-4o` ones
give the text alone, `whisper-1` and `gpt-4o-transcribe-diarize` give it in segments with times.
All but `gpt-transcribe` are announced to shut down on 2027-02-26 (the SDK's own notes, 2026-11).
"""

from __future__ import annotations

import math
from typing import Any

from adology.context import Context
from adology.money.calls import PaidCall
from adology.types import Struct
from adology.vendors.openai_calls import call_openai

MOST_BYTES = 25 * 1024 * 1024
"""Size of an upload (the vendor's limit)."""
AUDIO_TOKENS_PER_S = 10
TEXT_TOKENS_PER_S = 8
"""More than anybody speaks; for what a call may cost at most."""
DIARIZING = "diarize"
WHISPER = "whisper"
NEW = "gpt-transcribe"
ISO_639 = {
    "arabic": "ar", "chinese": "zh", "croatian": "hr", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en",
    "finnish": "fi", "french": "fr", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu",
    "indonesian": "id", "italian": "it", "japanese": "ja", "korean": "ko", "malay": "ms", "norwegian": "no",
    "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru", "slovak": "sk", "spanish": "es",
    "swedish": "sv", "tagalog": "tl", "thai": "th", "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi",
}  # fmt: skip
"""`whisper-1` names languages in English; names that are not in here are given as they come."""


class SpokenSegment(Struct, frozen=True, kw_only=True):
    """A piece of speech, seconds from the start of the audio; `speaker` is empty but for diarizing models."""

    start_s: float
    end_s: float
    text: str
    speaker: str = ""


class Transcribed(Struct, frozen=True, kw_only=True):
    """What is said. `segments` is empty for models that give no times; `language` empty where not told.

    `model` is named as it was asked for: the vendor does not return it.
    """

    text: str
    model: str
    request_id: str = ""
    language: str = ""
    segments: tuple[SpokenSegment, ...] = ()


class _Details(Struct, frozen=True, kw_only=True):
    audio_tokens: int | None = None


class _Usage(Struct, frozen=True, kw_only=True):
    type: str = ""
    seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    input_token_details: _Details | None = None

    def units(self) -> dict[str, float]:
        """As the ledger bills them: audio has a price of its own and is not among the input tokens."""
        if self.type != "tokens":
            return {"seconds": self.seconds}
        audio = (self.input_token_details.audio_tokens or 0) if self.input_token_details else 0
        return {
            "audio_tokens": audio,
            "input_tokens": max(0, self.input_tokens - audio),
            "output_tokens": self.output_tokens,
        }


class _Language(Struct, frozen=True, kw_only=True):
    code: str


class _Segment(Struct, frozen=True, kw_only=True):
    start: float
    end: float
    text: str
    speaker: str = ""


class _Body(Struct, frozen=True, kw_only=True):
    text: str
    language: str | None = None
    languages: list[_Language] | None = None
    segments: list[_Segment] | None = None
    usage: _Usage | None = None


async def transcribe(
    ctx: Context[Any],
    model: str,
    audio: bytes,
    *,
    seconds: float,
    file_name: str = "audio.ogg",
    content_type: str = "audio/ogg",
    language: str = "",
) -> Transcribed:
    """What is said in `audio`, in the language that is spoken, in one request.

    Args:
        ctx: the analyzer's context.
        model: model id.
        audio: a whole file: flac, mp3, mp4, m4a, ogg, wav, webm.
        seconds: how long it is: what is set aside for the call, and billed where the answer tells no usage.
        file_name: the vendor goes by its ending.
        content_type: of the file.
        language: ISO 639-1 code of what is spoken; empty: the model finds out.

    Raises:
        ValueError: the audio is empty or larger than `MOST_BYTES`.
        Terminal: the vendor takes it for no audio, or for too short or too long.
    """
    if not 0 < len(audio) <= MOST_BYTES or not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(
            f"transcribe takes 1 to {MOST_BYTES} bytes of audio that lasts, got {len(audio)} bytes, {seconds:g} s"
        )
    request = {"model": model, "file": (file_name, audio, content_type), **_options(model, language)}

    def read(body: _Body, call: PaidCall, request_id: str) -> Transcribed:
        units = body.usage.units() if body.usage else {"seconds": seconds}
        call.bill(model=model, request_id=request_id, **units)
        return Transcribed(
            text=body.text.strip(),
            model=model,
            request_id=request_id,
            language=_language(body),
            segments=tuple(
                SpokenSegment(start_s=row.start, end_s=row.end, text=row.text.strip(), speaker=row.speaker)
                for row in body.segments or ()
            ),
        )

    return await call_openai(
        ctx,
        "audio.transcriptions.create",
        model,
        most_units(seconds),
        lambda client: client.audio.transcriptions.with_raw_response.create(**request),
        _Body,
        read,
    )


def most_units(seconds: float) -> dict[str, float]:
    """What so much audio can use at most, in both ways of billing: a model's price knows one of them."""
    return {
        "seconds": float(math.ceil(seconds)),
        "audio_tokens": math.ceil(seconds * AUDIO_TOKENS_PER_S),
        "output_tokens": math.ceil(seconds * TEXT_TOKENS_PER_S),
    }


def _options(model: str, language: str) -> dict[str, Any]:
    if DIARIZING in model:
        options: dict[str, Any] = {"response_format": "diarized_json", "chunking_strategy": "auto"}
    elif WHISPER in model:
        options = {"response_format": "verbose_json", "timestamp_granularities": ["segment"]}
    else:
        options = {"response_format": "json"}
    if language:
        # The newest model takes several hints, the others one language.
        options |= {"languages": [language]} if model.startswith(NEW) else {"language": language}
    return options


def _language(body: _Body) -> str:
    if body.languages:
        return body.languages[0].code
    named = (body.language or "").lower()
    return ISO_639.get(named, named)
