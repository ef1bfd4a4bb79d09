"""``POST /v1/audio/transcriptions``: a form with a file, which is really decoded; the words come from its hash."""

from __future__ import annotations

import hashlib
import io
import math
from typing import Any

import av
import msgspec
import numpy as np
from aiohttp import web

from upstreams.openai import errors
from upstreams.openai.tokens import text_tokens

MODELS = frozenset({"gpt-transcribe", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize"}) | {
    "whisper-1"
}
BY_TOKENS = "gpt-4o"
"""Models that begin so bill tokens, the others the audio's duration."""
ENDINGS = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
MOST_BYTES = 25 * 1024 * 1024
LONGEST_S = 1500.0
SHORTEST_S = 0.1
UNDIARIZED_S = 30.0
AUDIO_TOKENS_PER_S = 10
QUIET = 0.003
SEGMENT_S = 4.0
SENTENCES = (
    "Made for the long way home.",
    "Now thirty percent off, this week only.",
    "Try it free for fourteen days.",
    "Order today and it ships tomorrow.",
    "I have used it every morning since.",
    "Tap below to find your size.",
)


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """The file of a form."""

    name: str
    content_type: str
    data: bytes


async def read_form(request: web.Request) -> dict[str, Any]:
    """The fields of a form; ``name[]`` becomes a list under ``name``, a file an `Upload`."""
    fields: dict[str, Any] = {}
    for name, value in (await request.post()).items():
        given: Any = value
        if isinstance(value, web.FileField):
            given = Upload(name=value.filename, content_type=value.content_type, data=value.file.read())
        if name.endswith("[]"):
            fields.setdefault(name[:-2], []).append(given)
        else:
            fields[name] = given
    return fields


class AskedTranscription:
    """One request, read and checked."""

    def __init__(self, body: dict[str, Any]) -> None:
        upload = body.get("file")
        if not isinstance(upload, Upload):
            raise errors.missing("file")
        self.model: str = body.get("model") or ""
        if not self.model:
            raise errors.missing("model")
        if self.model not in MODELS:
            raise errors.unknown_model(self.model)
        self.format: str = body.get("response_format") or "json"
        self.data = upload.data
        self.language: str = body.get("language") or next(iter(body.get("languages", [])), "") or "en"
        _check_file(upload)
        self._check_format()
        self.seconds, self.loudest = _listen(upload.data)
        self._check_length(body)

    @property
    def by_tokens(self) -> bool:
        """Whether the model bills tokens."""
        return self.model.startswith(BY_TOKENS)

    @property
    def tokens(self) -> int:
        """What counts towards the minute's tokens."""
        return math.ceil(self.seconds * AUDIO_TOKENS_PER_S)

    @property
    def content(self) -> tuple[object, ...]:
        """What makes this request the same as another."""
        return ("transcriptions", self.model, hashlib.sha256(self.data).hexdigest())

    def body(self) -> dict[str, Any]:
        """The answer, in the asked format. Nothing is heard where nothing is said."""
        segments = self._segments()
        answer: dict[str, Any] = {
            "text": " ".join(row["text"].strip() for row in segments),
            "usage": self._usage(segments),
        }
        if self.model == "gpt-transcribe":
            answer["languages"] = [{"code": self.language}] if segments else []
        if self.format == "verbose_json":
            answer |= {"task": "transcribe", "language": "english", "duration": round(self.seconds, 2)}
            answer["segments"] = [_verbose(number, row) for number, row in enumerate(segments)]
        if self.format == "diarized_json":
            answer |= {"task": "transcribe", "duration": round(self.seconds, 2)}
            answer["segments"] = [
                {**row, "id": f"seg_{number}", "type": "transcript.text.segment", "speaker": "AB"[number % 2]}
                for number, row in enumerate(segments)
            ]
        return answer

    def _segments(self) -> list[dict[str, Any]]:
        if self.loudest < QUIET:
            return []
        seed = hashlib.sha256(self.data).digest()
        count = max(1, math.ceil(self.seconds / SEGMENT_S))
        return [
            {
                "start": round(number * SEGMENT_S, 2),
                "end": round(min(self.seconds, (number + 1) * SEGMENT_S), 2),
                "text": " " + SENTENCES[seed[number % len(seed)] % len(SENTENCES)],
            }
            for number in range(count)
        ]

    def _usage(self, segments: list[dict[str, Any]]) -> dict[str, Any]:
        if not self.by_tokens:
            return {"type": "duration", "seconds": math.ceil(self.seconds)}
        written = sum(text_tokens(row["text"]) for row in segments)
        return {
            "type": "tokens",
            "input_tokens": self.tokens,
            "input_token_details": {"audio_tokens": self.tokens, "text_tokens": 0},
            "output_tokens": written,
            "total_tokens": self.tokens + written,
        }

    def _check_format(self) -> None:
        known = {"json", "text", "srt", "vtt", "verbose_json"}
        if self.by_tokens or self.model == "gpt-transcribe":
            known = {"json", "text", "diarized_json"} if self.model.endswith("diarize") else {"json", "text"}
        if self.format not in known:
            text = (
                f"response_format '{self.format}' is not compatible with model '{self.model}'. "
                f"Use {' or '.join(repr(name) for name in sorted(known))} instead."
            )
            raise errors.invalid(text, param="response_format", code="unsupported_value")

    def _check_length(self, body: dict[str, Any]) -> None:
        if self.seconds < SHORTEST_S:
            text = f"Audio file is too short. Minimum audio length is {SHORTEST_S} seconds."
            raise errors.invalid(text, param="file", code="audio_too_short")
        if self.by_tokens and self.seconds > LONGEST_S:
            text = (
                f"audio duration {self.seconds:g} seconds is longer than {LONGEST_S:g} seconds which is the maximum "
                "for this model"
            )
            raise errors.invalid(text, param="file", code="invalid_value")
        if self.model.endswith("diarize") and self.seconds > UNDIARIZED_S and not body.get("chunking_strategy"):
            text = "chunking_strategy is required for diarization models"
            raise errors.invalid(text, param="chunking_strategy", code="invalid_value")


def _check_file(upload: Upload) -> None:
    if len(upload.data) > MOST_BYTES:
        text = f"Maximum content size limit ({MOST_BYTES + 1024 * 1024}) exceeded ({len(upload.data)} bytes read)"
        raise errors.Refusal(413, text)
    if upload.name.rpartition(".")[2].lower() not in ENDINGS:
        raise errors.invalid(f"Unrecognized file format. Supported formats: {list(ENDINGS)}", param="file")


def _listen(data: bytes) -> tuple[float, float]:
    """Seconds and the loudest sample, of 1."""
    samples, rate, loudest = 0, 1, 0.0
    resampler = av.AudioResampler(format="flt", layout="mono", rate=16_000)
    try:
        with av.open(io.BytesIO(data), "r") as container:
            for frame in container.decode(audio=0):
                for heard in resampler.resample(frame):
                    samples, rate = samples + heard.samples, heard.sample_rate
                    loudest = max(loudest, float(np.abs(heard.to_ndarray()).max(initial=0.0)))
    except (av.FFmpegError, ValueError, IndexError):
        text = "Audio file might be corrupted or unsupported"
        raise errors.invalid(text, param="file", code="invalid_value") from None
    return samples / rate, loudest


def _verbose(number: int, row: dict[str, Any]) -> dict[str, Any]:
    made = {"id": number, "seek": 0, "tokens": [], "temperature": 0.0, "avg_logprob": -0.2}
    return {**row, **made, "compression_ratio": 1.2, "no_speech_prob": 0.01}
