from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from adology_media import AudioTrack
from adology_media.loudness import Loudness, measure

from .conftest import Run
from .media_files import film, scene, sine, sound_frames

FRAMES = [scene(64, 64)]


def measured(path: Path, sound: NDArray[np.float32], *, limit_s: float = 600.0) -> Loudness:
    """Loudness of uncompressed sound: the encoder has no part in the number."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=48_000)
        stream.layout = "mono" if len(sound) == 1 else "stereo"
        for frame in sound_frames(sound):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        return measure(container, container.streams.audio[0], limit_s=limit_s)


@pytest.mark.parametrize("dbfs", [-23.0, -33.0, -6.0])
def test_a_stereo_1_khz_sine_is_as_loud_as_its_level(tmp_path: Path, dbfs: float) -> None:
    """EBU Tech 3341, cases 1 and 2."""
    assert measured(tmp_path / "a.wav", sine(dbfs, 10)).lufs == pytest.approx(dbfs, abs=0.1)


def test_one_channel_is_three_decibels_less(tmp_path: Path) -> None:
    assert measured(tmp_path / "a.wav", sine(-23, 10, channels=1)).lufs == pytest.approx(-26.0, abs=0.1)


def test_quiet_parts_fall_under_the_relative_gate(tmp_path: Path) -> None:
    """EBU Tech 3341, case 3: -36, -23, -36 dBFS for 10, 60, 10 s is -23 LUFS, not their mean."""
    sound = np.concatenate([sine(-36, 10), sine(-23, 60), sine(-36, 10)], axis=1)

    assert measured(tmp_path / "a.wav", sound).lufs == pytest.approx(-23.0, abs=0.1)


def test_silent_parts_fall_under_the_absolute_gate(tmp_path: Path) -> None:
    """EBU Tech 3341, case 4: -72 dBFS parts count for nothing."""
    parts = [sine(-72, 10), sine(-36, 10), sine(-23, 60), sine(-36, 10), sine(-72, 10)]

    assert measured(tmp_path / "a.wav", np.concatenate(parts, axis=1)).lufs == pytest.approx(-23.0, abs=0.1)


def test_bass_counts_less_than_treble(tmp_path: Path) -> None:
    bass = measured(tmp_path / "a.wav", sine(-23, 5, hertz=30)).lufs
    treble = measured(tmp_path / "b.wav", sine(-23, 5, hertz=6000)).lufs

    assert bass is not None
    assert treble is not None
    assert bass < -28
    assert treble == pytest.approx(-19.7, abs=0.5)


def test_only_the_beginning_is_heard(tmp_path: Path) -> None:
    sound = np.concatenate([sine(-23, 5), sine(-3, 20)], axis=1)

    heard = measured(tmp_path / "a.wav", sound, limit_s=5)

    assert heard == Loudness(lufs=-23.0, measured_s=5.0)


def test_silence_has_no_loudness(look: Run, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", FRAMES, sound=np.zeros((2, 96_000), dtype=np.float32))

    audio = look(path).facts.audio

    assert audio is not None
    assert audio.loudness_lufs is None
    assert audio.measured_s == pytest.approx(2.0, abs=0.1)


def test_sound_of_other_rates_and_codecs_is_measured_in_a_film(look: Run, tmp_path: Path) -> None:
    aac = look(film(tmp_path / "a.mp4", FRAMES, sound=sine(-23, 4))).facts.audio
    opus = look(film(tmp_path / "a.webm", FRAMES, codec="libvpx", sound=sine(-23, 4))).facts.audio

    assert aac is not None
    assert opus is not None
    assert aac.loudness_lufs == pytest.approx(-23.0, abs=0.4)
    assert opus.codec == "opus"
    assert opus.loudness_lufs == pytest.approx(-23.0, abs=0.4)


def test_measuring_can_be_switched_off(look: Run, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", FRAMES, sound=sine(-23, 1))

    assert look(path, loudness_s=0).facts.audio == AudioTrack(codec="aac", sample_rate=48_000, channels=2)
