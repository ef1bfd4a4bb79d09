from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageCms

from adology.errors import MediaUnusableError
from adology_media import MediaFacts
from adology_media.phash import distance

from .conftest import Run
from .media_files import animation, encoded, red_corner, scene


@pytest.mark.parametrize(
    ("form", "name", "mime"),
    [
        ("JPEG", "jpeg", "image/jpeg"),
        ("PNG", "png", "image/png"),
        ("GIF", "gif", "image/gif"),
        ("WEBP", "webp", "image/webp"),
        ("BMP", "bmp", "image/bmp"),
        ("TIFF", "tiff", "image/tiff"),
        ("AVIF", "avif", "image/avif"),
    ],
)
def test_every_accepted_format_is_named_by_its_bytes(
    look: Run, tmp_path: Path, form: str, name: str, mime: str
) -> None:
    path = tmp_path / "creative.mp4"
    path.write_bytes(encoded(scene(), form))

    facts = look(path).facts

    assert (facts.kind, facts.format, facts.mime) == ("image", name, mime)
    assert (facts.width, facts.height, facts.aspect_class) == (400, 300, "landscape_4_3")
    assert facts.size_bytes == path.stat().st_size
    assert (facts.animated, facts.frame_count, facts.duration_s) == (False, 1, None)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_png_mode_gives_the_same_hash_of_one_picture(look: Run, tmp_path: Path, mode: str) -> None:
    grey = scene().convert("L")
    picture = (
        Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
        if mode == "I;16"
        else grey.convert("RGB").convert(mode)
    )
    reference, other = tmp_path / "reference.png", tmp_path / "other.png"
    grey.save(reference)
    picture.save(other)

    facts = look(other).facts

    assert facts.color_mode == mode
    assert distance(facts.phash, look(reference).facts.phash) <= 6
    assert not facts.transparent


@pytest.mark.parametrize(("form", "mode"), [("JPEG", "CMYK"), ("TIFF", "CMYK"), ("TIFF", "F"), ("TIFF", "LAB")])
def test_print_and_scientific_modes_become_the_same_picture(look: Run, tmp_path: Path, form: str, mode: str) -> None:
    rgb = scene()
    if mode == "LAB":
        picture = ImageCms.profileToProfile(
            rgb, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
        assert picture is not None
    else:
        picture = rgb.convert("L").convert("F") if mode == "F" else rgb.convert(mode)
    path, plain = tmp_path / "odd", tmp_path / "plain"
    path.write_bytes(encoded(picture, form))
    plain.write_bytes(encoded(rgb, "PNG"))

    facts = look(path).facts

    assert facts.color_mode == mode
    assert distance(facts.phash, look(plain).facts.phash) <= 4


def test_transparency_is_seen_and_laid_on_white(look: Run, tmp_path: Path) -> None:
    picture = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 100, 25))
    path = tmp_path / "a.png"
    picture.save(path)

    seen = look(path)

    assert seen.facts.transparent
    assert [(c.hex, c.share) for c in seen.facts.palette] == [("#ffffff", 0.75), ("#0000ff", 0.25)]
    assert seen.picture("thumbnail.jpg").getpixel((50, 80)) == (255, 255, 255)


def test_palette_with_transparent_index_is_transparent(look: Run, tmp_path: Path) -> None:
    picture = scene().convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    path = tmp_path / "p.png"
    picture.save(path, transparency=0)

    facts = look(path).facts

    assert (facts.color_mode, facts.transparent) == ("P", True)


def test_opaque_alpha_is_not_transparent(look: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    scene().convert("RGBA").save(path)

    assert not look(path).facts.transparent


@pytest.mark.parametrize(
    ("orientation", "rotated", "mirrored"),
    [(1, 0, False), (2, 0, True), (3, 180, False), (4, 180, True), (5, 270, True), (6, 90, False),
     (7, 90, True), (8, 270, False)],
)  # fmt: skip
def test_exif_orientation_is_applied_to_everything(
    look: Run, tmp_path: Path, orientation: int, rotated: int, mirrored: bool
) -> None:
    undo = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270}  # fmt: skip
    stored = red_corner()
    if orientation in undo:
        stored = stored.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.jpg"
    stored.save(path, exif=exif, quality=95)

    seen = look(path)

    assert (seen.facts.width, seen.facts.height) == (90, 60)
    assert (seen.facts.rotated, seen.facts.mirrored) == (rotated, mirrored)
    thumbnail = seen.picture("thumbnail.jpg")
    red, green, _ = thumbnail.getpixel((10, 10))  # type: ignore[misc]  # RGB pixels are triples
    assert (red > 200, green < 80) == (True, True)
    assert min(thumbnail.getpixel((80, 50))) > 200  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_animations_are_counted_and_timed_without_decoding(look: Run, tmp_path: Path, form: str) -> None:
    path = animation(tmp_path / "moving", form, [scene(60, 40, seed) for seed in range(5)], 120)

    facts = look(path).facts

    assert (facts.kind, facts.animated, facts.frame_count, facts.duration_s) == ("image", True, 5, 0.6)


