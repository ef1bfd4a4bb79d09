from __future__ import annotations

import socket
import threading
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from adology.errors import MediaUnusableError
from adology_media import AudioTrack, MediaFacts
from adology_media.phash import distance

from .conftest import Run
from .media_files import film, red_corner, scene, sine


def scenes(count: int, per_scene: int, width: int = 160, height: int = 90) -> list[Image.Image]:
    """`count` different pictures, each shown for `per_scene` frames."""
    return [scene(width, height, seed) for seed in range(count) for _ in range(per_scene)]


def test_a_film_is_measured(look: Run, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", scenes(6, 10), fps=10, sound=sine(-20, 6))

    seen = look(path)

    facts = seen.facts
    assert (facts.kind, facts.format, facts.mime, facts.video_codec) == ("video", "mp4", "video/mp4", "h264")
    assert (facts.width, facts.height, facts.aspect_class) == (160, 90, "landscape_16_9")
    assert (facts.fps, facts.frame_count, facts.pixel_format) == (10.0, 60, "yuv420p")
    assert facts.duration_s == pytest.approx(6.0, abs=0.05)
    assert facts.audio is not None
    assert (facts.audio.codec, facts.audio.sample_rate, facts.audio.channels) == ("aac", 48_000, 2)
    assert [k.time_s for k in facts.keyframes] == pytest.approx([0.5, 1.5, 2.5, 3.5, 4.5, 5.5], abs=0.11)
    assert set(seen.derived) == {"thumbnail.jpg", *(k.name for k in facts.keyframes)}
    assert facts.decode_errors == 0


def test_each_moment_shows_its_own_scene(look: Run, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", scenes(6, 10), fps=10)
    wanted = []
    for seed in range(6):
        still = tmp_path / f"{seed}.png"
        scene(160, 90, seed).save(still)
        wanted.append(look(still).facts.phash)

    found = [k.phash for k in look(path).facts.keyframes]

    assert [distance(a, b) <= 8 for a, b in zip(found, wanted, strict=True)] == [True] * 6


@pytest.mark.parametrize(("suffix", "codec", "name"), [
    (".mp4", "libx265", "hevc"), (".webm", "libvpx", "vp8"), (".webm", "libvpx-vp9", "vp9"),
    (".mov", "libx264", "h264"), (".avi", "mpeg4", "mpeg4"), (".mkv", "libx264", "h264"), (".ts", "libx264", "h264"),
    (".flv", "libx264", "h264"),
])  # fmt: skip
def test_other_containers_and_codecs_give_the_same_pictures(
    look: Run, tmp_path: Path, suffix: str, codec: str, name: str
) -> None:
    pictures = scenes(3, 10)
    reference = look(film(tmp_path / "reference.mp4", pictures), keyframes=3).facts
    speed = {"preset": "ultrafast", "x265-params": "log-level=none"} if codec == "libx265" else None

    facts = look(film(tmp_path / f"a{suffix}", pictures, codec=codec, codec_options=speed), keyframes=3).facts

    assert facts.video_codec == name
    assert facts.duration_s == pytest.approx(3.0, abs=0.25)
    near = [distance(a.phash, b.phash) for a, b in zip(facts.keyframes, reference.keyframes, strict=True)]
    assert max(near) <= 10


@pytest.mark.parametrize(
    ("angle", "clockwise", "size"), [(90, 270, (60, 90)), (-90, 90, (60, 90)), (180, 180, (90, 60))]
)
def test_display_rotation_is_applied(
    look: Run, tmp_path: Path, angle: int, clockwise: int, size: tuple[int, int]
) -> None:
    """FFmpeg's angle is anticlockwise."""
    path = film(tmp_path / "a.mp4", [red_corner()] * 5, rotate=angle)

    seen = look(path)

    assert (seen.facts.width, seen.facts.height, seen.facts.rotated) == (*size, clockwise)
    turned = red_corner().rotate(angle, expand=True)
    shown = seen.picture("thumbnail.jpg")
    assert shown.size == size
    difference = np.abs(np.asarray(shown, dtype=int) - np.asarray(turned, dtype=int))
    assert difference.mean() < 12


def test_pixels_that_are_not_square_count_in_the_shape(look: Run, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [scene(144, 108)] * 5, pixel=Fraction(4, 3))

    seen = look(path)

    assert (seen.facts.width, seen.facts.height, seen.facts.aspect_class) == (144, 108, "landscape_16_9")
    assert seen.picture("thumbnail.jpg").size == (192, 108)


def test_the_thumbnail_is_not_the_black_intro(look: Run, tmp_path: Path) -> None:
    black = [Image.new("RGB", (160, 90))] * 20
    path = film(tmp_path / "a.mp4", [*black, *scenes(1, 20)], fps=10)

    facts = look(path).facts

    assert [k.flat for k in facts.keyframes] == [True, True, True, False, False, False]
    assert not facts.flat
    assert facts.phash == facts.keyframes[3].phash


def test_a_film_without_sound_or_with_one_frame_works(look: Run, tmp_path: Path) -> None:
    facts = look(film(tmp_path / "a.mp4", [scene(64, 64)])).facts

    assert facts.audio is None
    assert [k.time_s for k in facts.keyframes] == [0.0]


def test_long_distances_between_key_frames_stay_within_the_budget(look: Run, tmp_path: Path) -> None:
    """One key frame in 40 s: what the budget does not reach is shown by an earlier frame."""
    path = film(tmp_path / "a.mp4", scenes(4, 100), codec_options={"g": "1000", "sc_threshold": "0"})

    exact = [k.time_s for k in look(path).facts.keyframes]
    short = [k.time_s for k in look(path, decode_megapixels=1).facts.keyframes]

    assert exact == pytest.approx([3.3, 10.0, 16.7, 23.3, 30.0, 36.7], abs=0.2)
    assert max(short) < 10


def test_a_fragmented_film_without_a_stated_length_is_walked(look: Run, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", scenes(3, 10), options={"movflags": "frag_keyframe+empty_moov"})
    live = film(tmp_path / "live.webm", scenes(3, 10), codec="libvpx", options={"live": "1"})

    assert look(path).facts.duration_s == pytest.approx(3.0, abs=0.15)
    assert look(live).facts.duration_s == pytest.approx(3.0, abs=0.15)


def test_the_same_bytes_give_the_same_facts_and_survive_the_wire(look: Run, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", scenes(3, 10), sound=sine(-20, 3))

    first, second = look(path).facts, look(path).facts

    assert first == second
    assert msgspec.convert(msgspec.to_builtins(first), MediaFacts) == first


@pytest.mark.parametrize(("settings", "words"), [
    ({"max_duration_s": 2.0}, r"lasts 3 s, 2 s are allowed.* max_duration_s"),
    ({"max_pixels": 10_000}, r"160 x 90 pixels, 10000 are allowed.* max_pixels"),
    ({"max_video_frames": 29}, r"30 frames, 29 are allowed.* max_video_frames"),
])  # fmt: skip
def test_limits_are_named(look: Run, tmp_path: Path, settings: dict[str, float], words: str) -> None:
    path = film(tmp_path / "a.mp4", scenes(3, 10))

    with pytest.raises(MediaUnusableError, match=words):
        look(path, **settings)


def test_only_sound_is_no_creative(look: Run, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [], sound=sine(-20, 1))

    with pytest.raises(MediaUnusableError, match=r"only audio \(aac\)"):
        look(path)


def test_codecs_that_nobody_knows_are_named_so(look: Run, tmp_path: Path) -> None:
    """FFmpeg has no decoder for a made-up code, and PyAV then gives no codec context at all."""
    both = film(tmp_path / "both.webm", scenes(1, 5), codec="libvpx", sound=sine(-20, 1))
    only = film(tmp_path / "only.webm", [], sound=sine(-20, 1))
    mute = film(tmp_path / "mute.webm", scenes(1, 5), codec="libvpx")
    for path, code in ((both, b"A_OPUS"), (only, b"A_OPUS"), (mute, b"V_VP8")):
        path.write_bytes(path.read_bytes().replace(code, code[:2] + b"ZZZZZZ"[: len(code) - 2]))

    assert look(both).facts.audio == AudioTrack(codec="unknown")
    with pytest.raises(MediaUnusableError, match=r"only audio \(unknown\)"):
        look(only)
    with pytest.raises(MediaUnusableError, match="codec unknown is not read"):
        look(mute)


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "libx264"), (".webm", "libvpx"), (".avi", "mpeg4")])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_off_film_is_refused(look: Run, tmp_path: Path, suffix: str, codec: str, share: float) -> None:
    options = {"movflags": "faststart"} if suffix == ".mp4" else None
    path = film(tmp_path / f"a{suffix}", scenes(6, 10), codec=codec, options=options)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])

    with pytest.raises(MediaUnusableError, match=rf"cut off.* {int(len(data) * share)} are there"):
        look(path)


def test_a_tail_behind_the_film_is_ignored_as_players_do(look: Run, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", scenes(2, 5))
    path.write_bytes(path.read_bytes() + b"\x7f\xff\xff\xff" + b"unique trailer " * 9)

    assert look(path).facts.duration_s == pytest.approx(1.0, abs=0.05)


def test_a_playlist_in_disguise_opens_nothing(look: Run, tmp_path: Path) -> None:
    """FFmpeg's playlist readers would fetch addresses: no connection may be made."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        port = server.getsockname()[1]
        asked = threading.Event()

        def accept() -> None:
            try:
                server.accept()[0].close()
                asked.set()
            except TimeoutError:
                return

        watcher = threading.Thread(target=accept)
        watcher.start()
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n"
        for name, head in (("plain.mp4", b""), ("boxed.mp4", b"\0\0\0\x10ftypisom\0\0\0\0")):
            path = tmp_path / name
            path.write_bytes(head + playlist.encode())
            with pytest.raises(MediaUnusableError):
                look(path)
        watcher.join()
        assert not asked.is_set()
