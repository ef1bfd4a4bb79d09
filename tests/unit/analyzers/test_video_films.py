"""The video analyzer on films made for the purpose: shots, numbers, pictures, limits, odd files."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pytest
from PIL import Image

from adology import Skip
from adology.errors import MediaUnusableError
from adology.testing import AnalyzerConformance
from adology_video import VideoAnalyzer, VideoFacts, VideoSettings
from adology_video.faces import model_id
from tests.unit.analyzers.media_files import animation, film, red_corner, scene, sine
from tests.unit.analyzers.video_lab import Seen, cut_film, run, shots

LENGTHS = (20, 30, 25, 35, 15)
_MS = Fraction(1, 1000)
STARTS = (0.0, 0.8, 2.0, 3.0, 4.4)


class TestVideo(AnalyzerConformance):
    plugin = VideoAnalyzer


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("film")
    return run(cut_film(folder / "film.mp4", LENGTHS, sound=sine(-20, 5.0)), folder / "scratch")


def test_shots_cover_the_film_and_begin_at_its_cuts(seen: Seen) -> None:
    found = seen.facts.shots
    assert tuple(shot.start_s for shot in found) == pytest.approx(STARTS, abs=0.021)
    assert [shot.end_s for shot in found[:-1]] == [shot.start_s for shot in found[1:]]
    assert found[-1].end_s == seen.facts.duration_s == pytest.approx(5.0, abs=0.05)
    assert [shot.begins_with for shot in found] == ["start", "cut", "cut", "cut", "cut"]


def test_the_numbers_of_pace_follow_from_the_shots(seen: Seen) -> None:
    facts = seen.facts
    assert facts.first_cut_s == pytest.approx(0.8, abs=0.021)
    # The cut at 3.0 s opens the first shot after the first three seconds.
    assert (facts.shots_in_first_3s, facts.shots_in_first_5s, facts.most_shots_in_5s) == (3, 5, 5)
    assert facts.mean_shot_s == pytest.approx(1.0, abs=0.02)
    assert not facts.truncated
    assert not facts.damaged


def test_every_shot_has_a_picture_of_its_own_scene(seen: Seen) -> None:
    originals = shots(LENGTHS)
    for number, shot in enumerate(seen.facts.shots):
        assert shot.frame == f"shot-{number:02}.jpg"
        middle = originals[sum(LENGTHS[:number]) + LENGTHS[number] // 2]
        shown = np.asarray(seen.picture(shot.frame).resize((32, 18)), dtype=float)
        assert np.abs(shown - np.asarray(middle.resize((32, 18)), dtype=float)).mean() < 25


def test_the_storyboard_shows_its_tiles_where_it_says(seen: Seen) -> None:
    facts = seen.facts
    sheet = seen.picture(facts.storyboard)
    assert sheet.width == 1280
    assert [tile.time_s for tile in facts.tiles] == sorted(tile.time_s for tile in facts.tiles)
    assert len(facts.tiles) >= len(facts.shots)
    originals = shots(LENGTHS)
    for tile in facts.tiles:
        left, top, right, bottom = (round(share * size) for share, size in zip(tile.box, sheet.size * 2, strict=True))
        shown = np.asarray(sheet.crop((left, top, right, bottom)).resize((32, 18)), dtype=float)
        true = np.asarray(originals[round(tile.time_s * 25)].resize((32, 18)), dtype=float)
        assert np.abs(shown - true).mean() < 8


def test_sound_is_measured_beside_the_pictures(seen: Seen) -> None:
    sound = seen.facts.sound
    assert sound is not None
    assert sound.lufs == pytest.approx(-20.0, abs=0.3)
    assert sound.peak_dbfs == pytest.approx(-20.0, abs=0.5)
    assert sound.silences == ()


def test_the_same_film_gives_the_same_result_and_the_same_files(seen: Seen, tmp_path: Path) -> None:
    path = cut_film(tmp_path / "film.mp4", LENGTHS[:2])
    first, second = run(path, tmp_path / "a"), run(path, tmp_path / "b")
    assert first.facts == second.facts
    assert {k: v.read_bytes() for k, v in first.derived.items()} == {
        k: v.read_bytes() for k, v in second.derived.items()
    }
    assert msgspec.json.decode(msgspec.json.encode(seen.facts), type=VideoFacts) == seen.facts


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("film.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
        ("film.avi", "mpeg4", {}),
        ("film.mpg", "mpeg2video", {"flags": "+ilme+ildct"}),
        ("film.mov", "libx265", {"preset": "ultrafast", "x265-params": "log-level=none"}),
    ],
)
def test_codecs_and_containers_give_the_same_shots(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = cut_film(tmp_path / name, (15, 20, 15), codec=codec, codec_options=options)
    starts = [shot.start_s for shot in run(path, tmp_path / "scratch").facts.shots]
    assert starts == pytest.approx([0.0, 0.6, 1.4], abs=0.05)


def test_a_film_of_one_picture_is_one_shot(tmp_path: Path) -> None:
    facts = run(film(tmp_path / "one.mp4", [scene()]), tmp_path / "scratch").facts
    assert len(facts.shots) == 1
    assert facts.first_cut_s is None
    assert facts.most_shots_in_5s == 1
    assert facts.mean_shot_s == facts.duration_s > 0
    assert len(facts.tiles) == 1
    assert facts.sound is None


def test_a_still_film_is_one_shot_with_one_tile(tmp_path: Path) -> None:
    facts = run(film(tmp_path / "still.mp4", [scene()] * 50), tmp_path / "scratch").facts
    assert len(facts.shots) == 1
    assert len(facts.tiles) == 1


def test_black_at_the_beginning_is_no_shot(tmp_path: Path) -> None:
    black = Image.new("RGB", (320, 180))
    path = film(tmp_path / "film.mp4", [black] * 20 + shots((30, 30)), fps=25)
    facts = run(path, tmp_path / "scratch").facts
    assert [shot.start_s for shot in facts.shots] == pytest.approx([0.0, 2.0], abs=0.05)
    assert facts.shots[0].frame
    assert np.asarray(Image.open(tmp_path / "scratch" / facts.shots[0].frame)).mean() > 30


def test_a_rotated_film_has_upright_pictures(tmp_path: Path) -> None:
    path = film(tmp_path / "turned.mp4", [red_corner(160, 120)] * 10, rotate=90)
    seen = run(path, tmp_path / "scratch")
    shown = seen.picture("shot-00.jpg")
    assert shown.size == (120, 160)
    red = np.asarray(shown)[:, :, 1] < 100
    # A quarter turn against the clock takes the top left corner to the bottom left.
    assert red[90:, :50].mean() > 0.9
    assert red[:70].mean() < 0.05


def test_frames_at_odd_times_keep_their_own_times(tmp_path: Path) -> None:
    path = tmp_path / "vfr.mp4"
    times = [*range(0, 400, 40), *range(400, 2400, 200), *range(2400, 3000, 20)]
    pictures = shots((len([t for t in times if t < 1400]), len([t for t in times if t >= 1400])))
    _write_vfr(path, pictures, times)
    starts = [shot.start_s for shot in run(path, tmp_path / "scratch").facts.shots]
    assert starts == pytest.approx([0.0, 1.4], abs=0.01)


def _write_vfr(path: Path, pictures: list[Image.Image], times_ms: list[int]) -> None:
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *pictures[0].size, "yuv420p"
        stream.codec_context.time_base = stream.time_base = _MS
        for picture, time in zip(pictures, times_ms, strict=True):
            frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
            frame.pts, frame.time_base = time, _MS
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


# Limits


def test_what_is_beyond_look_s_is_left_out_and_said(tmp_path: Path) -> None:
    path = cut_film(tmp_path / "film.mp4", (20, 20, 20, 20))
    facts = run(path, tmp_path / "scratch", look_s=1.0).facts
    assert facts.truncated
    assert facts.looked_s == pytest.approx(1.0, abs=0.05)
    assert facts.duration_s == pytest.approx(3.2, abs=0.05)
    assert [shot.start_s for shot in facts.shots] == pytest.approx([0.0, 0.8], abs=0.03)
    assert facts.shots[-1].end_s == facts.looked_s
    assert facts.mean_shot_s == pytest.approx(0.5, abs=0.03)


def test_the_pixel_budget_ends_the_look(tmp_path: Path) -> None:
    path = film(tmp_path / "large.mp4", [scene(1280, 720)] * 30)
    facts = run(path, tmp_path / "scratch", decode_megapixels=10).facts
    assert facts.truncated
    assert 0 < facts.looked_s < facts.duration_s


def test_only_so_many_shots_get_pictures_evenly(tmp_path: Path) -> None:
    path = cut_film(tmp_path / "film.mp4", (10,) * 7)
    facts = run(path, tmp_path / "scratch", max_frames=3, max_tiles=4).facts
    assert [bool(shot.frame) for shot in facts.shots] == [True, False, False, True, False, False, True]
    assert len(facts.tiles) == 4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_pixels": 1000}, "the picture has 57600 pixels, 1000 are allowed"),
        ({"max_duration_s": 1.0}, "the video lasts 2 s, 1 s are allowed"),
    ],
)
def test_films_beyond_the_limits_are_refused(tmp_path: Path, settings: dict[str, Any], words: str) -> None:
    path = cut_film(tmp_path / "film.mp4", (50,))
    with pytest.raises(MediaUnusableError, match=words) as caught:
        run(path, tmp_path / "scratch", **settings)
    assert f"video analyzer's setting {next(iter(settings))}" in str(caught.value.hint)


# What is no film, or a broken one


def test_an_animated_picture_is_skipped_with_the_reason(tmp_path: Path) -> None:
    path = animation(tmp_path / "moving.gif", "GIF", [scene(seed=1), scene(seed=2)], 100)
    with pytest.raises(Skip, match="the file is a gif picture, not a video"):
        run(path, tmp_path / "scratch")


def test_a_cut_off_film_is_refused(tmp_path: Path) -> None:
    path = cut_film(tmp_path / "film.mp4", (40,))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(MediaUnusableError, match="cut off"):
        run(path, tmp_path / "scratch")


def test_a_damaged_film_is_looked_at_as_far_as_it_goes(tmp_path: Path) -> None:
    path = cut_film(tmp_path / "film.mp4", (40, 40))
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    begin = data.index(b"mdat") + 2000
    for at in rng.integers(begin, begin + (len(data) - begin) // 2, 60):
        data[at] ^= 0xFF
    path.write_bytes(data)
    facts = run(path, tmp_path / "scratch").facts
    assert facts.damaged
    assert facts.shots


def test_sound_without_pictures_is_refused(tmp_path: Path) -> None:
    path = film(tmp_path / "sound.mp4", [], sound=sine(-20, 1.0))
    with pytest.raises(MediaUnusableError, match="no picture to look at"):
        run(path, tmp_path / "scratch")


@pytest.mark.parametrize("name", ["bitflips.mp4", "single_frame.mp4", "timelapse_1000fps.mp4", "alpha.webm", "vfr.mp4"])
def test_odd_real_films_have_shots_within_their_length(shared_data: Path, tmp_path: Path, name: str) -> None:
    facts = run(shared_data / "videos/hard/generated" / name, tmp_path / "scratch").facts
    assert facts.shots[0].start_s == 0
    assert facts.shots[-1].end_s == facts.looked_s <= facts.duration_s + 0.001
    assert len(facts.shots) == 1


def test_two_hours_are_not_looked_at_whole(shared_data: Path, tmp_path: Path) -> None:
    facts = run(shared_data / "videos/hard/generated/long_2h_slate.mp4", tmp_path / "scratch", look_s=120.0).facts
    assert facts.truncated
    assert (facts.looked_s, facts.duration_s) == pytest.approx((120.0, 7200.0), abs=1.1)


@pytest.mark.parametrize("size", [(1600, 16), (16, 1600), (2, 2)])
def test_films_of_odd_shapes_have_a_sheet_of_sane_size(tmp_path: Path, size: tuple[int, int]) -> None:
    path = film(tmp_path / "odd.mp4", [scene(*size, seed=number // 5) for number in range(20)])
    seen = run(path, tmp_path / "scratch")
    width, height = seen.picture("storyboard.jpg").size
    assert width == 1280
    assert height < 3000


# What it depends on


def test_faces_belong_to_the_fingerprint_where_they_can_be_found() -> None:
    assert set(VideoAnalyzer.needs(VideoSettings()).uses) - {"text"} == ({model_id()} - {""})
    assert VideoAnalyzer.needs(VideoSettings(faces=False, text=False)).uses == ()


def test_importing_the_package_loads_no_decoder() -> None:
    check = (
        "import sys, adology_video; print(sorted({'av', 'PIL', 'onnxruntime', 'cv2', 'openai'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