def test_animated_avif_is_counted(look: Run, tmp_path: Path) -> None:
    path = animation(tmp_path / "moving.avif", "AVIF", [scene(64, 64, seed) for seed in range(3)], 100)

    facts = look(path).facts

    assert (facts.animated, facts.frame_count) == (True, 3)


def test_hasty_gif_frames_last_as_long_as_browsers_show_them(look: Run, tmp_path: Path) -> None:
    path = animation(tmp_path / "hasty.gif", "GIF", [scene(20, 20, seed) for seed in range(4)], 10)

    assert look(path).facts.duration_s == 0.4


@pytest.mark.parametrize(("size", "name"), [
    ((1080, 1080), "square"), ((1080, 1350), "portrait_4_5"), ((1080, 1920), "story_9_16"),
    ((1920, 1080), "landscape_16_9"), ((1200, 628), "landscape_1_91_1"), ((728, 90), "banner"),
    ((320, 100), "banner"), ((970, 250), "banner"), ((160, 600), "skyscraper"), ((300, 600), "other"),
    ((300, 250), "other"), ((1, 1), "square"), ((5000, 1), "banner"), ((1, 5000), "skyscraper"),
    ((1081, 1349), "portrait_4_5"), ((1000, 1500), "portrait_2_3"), ((1500, 1000), "landscape_3_2"),
])  # fmt: skip
def test_shapes_have_the_names_of_placements(look: Run, tmp_path: Path, size: tuple[int, int], name: str) -> None:
    path = tmp_path / "shape.png"
    Image.new("RGB", size, "teal").save(path)

    seen = look(path)

    assert seen.facts.aspect_class == name
    assert (seen.facts.width, seen.facts.height) == size
    assert min(seen.picture("thumbnail.jpg").size) >= 1


def test_thumbnails_are_bounded_and_never_enlarged(look: Run, tmp_path: Path) -> None:
    large, small = tmp_path / "large.jpg", tmp_path / "small.jpg"
    scene(1600, 800).save(large)
    scene(90, 60).save(small)

    assert look(large).picture("thumbnail.jpg").size == (320, 160)
    assert look(large, thumbnail_side=100).picture("thumbnail.jpg").size == (100, 50)
    assert look(small).picture("thumbnail.jpg").size == (90, 60)


def test_a_flat_picture_says_that_its_hash_says_nothing(look: Run, tmp_path: Path) -> None:
    path = tmp_path / "blank.png"
    Image.new("RGB", (500, 400), (250, 250, 250)).save(path)

    facts = look(path).facts

    assert facts.flat
    assert facts.phash == "8000000000000000"
    assert facts.luminance == pytest.approx(250 / 255, abs=0.01)
    assert [(c.hex, c.share) for c in facts.palette] == [("#fafafa", 1.0)]


@pytest.mark.parametrize("seed", range(4))
def test_resized_and_recompressed_copies_hash_alike(look: Run, tmp_path: Path, seed: int) -> None:
    original = scene(1000, 800, seed)
    files = {
        "original.png": encoded(original, "PNG"),
        "small.webp": encoded(original.resize((250, 200)), "WEBP", quality=60),
        "poor.jpg": encoded(original, "JPEG", quality=25),
        "grey.jpg": encoded(original.convert("L"), "JPEG"),
    }
    hashes = []
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        hashes.append(look(tmp_path / name).facts.phash)

    assert max(distance(hashes[0], other) for other in hashes) <= 6


def test_different_pictures_hash_far_apart(look: Run, tmp_path: Path) -> None:
    hashes = []
    for seed in range(8):
        path = tmp_path / f"{seed}.png"
        scene(300, 300, seed).save(path)
        hashes.append(look(path).facts.phash)

    apart = [distance(a, b) for i, a in enumerate(hashes) for b in hashes[i + 1 :]]

    assert min(apart) >= 14
    assert sum(apart) / len(apart) >= 24


