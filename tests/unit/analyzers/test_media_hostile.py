"""Bytes that want to harm: nothing but a result or an error with a reason may come out."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adology import Context, MediaItem
from adology.errors import AdologyError, MediaUnusableError
from adology.isolation import IsolatedPool
from adology_media import MediaAnalyzer, MediaFacts, MediaSettings

from .media_files import animation, encoded, film, scene, sine

pytestmark = pytest.mark.anyio

REFERENCE = "adology_media.analyzer:MediaAnalyzer"
DEADLINE_S = 20.0


def item_of(path: Path) -> MediaItem:
    return MediaItem(sha256="0" * 64, path=path, kind="image", content_type="", size_bytes=path.stat().st_size)


async def verdicts(paths: Sequence[Path], root: Path) -> dict[str, MediaFacts | str]:
    """Facts, or the error's sentence, of each file, from a child process with 2 GiB and 20 s per file."""
    found: dict[str, MediaFacts | str] = {}
    async with IsolatedPool(1) as pool:
        for path in paths:
            with tempfile.TemporaryDirectory() as scratch:
                try:
                    outcome = await pool.run(REFERENCE, {}, item_of(path), scratch=Path(scratch), deadline_s=DEADLINE_S)
                except MediaUnusableError as error:
                    found[str(path.relative_to(root))] = str(error)
                else:
                    assert all(made.path.stat().st_size > 0 for made in outcome.derived)
                    found[str(path.relative_to(root))] = msgspec.convert(outcome.result, MediaFacts)
    return found


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


REFUSED_PICTURES: dict[str, str] = {
    "corrupt/badwidth.bmp": "pixels",
    "corrupt/broken.png": "header makes no sense",
    "corrupt/broken_data_stream.png": "cannot be decoded whole",
    "corrupt/crash-2020-10-test.tif": "cannot be decoded whole",
    "corrupt/reallybig.bmp": "max_pixels",
    "corrupt/timeout-6646305047838720": "truncated",
    "corrupt/truncated_jpeg.jpg": "truncated",
    "corrupt/ukbench09268_corrupt.jpg": "no known format",
    "generated/bomb_20000x20000.png": "400000000 pixels",
    "generated/html_error_page.jpg": "HTML page",
    "generated/huge_dims_no_data.png": "max_pixels",
    "generated/svg_laughs.svg": "svg",
    "generated/svg_remote_href.svg": "svg",
    "generated/svg_script.svg": "svg",
    "generated/truncated_2pct.jpg": "truncated",
    "generated/truncated_50pct.jpg": "truncated",
    "generated/zero.jpg": "empty",
    "heic/example.heic": "image/heic",
    "heic/github_48.heic": "image/heic",
    "heic/lightning_mini.heif": "image/heic",
    "libvips/17000x17000.avif": "cannot be decoded",
    "libvips/truncated.gif": "cut off",
    "libvips/truncated.jpg": "truncated",
    "smallest/gzip.gz": "gzip",
    "smallest/webp.webp": "",
}
READ_PICTURES: dict[str, dict[str, Any]] = {
    "animated/chi.gif": {"frame_count": 31, "animated": True},
    "animated/iss634.gif": {"frame_count": 42},
    "avif/apple_gainmap_new.jpg": {"format": "jpeg", "animated": False},
    "avif/colors-animated-8bpc.avif": {"frame_count": 5},
    "colour/pil_sample_cmyk.jpg": {"color_mode": "CMYK"},
    "colour/transparency.avif": {"transparent": True},
    "corrupt/exif_typeerror.jpg": {"width": 800, "height": 531, "rotated": 0},
    "generated/anim15.webp": {"frame_count": 15},
    "generated/blank_white.png": {"flat": True},
    "generated/exif_rot6_gps.jpg": {"rotated": 90, "width": 720, "height": 452},
    "generated/pixel_1x1.gif": {"width": 1, "height": 1},
    "generated/png_named.jpg": {"format": "png", "mime": "image/png"},
    "generated/polyglot_jpeg_zip.jpg": {"format": "jpeg"},
    "generated/tall_300x12000.png": {"aspect_class": "skyscraper"},
    "libvips/ultra-hdr.jpg": {"width": 3840, "height": 2160},
}
REFUSED_FILMS: dict[str, str] = {
    "bad_video.mp4": "text/plain",
    "bad_audio.mp3": "text/plain",
    "generated/audio_only.mp4": "only audio",
    "generated/ftyp_only.mp4": "cannot be opened",
    "generated/truncated_moov_last.mp4": "cut off",
    "mp4parse/chunk_out_of_range.mp4": "cannot be opened",
    "mp4parse/short-cenc.mp4": "no frame",
    "mp4parse/bipbop_nonfragment_header.mp4": "no frame",
    "smallest/Mpeg4.mp4": "no streams",
}
READ_FILMS: dict[str, dict[str, Any]] = {
    "generated/alpha.webm": {"video_codec": "vp9"},
    "generated/black_intro.mp4": {"flat": False},
    "generated/hevc10.mp4": {"video_codec": "hevc", "pixel_format": "yuv420p10le"},
    "generated/long_2h_slate.mp4": {"duration_s": 7200.0, "frame_count": 7200},
    "generated/odd_dims.webm": {"width": 321, "height": 181},
    "generated/rotated_90.mp4": {"width": 180, "height": 320, "rotated": 270},
    "generated/rotated_270.mp4": {"width": 180, "height": 320, "rotated": 90},
    "generated/single_frame.mp4": {"frame_count": 1},
    "generated/timelapse_1000fps.mp4": {"fps": 1000.0},
    "generated/webm_named.mp4": {"format": "webm", "mime": "video/webm"},
    "mp4parse/tiny_av1.mp4": {"width": 64},
    "v_shooting_01_01.mpg": {"format": "mpeg"},
}


