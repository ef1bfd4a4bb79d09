"""What the video analyzer finds in films whose cuts are known, and its loudness beside FFmpeg's.

Films are drawn (`video_drawn`) over drawn pictures and over photographs, encoded in several ways, and
joined from real clips. The thresholds were set on seeds below 100 and on a look at the clips; measured
is on other seeds.
"""

from __future__ import annotations

import math
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph
from PIL import Image

from adology_media.sniff import Format, sniff
from adology_video.changes import Change as Found
from adology_video.changes import find_changes
from adology_video.settings import VideoSettings
from adology_video.sound import listen
from adology_video.watch import watch
from tests.quality.embeddings import Row
from tests.quality.video_drawn import HEIGHT, MARGIN, WIDTH, Change, Film, Frame, Shot, drawn_films, join

ENCODINGS: tuple[tuple[str, int, str, dict[str, str]], ...] = (
    ("mp4", 25, "libx264", {"preset": "veryfast", "crf": "28"}),
    ("webm", 30, "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "crf": "38", "b:v": "0"}),
    ("mp4", 24, "mpeg4", {"b": "400000"}),
    ("mp4", 12, "libx264", {"preset": "veryfast", "crf": "34"}),
    ("mp4", 60, "libx264", {"preset": "veryfast", "crf": "24"}),
)
"""Ending, frames a second, encoder, options: from good to bad."""
FIRST_SEED = 101
TOLERANCE_S = 0.1
PICTURES = ("photos/coco", "photos/imageio", "labelled/categories")
CLIPS = ("bigbuckbunny.mp4", "carphone_pristine.mp4", "cockatoo.mp4", "mdn-frog.mp4", "mdn-pig.webm", "v2s.mov")
ALONE: dict[str, tuple[float, ...]] = {
    "clips/bigbuckbunny.mp4": (),
    "clips/carphone_pristine.mp4": (),
    "clips/cockatoo.mp4": (),
    "clips/fb-sdk-test.mp4": (),
    "clips/mdn-frog.mp4": (),
    "clips/mdn-pig.webm": (),
    "clips/mdn-rabbit320.mp4": (),
    "clips/v2s.mov": (1.55,),
    "near_dup/chair-orig-22-sd-bar.mp4": (),
    "near_dup/doorknob-hd-no-bar.mp4": (),
    "hard/v_shooting_01_01.mpg": (),
}
"""Real clips and their cuts, as seen by eye."""
SOUNDING = (
    *(f"clips/{name}" for name in ("bigbuckbunny.mp4", "fb-sdk-test.mp4", "mdn-rabbit320.mp4", "sample.mp3")),
    "near_dup/chair-orig-22-sd-bar.mp4",
    "near_dup/doorknob-hd-no-bar.mp4",
)
SLOW = frozenset({"dissolves", "slow dissolves", "through black"})


@dataclass
class Tally:
    """Right, wrong and missed changes, and seconds of film."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    seconds: float = 0.0

    def add(self, found: Iterable[Found], truth: Iterable[Change], fps: float, seconds: float) -> None:
        """Count one film."""
        tolerance = max(TOLERANCE_S, 1.5 / fps)
        left = list(truth)
        self.seconds += seconds
        for one in found:
            hit = next((t for t in left if t.begins_s - tolerance <= one.time_s <= t.ends_s + tolerance), None)
            self.right, self.wrong = self.right + (hit is not None), self.wrong + (hit is None)
            if hit is not None:
                left.remove(hit)
        self.missed += len(left)

    @property
    def precision(self) -> float:
        """Share of what was found that is true."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Share of what is true that was found."""
        return self.right / max(1, self.right + self.missed)


def measure(data: Path) -> list[Row]:
    """Everything; about three minutes of one core."""
    return [
        *shot_rows("drawn pictures", judge_drawn(range(FIRST_SEED, FIRST_SEED + 5))),
        *shot_rows("photographs", judge_drawn(range(FIRST_SEED + 5, FIRST_SEED + 15), photographs(data))),
        *measure_clips(data),
        *measure_loudness(data),
    ]


def shot_rows(over: str, tallies: dict[str, Tally]) -> list[Row]:
    """One row for cuts, for slow changes, for films without any, and for all."""
    cuts, slow, calm, whole = Tally(), Tally(), Tally(), Tally()
    for kind, tally in tallies.items():
        still = tally.right + tally.missed == 0
        for total in (whole, calm if still else slow if kind in SLOW else cuts):
            total.right, total.wrong = total.right + tally.right, total.wrong + tally.wrong
            total.missed, total.seconds = total.missed + tally.missed, total.seconds + tally.seconds
    worst = max(tallies, key=lambda kind: tallies[kind].wrong + tallies[kind].missed)
    note = f"most mistakes in: {worst} ({tallies[worst].wrong} wrong, {tallies[worst].missed} missed)"
    rows: list[Row] = []
    for name, total in (("hard cuts", cuts), ("dissolves and fades", slow), ("all", whole)):
        n = total.right + total.missed
        rows.append((f"video: {name} over {over}, recall", total.recall, "share", n, note))
        rows.append((f"video: {name} over {over}, precision", total.precision, "share", n, note))
    kept = f"{calm.seconds / 60:.1f} minutes: flashes, pans, captions, windows, light, zoom, noise"
    rows.append((f"video: false changes over {over} without any", calm.wrong, "changes", round(calm.seconds), kept))
    return rows


def judge_drawn(seeds: Iterable[int], scenes: Any = None) -> dict[str, Tally]:
    """Films of every kind, each seed in the next encoding."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds):
            ending, fps, codec, options = ENCODINGS[number % len(ENCODINGS)]
            for film in drawn_films(seed, fps, scenes) if scenes else drawn_films(seed, fps):
                path = film.write(Path(folder) / f"film.{ending}", codec, **options)
                tallies[film.kind].add(changes_of(path), film.changes, fps, len(film.frames) / fps)
    return dict(tallies)


def changes_of(path: Path) -> list[Found]:
    """As the analyzer finds them."""
    watched = watch(path, sniff(path), VideoSettings(faces=False))
    return find_changes(watched.times, watched.small)


def photographs(data: Path) -> Any:
    """Real pictures as scenes, in an order that mixes their kinds."""
    paths = sorted(
        p for folder in PICTURES for p in (data / folder).rglob("*") if p.suffix in (".jpg", ".png", ".JPEG")
    )
    order = np.random.default_rng(0).permutation(len(paths))

    def scene(number: int) -> Frame:
        width, height = int(WIDTH * MARGIN), int(HEIGHT * MARGIN)
        with Image.open(paths[order[number % len(paths)]]) as image:
            whole = image.convert("RGB")
        scale = max(width / whole.width, height / whole.height)
        large = whole.resize((round(whole.width * scale) + 1, round(whole.height * scale) + 1))
        return np.asarray(large.crop((0, 0, width, height)))

    return scene


def measure_clips(data: Path) -> list[Row]:
    """Real clips joined with hard cuts, and as they are."""
    joined, alone = Tally(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(4):
            film = join_clips(data / "videos/clips", number)
            path = film.write(Path(folder) / "film.mp4", "libx264", preset="veryfast", crf="28")
            joined.add(changes_of(path), film.changes, film.fps, len(film.frames) / film.fps)
    for name, cuts in ALONE.items():
        path = data / "videos" / name
        found = changes_of(path)
        alone.add(found, (Change(at, at) for at in cuts), 25, float(watch_length(path)))
    n = joined.right + joined.missed
    return [
        ("video: hard cuts of joined real clips, recall", joined.recall, "share", n, "moving people and animals"),
        ("video: hard cuts of joined real clips, precision", joined.precision, "share", n, "same"),
        ("video: false changes in real clips", alone.wrong, "changes", round(alone.seconds), "judged by eye"),
        ("video: missed changes in real clips", alone.missed, "changes", 1, "they have one cut in all"),
    ]


def watch_length(path: Path) -> float:
    """Seconds of a film."""
    with av.open(str(path), "r") as container:
        return (container.duration or 0) / av.time_base


def join_clips(folder: Path, number: int, *, pieces: int = 8) -> Film:
    """Pieces of different clips in turn, each 0.6 to 2 seconds."""
    rng = np.random.default_rng(number)
    clips = [_frames(folder / name) for name in CLIPS[:5]]
    shots: list[tuple[Shot, float]] = []
    which = 0
    for _ in range(pieces):
        which = (which + int(rng.integers(1, len(clips)))) % len(clips)  # never the same twice in turn
        frames = clips[which]
        length = float(rng.uniform(0.6, 2.0))
        begin = int(rng.integers(0, max(1, len(frames) - int(length * 25) - 1)))
        shots.append((_play(frames, begin), length))
    return join("joined clips", shots, 25)


def _play(frames: list[Frame], begin: int) -> Shot:
    return lambda t: frames[min(len(frames) - 1, begin + int(t * 25 + 1e-6))]


def _frames(path: Path) -> list[Frame]:
    with av.open(str(path), "r") as container:
        return [
            frame.reformat(width=WIDTH, height=HEIGHT, format="rgb24").to_ndarray().astype(np.uint8)
            for frame in container.decode(video=0)
        ]


# Loudness


def measure_loudness(data: Path) -> list[Row]:
    """Largest disagreement with FFmpeg's meter on real sound."""
    lufs, span, peak = [], [], []
    for name in SOUNDING:
        path = data / "videos" / name
        theirs = ffmpeg_meter(path)
        ours = own_meter(path)
        if theirs is None or ours is None:
            continue
        lufs.append(abs(ours[0] - theirs[0]))
        peak.append(abs(ours[2] - theirs[2]))
        if ours[1] is not None:
            span.append(abs(ours[1] - theirs[1]))
    return [
        ("video: integrated loudness, largest difference to FFmpeg", max(lufs), "LU", len(lufs), "EBU R 128"),
        ("video: loudness range, largest difference to FFmpeg", max(span), "LU", len(span), "EBU Tech 3342"),
        ("video: sample peak, largest difference to FFmpeg", max(peak), "dB", len(peak), ""),
    ]


def own_meter(path: Path) -> tuple[float, float | None, float] | None:
    """Loudness, range and peak as the analyzer measures them; None for silence."""
    mp3 = Format(kind="video", name="mp3", mime="audio/mpeg", reader="mp3")
    format_ = mp3 if path.suffix == ".mp3" else sniff(path)
    sound = listen(path, format_, limit_s=600, silence_dbfs=-50, silence_s=0.5)
    if sound is None or sound.lufs is None or sound.peak_dbfs is None:
        return None
    return sound.lufs, sound.range_lu, sound.peak_dbfs


def ffmpeg_meter(path: Path) -> tuple[float, float, float] | None:
    """The same by FFmpeg's filter ebur128; None without sound."""
    seen: dict[str, str] = {}
    with av.open(str(path), "r") as container:
        if not container.streams.audio:
            return None
        graph: Graph | None = None
        samples = 0
        for frame in container.decode(audio=0):
            frame.pts, frame.time_base = samples, Fraction(1, frame.sample_rate)
            samples += frame.samples
            graph = graph or _meter(frame)
            graph.push(frame)
            for out in _pulled(graph):
                seen.update(out.metadata)
    values = [float(seen.get(f"lavfi.r128.{key}", "nan")) for key in ("I", "LRA", "sample_peak")]
    highest = max((float(v) for k, v in seen.items() if k.startswith("lavfi.r128.sample_peaks_ch")), default=values[2])
    return values[0], values[1], 20 * math.log10(highest) if highest > 0 else float("-inf")


def _meter(frame: AudioFrame) -> Graph:
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=frame.sample_rate,
        format=frame.format,
        layout=frame.layout,
        time_base=Fraction(1, frame.sample_rate),
    )
    meter = graph.add("ebur128", "metadata=1:peak=sample")
    graph.link_nodes(source, meter, graph.add("abuffersink")).configure()
    return graph


def _pulled(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            out = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        if isinstance(out, AudioFrame):
            yield out