def test_the_same_bytes_give_the_same_facts_and_survive_the_wire(look: Run, tmp_path: Path) -> None:
    path = animation(tmp_path / "a.webp", "WEBP", [scene(200, 200, seed).convert("RGBA") for seed in range(3)], 80)

    first, second = look(path), look(path)

    assert first.facts == second.facts
    assert first.derived["thumbnail.jpg"].read_bytes() == second.derived["thumbnail.jpg"].read_bytes()
    assert msgspec.convert(msgspec.to_builtins(first.facts), MediaFacts) == first.facts
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(first.facts), type=MediaFacts) == first.facts


def test_a_profile_of_another_colour_space_is_ignored(look: Run, tmp_path: Path) -> None:
    """As browsers do."""
    path, plain = tmp_path / "odd-profile.jpg", tmp_path / "plain.jpg"
    scene().save(path, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes())
    scene().save(plain)

    assert look(path).facts.phash == look(plain).facts.phash


def test_an_embedded_profile_is_applied(look: Run, shared_data: Path) -> None:
    """The same photo once in XYB, which shows false colours without its profile."""
    folder = shared_data / "images" / "hard" / "libvips"
    xyb, plain = look(folder / "sample-xyb.jpg").facts, look(folder / "sample.png").facts

    assert distance(xyb.phash, plain.phash) <= 6
    assert xyb.luminance == pytest.approx(plain.luminance, abs=0.02)
    channels = zip(bytes.fromhex(xyb.palette[0].hex[1:]), bytes.fromhex(plain.palette[0].hex[1:]), strict=True)
    assert max(abs(a - b) for a, b in channels) <= 12


def test_the_pixel_limit_holds_before_decoding(look: Run, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("1", (3000, 2000)).save(path)

    with pytest.raises(MediaUnusableError, match=r"6000000 pixels, 1000000 are allowed.* max_pixels"):
        look(path, max_pixels=1_000_000)
    assert look(path, max_pixels=6_000_000).facts.width == 3000
    # The limit of the process is as it was.
    assert Image.MAX_IMAGE_PIXELS == 89_478_485


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF"])
def test_the_frame_limit_holds_before_decoding(look: Run, tmp_path: Path, form: str) -> None:
    path = animation(tmp_path / "many", form, [scene(64, 64, seed) for seed in range(6)], 50)

    with pytest.raises(MediaUnusableError, match="max_frames"):
        look(path, max_frames=5)
    assert look(path, max_frames=6).facts.frame_count == 6


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
def test_a_cut_off_picture_is_refused_or_whole(look: Run, tmp_path: Path, form: str) -> None:
    data = encoded(scene(), form)
    path = tmp_path / "cut"
    path.write_bytes(data)
    whole = look(path).facts
    refused = 0
    for share in (0.02, 0.2, 0.5, 0.8, 0.95, 0.99):
        path.write_bytes(data[: int(len(data) * share)])
        try:
            # What is missing then was no part of the picture.
            assert look(path).facts.phash == whole.phash
        except MediaUnusableError:
            refused += 1
    assert refused >= 5


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_a_cut_off_animation_is_refused(look: Run, tmp_path: Path, form: str) -> None:
    path = animation(tmp_path / "cut", form, [scene(60, 40, seed) for seed in range(5)], 120)
    path.write_bytes(path.read_bytes()[:-300])

    with pytest.raises(MediaUnusableError, match="cut off"):
        look(path)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>", "HTML page"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "svg"),
        (b"%PDF-1.7", "application/pdf"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "postscript"),
        (b"8BPS\0\1", "photoshop"),
        (b"PK\x03\x04", "zip"),
        (b"ID3\x04", "audio/mpeg"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
        (b"#EXTM3U\n", "mpegurl"),
        (b'{"error": {"code": 190}}', "json"),
        (b"\x00\x01\x02\x03", "no known format"),
    ],
)
def test_what_is_no_creative_is_named(look: Run, tmp_path: Path, head: bytes, words: str) -> None:
    path = tmp_path / "creative.jpg"
    path.write_bytes(head)

    with pytest.raises(MediaUnusableError, match=words) as caught:
        look(path)
    assert caught.value.code == "ADO-3101"
    if head:
        assert "JPEG, PNG" in str(caught.value)