def check_verdicts(
    found: dict[str, MediaFacts | str], refused: dict[str, str], read: dict[str, dict[str, Any]]
) -> None:
    for name, words in refused.items():
        verdict = found[name]
        assert isinstance(verdict, str), f"{name} was read: {verdict}"
        assert words in verdict
    for name, facts in read.items():
        verdict = found[name]
        assert isinstance(verdict, MediaFacts), f"{name} was refused: {verdict}"
        assert {field: getattr(verdict, field) for field in facts} == facts, name


async def test_every_hard_picture_ends_as_facts_or_with_a_reason(shared_data: Path) -> None:
    root = shared_data / "images" / "hard"

    found = await verdicts(files_below(root), root)

    check_verdicts(found, REFUSED_PICTURES, READ_PICTURES)
    assert len(found) >= 130
    upright = {str(found[f"orientation/Landscape_{i}.jpg"].phash) for i in (1, 3, 6, 8)}  # type: ignore[union-attr]  # all are read
    assert len(upright) == 1


async def test_every_hard_film_ends_as_facts_or_with_a_reason(shared_data: Path) -> None:
    root = shared_data / "videos" / "hard"

    found = await verdicts(files_below(root), root)

    check_verdicts(found, REFUSED_FILMS, READ_FILMS)
    damaged, silent = found["generated/bitflips.mp4"], found["generated/silent_track.mp4"]
    assert isinstance(damaged, MediaFacts)
    assert isinstance(silent, MediaFacts)
    assert damaged.decode_errors > 0
    assert damaged.audio is not None
    assert damaged.audio.loudness_lufs is None
    assert silent.audio is not None
    assert silent.audio.loudness_lufs is None


async def test_one_photo_in_all_modes_hashes_alike(shared_data: Path) -> None:
    root = shared_data / "images" / "modes"

    found = await verdicts(files_below(root), root)

    assert len({facts.phash for facts in found.values() if isinstance(facts, MediaFacts)}) == 1
    assert len(found) == 6


async def test_real_creatives_are_read(shared_data: Path) -> None:
    pictures = [p for p in files_below(shared_data / "creatives") if p.name != "theys-bg.png"][::3]
    films = [p for p in files_below(shared_data / "videos" / "clips") if p.suffix != ".mp3"]

    found = await verdicts([*pictures, *films], shared_data)

    assert [name for name, verdict in found.items() if isinstance(verdict, str)] == []
    kinds = Counter(verdict.kind for verdict in found.values() if isinstance(verdict, MediaFacts))
    assert kinds["image"] >= 40
    assert kinds["video"] == 10


async def test_an_accidental_bomb_among_real_creatives_is_refused(shared_data: Path) -> None:
    path = shared_data / "creatives" / "misc" / "theys-bg.png"

    found = await verdicts([path], shared_data)

    assert "195563111 pixels" in str(found["creatives/misc/theys-bg.png"])


def seeds(folder: Path) -> list[bytes]:
    """One small file of every kind."""
    small = scene(24, 18)
    frames = [scene(24, 18, seed) for seed in range(3)]
    made = [encoded(small, form) for form in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")]
    made += [animation(folder / "a", form, frames, 50).read_bytes() for form in ("GIF", "WEBP", "PNG")]
    large = [frame.resize((64, 48)) for frame in frames]
    for name, codec in (("a.mp4", "libx264"), ("a.webm", "libvpx"), ("a.avi", "mpeg4"), ("a.ts", "libx264")):
        made.append(
            film(folder / name, large, codec=codec, sound=sine(-20, 0.3) if codec == "libx264" else None).read_bytes()
        )
    return made


@pytest.fixture(scope="module")
def sample_bytes(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return seeds(tmp_path_factory.mktemp("seeds"))


def judged(data: bytes) -> MediaFacts | AdologyError:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(data)
        limits = MediaSettings(max_pixels=1_000_000, max_duration_s=600, decode_megapixels=20, loudness_s=30)
        try:
            return MediaAnalyzer().analyze(Context("media", limits, scratch=Path(folder)), item_of(path))
        except AdologyError as error:
            return error


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_bytes_give_facts_or_our_error(sample_bytes: list[bytes], data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(sample_bytes)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + 1] = data.draw(st.binary(min_size=0, max_size=3))
        if not damaged:
            break
    cut = data.draw(st.integers(0, len(damaged)))
    verdict = judged(bytes(damaged if data.draw(st.booleans()) else damaged[:cut]))

    if isinstance(verdict, AdologyError):
        assert isinstance(verdict, MediaUnusableError)
        assert len(str(verdict)) > 20
    else:
        assert verdict.width * verdict.height <= 1_000_000
        assert len(verdict.phash) == 16
        assert msgspec.convert(msgspec.to_builtins(verdict), MediaFacts) == verdict


HEADS = (
    b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\xff\0\0\0WEBP", b"BM", b"II*\0",
    b"\0\0\0\x18ftypisom", b"\0\0\0\x18ftypavif", b"\x1a\x45\xdf\xa3", b"FLV\x01", b"OggS", b"\0\0\x01\xba",
    b"\0\0\x01\xb3", b"",
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200), head=st.sampled_from(HEADS))
def test_noise_behind_any_head_is_refused(data: bytes, head: bytes) -> None:
    verdict = judged(head + data)

    assert isinstance(verdict, MediaUnusableError | MediaFacts)
