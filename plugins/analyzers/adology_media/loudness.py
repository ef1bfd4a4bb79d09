"""Integrated loudness by ITU-R BS.1770-4, as EBU R 128 uses it.

FFmpeg resamples to 48 kHz and runs the two K-weighting filters; what is here is the rest:
channel weights, 400 ms blocks with 75 % overlap, the absolute and the relative gate. Memory is
one number per 100 ms, whatever the length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.filter import Graph
from numpy.typing import NDArray

from adology import Struct

RATE = 48_000
STEP = RATE // 10
STEPS_PER_BLOCK = 4
OFFSET = -0.691
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
MAX_ERRORS = 1000
TOLERATED = 0.1
LOUDEST_SAMPLE = 8.0
LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""What a number of channels without names is taken for."""

FLOATING = frozenset({"flt", "fltp", "dbl", "dblp"})

# BS.1770-4, tables 1 and 2, for 48 kHz.
SHELF = "b0=1.53512485958697:b1=-2.69169618940638:b2=1.19839281085285:a0=1:a1=-1.69065929318241:a2=0.73248077421585"
LOW_CUT = "b0=1:b1=-2:b2=1:a0=1:a1=-1.99004745483398:a2=0.99007225036621"

SURROUND = frozenset({"BL", "BR", "SL", "SR", "BC", "WL", "WR"})
LOW_FREQUENCY = frozenset({"LFE", "LFE2"})
SURROUND_WEIGHT = 1.41


class Loudness(Struct, frozen=True, kw_only=True):
    """`lufs` is None where nothing passed the absolute gate; `measured_s` is how much was heard."""

    lufs: float | None
    measured_s: float


def measure(container: InputContainer, stream: AudioStream, *, limit_s: float) -> Loudness:
    """Loudness of the first `limit_s` seconds; None where more than a tenth of it is damaged."""
    steps: list[float] = []
    limit = math.ceil(limit_s * RATE / STEP)
    track = Track(container, stream)
    for energy in energies(filtered(track)):
        steps.append(energy)
        if len(steps) >= limit:
            break
    lufs = None if track.damaged else integrate(np.array(steps))
    return Loudness(lufs=lufs, measured_s=round(len(steps) * STEP / RATE, 1))


def integrate(steps: NDArray[np.float64]) -> float | None:
    """Gated loudness of the energies of consecutive 100 ms steps (weighted sums over channels)."""
    if len(steps) < STEPS_PER_BLOCK:
        return None
    blocks = np.convolve(steps, np.full(STEPS_PER_BLOCK, 1 / STEPS_PER_BLOCK), "valid")
    blocks = blocks[blocks > _energy(ABSOLUTE_GATE)]
    if not len(blocks):
        return None
    gated = blocks[blocks > blocks.mean() * 10 ** (RELATIVE_GATE / 10)]
    return round(OFFSET + 10 * math.log10(gated.mean()), 1)


def _energy(lufs: float) -> float:
    return float(10 ** ((lufs - OFFSET) / 10))


def energies(frames: Iterator[AudioFrame]) -> Iterator[float]:
    """Energy of each whole 100 ms; the rest at the end is too short to weigh."""
    rest: NDArray[np.float64] = np.zeros(0)
    for frame in frames:
        power = np.square(frame.to_ndarray().astype(np.float64)).T @ _weights(frame)
        rest = np.concatenate([rest, power])
        whole = len(rest) // STEP
        if whole:
            yield from rest[: whole * STEP].reshape(whole, STEP).mean(axis=1).tolist()
            rest = rest[whole * STEP :]


def _weights(frame: AudioFrame) -> NDArray[np.float64]:
    names = [channel.name for channel in frame.layout.channels]
    return np.array([0.0 if n in LOW_FREQUENCY else SURROUND_WEIGHT if n in SURROUND else 1.0 for n in names])


def filtered(track: Track) -> Iterator[AudioFrame]:
    """K-weighted planar float frames at 48 kHz."""
    graph: Graph | None = None
    for frame in track.frames():
        graph = graph or _graph(frame)
        try:
            graph.push(frame)
        except (av.FFmpegError, ValueError):
            # The format changed in mid-stream: what came before is measured.
            return
        yield from _pull(graph)


def _graph(frame: AudioFrame) -> Graph:
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=frame.sample_rate,
        format=frame.format,
        layout=frame.layout,
        time_base=Fraction(1, frame.sample_rate),
    )
    graph.link_nodes(
        source,
        graph.add("aresample", str(RATE)),
        graph.add("aformat", f"sample_fmts=fltp:sample_rates={RATE}"),
        graph.add("biquad", SHELF),
        graph.add("biquad", LOW_CUT),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _pull(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        if isinstance(frame, AudioFrame):
            yield frame


class Track:
    """Decodes, and keeps count of what cannot be decoded."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._packets = container.demux(stream)
        self._good = 0
        self._bad = 0

    @property
    def damaged(self) -> bool:
        """Whether too much is missing for a number to be honest."""
        return self._bad > TOLERATED * (self._good + self._bad)

    def frames(self) -> Iterator[AudioFrame]:
        """Frames with their times set anew: gaps in broken tracks must not stop the filters."""
        samples = 0
        while self._bad < MAX_ERRORS:
            try:
                frames = next(self._packets).decode()
            except (StopIteration, av.EOFError):
                return
            except (av.FFmpegError, ValueError):
                self._bad += 1
                continue
            for decoded in frames:
                if not isinstance(decoded, AudioFrame) or not decoded.samples:
                    continue
                frame = _placed(decoded)
                if frame is None or not _plausible(frame):
                    self._bad += 1
                    continue
                self._good += 1
                frame.pts, frame.time_base = samples, Fraction(1, frame.sample_rate)
                samples += frame.samples
                yield frame


def _placed(frame: AudioFrame) -> AudioFrame | None:
    """The frame with named channels; FFmpeg's filters silently pass unnamed ones by."""
    if all(channel.name != "NONE" for channel in frame.layout.channels):
        return frame
    layout = LAYOUTS.get(frame.layout.nb_channels)
    if layout is None:
        return None
    placed = AudioFrame.from_ndarray(frame.to_ndarray(), format=frame.format.name, layout=layout)
    placed.sample_rate = frame.sample_rate
    return placed


def _plausible(frame: AudioFrame) -> bool:
    """Bit errors make decoders put out samples thousands of times louder than full scale."""
    if frame.format.name not in FLOATING:
        return True
    loudest = float(np.abs(frame.to_ndarray()).max())
    return math.isfinite(loudest) and loudest <= LOUDEST_SAMPLE
