"""Loudness range, peak and silence, on signals whose values are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from av import AudioResampler
from numpy.typing import NDArray

from adology_media.loudness import OFFSET
from adology_media.sniff import sniff
from adology_video import Sound
from adology_video.sound import find_silences, listen, loudness_range, samples_of
from tests.unit.analyzers.media_files import film, scene, sine, sound_frames


def heard(folder: Path, sound: NDArray[np.float32], *, limit_s: float = 600.0) -> Sound | None:
    path = film(folder / "film.mp4", [scene(64, 48)], sound=sound)
    return listen(path, sniff(path), limit_s=limit_s, silence_dbfs=-50.0, silence_s=0.5)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        # The minimum requirements of EBU Tech 3342, cases 1 to 3, each stretch 20 s of a 1 kHz sine, tolerance 1 LU.
        ((-20.0, -30.0), 10.0),
        ((-20.0, -15.0), 5.0),
        ((-40.0, -20.0), 20.0),
    ],
)
def test_the_loudness_range_meets_the_requirements_of_the_standard(
    levels: tuple[float, float], expected: float
) -> None:
    # A 1 kHz sine of equal channels at x dB of full scale has x LUFS.
    energies = np.concatenate([np.full(200, 10 ** ((level - OFFSET) / 10)) for level in levels])
    assert loudness_range(energies) == pytest.approx(expected, abs=1.0)


def test_short_tracks_have_no_range_but_a_loudness(tmp_path: Path) -> None:
    found = heard(tmp_path, sine(-23.0, 2.0))
    assert found is not None
    assert found.range_lu is None
    assert found.lufs == pytest.approx(-23.0, abs=0.3)


def test_silences_are_found_where_they_are(tmp_path: Path) -> None:
    pause = np.zeros((2, 48_000), np.float32)
    blip = pause[:, : 48_000 // 5]
    found = heard(tmp_path, np.concatenate([sine(-12, 1.0), pause, sine(-12, 1.0), blip, sine(-12, 1.0)], axis=1))
    assert found is not None
    (silence,) = found.silences
    assert (silence.start_s, silence.end_s) == pytest.approx((1.0, 2.0), abs=0.11)
    assert found.silent_share == pytest.approx(1 / 4.2, abs=0.04)
    assert found.peak_dbfs == pytest.approx(-12.0, abs=1.0)  # the codec overshoots where sound begins


def test_a_silent_track_is_all_silence_without_loudness(tmp_path: Path) -> None:
    found = heard(tmp_path, np.zeros((2, 96_000), np.float32))
    assert found is not None
    assert (found.lufs, found.peak_dbfs, found.silent_share) == (None, None, 1.0)


def test_only_the_beginning_is_listened_to_when_asked(tmp_path: Path) -> None:
    found = heard(tmp_path, np.concatenate([sine(-30, 1.0), sine(-6, 2.0)], axis=1), limit_s=1.0)
    assert found is not None
    assert found.measured_s == 1.0
    assert found.lufs == pytest.approx(-30, abs=0.5)
    assert heard(tmp_path, sine(-20, 1.0), limit_s=0.0) is None


def test_a_film_without_a_track_has_no_sound(tmp_path: Path) -> None:
    path = film(tmp_path / "mute.mp4", [scene(64, 48)])
    assert listen(path, sniff(path), limit_s=10, silence_dbfs=-50, silence_s=0.5) is None


def test_samples_of_every_format_are_of_one_scale() -> None:
    (frame,) = sound_frames(np.stack([sine(0, 0.02)[0] / 2, sine(0, 0.02)[0] / 4]), block=960)
    for name in ("u8", "s16", "s16p", "s32", "flt", "fltp", "dbl"):
        (made,) = AudioResampler(format=name).resample(frame)
        samples = samples_of(made)
        assert samples.shape == (960, 2), name
        assert np.abs(samples).max(axis=0) == pytest.approx([0.5, 0.25], abs=0.01), name


def test_energies_below_the_threshold_count_from_their_shortest_length() -> None:
    energies = np.array([1e-1, *[1e-7] * 4, 1e-1, *[1e-7] * 5, 1e-1])
    (only,) = find_silences(energies, -50.0, 0.5)
    assert (only.start_s, only.end_s) == (0.6, 1.1)


def test_the_range_leaves_out_what_is_no_programme() -> None:
    loud, faint = 10 ** (-20 / 10), 10 ** (-55 / 10)
    assert loudness_range(np.array([loud] * 100 + [faint] * 100)) == pytest.approx(0.0, abs=5.1)
    assert loudness_range(np.full(100, 1e-12)) is None
