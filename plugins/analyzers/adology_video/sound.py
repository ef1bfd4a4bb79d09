"""Loudness, its range, peak and silence of a film's sound, in one pass.

K-weighting and gating are those of the media analyzer; the range follows EBU Tech 3342.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from adology_media.containers import AUDIO_CODECS, codec_of, open_video
from adology_media.loudness import OFFSET, RATE, STEP, Track, filtered, integrate
from adology_media.loudness import energies as energies_of
from adology_media.sniff import Format
from adology_video.model import Sound, Stretch

STEP_S = STEP / RATE
STEPS_3S = 30
ABSOLUTE_GATE = -70.0
RANGE_GATE = -20.0
"""LU below the mean of what passed the first gate: what is quieter is no part of the programme (Tech 3342)."""
LOW, HIGH = 10.0, 95.0
QUIETEST = 1e-12
UNSIGNED_MIDDLE = 128


class Listener(Track):
    """Hands decoded frames on, and notes the highest sample and the energy of every tenth of a second."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        super().__init__(container, stream)
        self.peak = 0.0
        self._energies: list[float] = []
        self._sum, self._count = 0.0, 0

    def frames(self) -> Iterator[AudioFrame]:
        """The frames, heard."""
        for frame in super().frames():
            self._hear(samples_of(frame), frame.sample_rate)
            yield frame

    def energies(self) -> list[float]:
        """Mean square of the loudest channel, per tenth of a second; the last one may be shorter."""
        return [*self._energies, self._sum / self._count] if self._count else self._energies

    def _hear(self, samples: NDArray[np.float64], rate: int) -> None:
        self.peak = max(self.peak, float(np.abs(samples).max(initial=0.0)))
        power = np.square(samples).max(axis=1)
        step = max(1, round(rate * STEP_S))
        at = 0
        while at < len(power):
            part = power[at : at + step - self._count]
            self._sum, self._count, at = self._sum + float(part.sum()), self._count + len(part), at + len(part)
            if self._count == step:
                self._energies.append(self._sum / step)
                self._sum, self._count = 0.0, 0


def listen(path: Path, format_: Format, *, limit_s: float, silence_dbfs: float, silence_s: float) -> Sound | None:
    """The first audio track, as far as `limit_s`; None where there is none that we decode.

    Raises:
        MediaUnusableError: the file cannot be opened.
    """
    if limit_s <= 0:
        return None
    with open_video(path, format_) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        if codec_of(stream) not in AUDIO_CODECS:
            return None
        track = Listener(container, stream)
        try:
            weighted = _first(energies_of(filtered(track)), math.ceil(limit_s / STEP_S))
        except (av.FFmpegError, ValueError):
            return Sound(damaged=True)
    energies = np.array(track.energies()[: math.ceil(limit_s / STEP_S)])
    if track.damaged or not len(energies):
        return Sound(measured_s=round(len(energies) * STEP_S, 1), damaged=True)
    silences = find_silences(energies, silence_dbfs, silence_s)
    quiet_s = sum(one.end_s - one.start_s for one in silences)
    return Sound(
        lufs=integrate(weighted),
        range_lu=loudness_range(weighted),
        peak_dbfs=round(20 * math.log10(track.peak), 1) if track.peak > QUIETEST else None,
        silences=silences,
        silent_share=round(min(1.0, quiet_s / (len(energies) * STEP_S)), 3),
        measured_s=round(len(energies) * STEP_S, 1),
    )


def _first(steps: Iterator[float], most: int) -> NDArray[np.float64]:
    found: list[float] = []
    for step in steps:
        found.append(step)
        if len(found) >= most:
            break
    return np.array(found)


def loudness_range(steps: NDArray[np.float64]) -> float | None:
    """LU between the 10th and 95th percentile of the loudness of 3 s stretches, gated.

    `steps`: weighted energies of tenths of a second.
    """
    if len(steps) < STEPS_3S:
        return None
    blocks = np.convolve(steps, np.full(STEPS_3S, 1 / STEPS_3S), "valid")
    blocks = blocks[blocks > 10 ** ((ABSOLUTE_GATE - OFFSET) / 10)]
    if not len(blocks):
        return None
    gated = blocks[blocks >= blocks.mean() * 10 ** (RANGE_GATE / 10)]
    low, high = np.percentile(10 * np.log10(gated), (LOW, HIGH))
    return round(float(high - low), 1)


def find_silences(energies: NDArray[np.float64], dbfs: float, shortest_s: float) -> tuple[Stretch, ...]:
    """Stretches quieter than `dbfs` (RMS), of at least `shortest_s` seconds."""
    quiet = energies < 10 ** (dbfs / 10)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8))).reshape(-1, 2)
    return tuple(
        Stretch(start_s=round(int(start) * STEP_S, 1), end_s=round(int(end) * STEP_S, 1))
        for start, end in edges
        if (end - start) * STEP_S >= shortest_s - STEP_S / 2
    )


def samples_of(frame: AudioFrame) -> NDArray[np.float64]:
    """Samples in [-1, 1], (samples, channels), of any format."""
    raw = frame.to_ndarray()
    if raw.dtype == np.uint8:
        values = (raw.astype(np.float64) - UNSIGNED_MIDDLE) / UNSIGNED_MIDDLE
    elif raw.dtype.kind == "i":
        values = raw.astype(np.float64) / 2.0 ** (8 * raw.dtype.itemsize - 1)
    else:
        values = raw.astype(np.float64)
    return values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
