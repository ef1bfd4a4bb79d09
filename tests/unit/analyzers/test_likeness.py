"""Near-duplicates of images: what proposes them, what confirms them, what keeps others apart."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from adology import Context, MediaItem
from adology.errors import MediaUnusableError
from adology.testing import AnalyzerConformance
from adology_likeness import (
    IMAGE_TOKENS,
    Creative,
    FrameLook,
    Kind,
    LikenessAnalyzer,
    LikenessSettings,
    Looks,
    Signature,
    compare,
    creative_of,
    tokens,
)
from adology_likeness.reader import remember_picture

from .media_files import encoded, scene

pytestmark = pytest.mark.anyio


class TestLikeness(AnalyzerConformance):
    plugin = LikenessAnalyzer


def ad(headline: str = "Built for summer", price: str = "$56", seed: int = 3, size: int = 600) -> Image.Image:
    """A drawn ad: a picture above, words below."""
    picture = Image.new("RGB", (size, size), (236, 232, 220))
    picture.paste(scene(size, size // 2, seed=seed))
    drawing = ImageDraw.Draw(picture)
    drawing.text((40, size * 0.56), headline, fill="black", font=ImageFont.load_default(size // 12))
    drawing.text((40, size * 0.70), price, fill="black", font=ImageFont.load_default(size // 6))
    return picture


@cache
def original() -> Creative:
    return made(ad())


def made(picture: Image.Image) -> Creative:
    return Creative(signature=remember_picture(picture))


def cropped(picture: Image.Image) -> Image.Image:
    return picture.crop((60, 40, 560, 540))


def panelled(picture: Image.Image) -> Image.Image:
    changed = picture.copy()
    drawing = ImageDraw.Draw(changed)
    drawing.rectangle((0, 440, 600, 600), fill=(20, 30, 120))
    drawing.text((60, 480), "Today only", fill="white", font=ImageFont.load_default(60))
    return changed


def written_over(picture: Image.Image) -> Image.Image:
    changed = picture.copy()
    ImageDraw.Draw(changed).text((50, 90), "NEW SEASON", fill=(255, 240, 0), font=ImageFont.load_default(80))
    return changed


CHANGED: list[tuple[str, Callable[[Image.Image], Image.Image], set[Kind]]] = [
    ("small", lambda p: p.resize((240, 240)), set()),
    ("other aspect", lambda p: p.resize((480, 600)), set()),
    ("grey", lambda p: ImageOps.grayscale(p).convert("RGB"), {"colour"}),
    ("mirrored", ImageOps.mirror, {"mirrored"}),
    ("cropped", cropped, {"crop"}),
    ("border", lambda p: ImageOps.expand(p, 60, "white"), {"padded"}),
    ("letterbox", lambda p: ImageOps.expand(p, (0, 120), "black"), {"padded"}),
    ("panel", panelled, {"panel"}),
    ("words", written_over, {"text"}),
]


@pytest.mark.parametrize(("change", "kinds"), [c[1:] for c in CHANGED], ids=[c[0] for c in CHANGED])
def test_a_changed_picture_is_proposed_confirmed_and_its_change_named(
    change: Callable[[Image.Image], Image.Image], kinds: set[Kind]
) -> None:
    changed = made(change(ad()))
    assert tokens(changed.signature) & tokens(original().signature)
    likeness = compare(original(), changed)
    assert likeness is not None
    assert likeness.confidence >= 0.8
    assert kinds <= set(likeness.changes)
    assert likeness.kind == likeness.changes[0]


def test_the_same_picture_is_the_same() -> None:
    likeness = compare(original(), made(ad()))
    assert likeness is not None
    assert (likeness.kind, likeness.changes) == ("same", ("same",))
    assert likeness.evidence.overlap > 0.98
    assert likeness.evidence.replaced == 0


def test_strong_compression_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(ad(), "JPEG", quality=15))
    with Image.open(tmp_path / "a.jpg") as image:
        likeness = compare(original(), made(image.convert("RGB")))
    assert likeness is not None
    assert likeness.confidence >= 0.9


@pytest.mark.parametrize(
    "other",
    [ad("Made to last all year"), ad(price="$49"), ad("Listo para el verano", "$49"), ad(seed=9)],
    ids=["other words", "other price", "other language and price", "other picture"],
)
def test_another_ad_of_the_template_is_not_merged(other: Image.Image) -> None:
    assert compare(original(), made(other)) is None


def shop_ad(product: str, *, words: str = "Now in store", bar: str = "black", tilt: float = 0.0) -> Image.Image:
    """A small pale product on white, on a plain ground with a bar of words below."""
    picture = Image.new("RGB", (1200, 628), (0, 122, 104))
    drawing = ImageDraw.Draw(picture)
    drawing.rectangle((480, 90, 800, 400), fill="white")
    if product == "disc":
        drawing.ellipse((560, 180, 720, 310), fill=(238, 238, 240), outline=(215, 215, 220), width=6)
        drawing.ellipse((600, 210, 680, 280), fill=(248, 248, 248), outline=(222, 222, 226), width=4)
    else:
        for step in range(6):
            box = (545 + 18 * step, 125 + 30 * step, 655 + 18 * step, 225 + 30 * step)
            drawing.ellipse(box, fill=(242, 240, 244), outline=(205, 203, 210), width=5)
    drawing.polygon([(0, 430), (1200, 430 + tilt), (1200, 628), (0, 628)], fill=bar)
    ink = "black" if bar == "white" else "white"
    drawing.text((70, 450), words, fill=ink, font=ImageFont.load_default(46))
    drawing.text((70, 510), "$24.99", fill=ink, font=ImageFont.load_default(76))
    return picture


def test_a_pale_product_exchanged_for_another_is_another_ad() -> None:
    assert compare(made(shop_ad("disc")), made(shop_ad("stack"))) is None
    assert compare(made(shop_ad("disc")), made(shop_ad("disc").resize((800, 419)))) is not None


def test_a_bar_that_begins_a_little_aslant_is_a_bar() -> None:
    first = shop_ad("stack", bar="white", tilt=6)
    second = shop_ad("stack", words="Only online today", bar="#c41e3a", tilt=0)
    assert compare(made(first), made(second)) is None


def test_unrelated_and_plain_pictures_have_nothing_in_common() -> None:
    plain = made(Image.new("RGB", (300, 200), "white"))
    assert compare(original(), made(scene(500, 400, seed=21))) is None
    assert compare(original(), plain) is None
    assert compare(plain, plain) is None
    assert tokens(plain.signature) == set()


def test_evidence_says_by_how_much_the_other_is_larger() -> None:
    likeness = compare(original(), made(ad().resize((300, 300))))
    assert likeness is not None
    assert likeness.evidence.scale == pytest.approx(0.5, abs=0.02)


def looks(space: str, *numbers: float) -> Looks:
    from adology_embeddings import normalise, pack, parse_space

    of = parse_space(space)
    import numpy as np

    vector = np.zeros(of.dimensions, np.float32)
    vector[: len(numbers)] = numbers
    return Looks(space=space, vector=pack(normalise(vector), of))


def test_embeddings_are_evidence_within_one_space_only() -> None:
    small = made(ad().resize((300, 300))).signature
    near, far = looks("m/1/4/f32", 1, 0.1), looks("m/2/4/f32", 1, 0.1)
    one = Creative(signature=original().signature, looks=near)
    same_space = compare(one, Creative(signature=small, looks=near))
    other_space = compare(one, Creative(signature=small, looks=far))
    without = compare(one, Creative(signature=small))
    flat = compare(one, Creative(signature=small, looks=msgspec.structs.replace(near, flat=True)))
    assert same_space is not None
    assert other_space is not None
    assert without is not None
    assert flat is not None
    assert (same_space.evidence.cosine, same_space.evidence.no_cosine) == (1.0, None)
    assert (other_space.evidence.cosine, other_space.evidence.no_cosine) == (None, "other_space")
    assert (without.evidence.cosine, without.evidence.no_cosine) == (None, "no_vector")
    assert (flat.evidence.cosine, flat.evidence.no_cosine) == (None, "flat")


def test_the_best_pair_of_frames_counts_for_embeddings() -> None:
    near, across = looks("m/1/4/f32", 1), looks("m/1/4/f32", 0, 1)
    with_frame = msgspec.structs.replace(across, frames=(FrameLook(time_s=1.0, vector=near.vector),))
    one = Creative(signature=original().signature, looks=near)
    likeness = compare(one, Creative(signature=original().signature, looks=with_frame))
    assert likeness is not None
    assert likeness.evidence.cosine == 1.0


def test_signatures_of_two_recipes_or_kinds_are_not_compared() -> None:
    of = original().signature
    for other in (msgspec.structs.replace(of, recipe=of.recipe + 1), msgspec.structs.replace(of, kind="video")):
        assert compare(original(), Creative(signature=other)) is None
        assert not tokens(of) & tokens(other)


def test_a_damaged_signature_says_so() -> None:
    (shot,) = original().signature.shots
    for part, said in (("picture", "kept picture is damaged"), ("points", "keypoints")):
        broken = msgspec.structs.replace(original().signature, shots=(msgspec.structs.replace(shot, **{part: "AAAA"}),))
        with pytest.raises(ValueError, match=said):
            compare(original(), Creative(signature=broken))


def test_signatures_survive_json_and_are_small() -> None:
    of = original().signature
    stored = msgspec.json.encode(of)
    assert msgspec.json.decode(stored, type=Signature) == of
    assert creative_of(msgspec.to_builtins(of)) == original()
    assert len(stored) < 20_000
    assert len(of.tokens) <= IMAGE_TOKENS


def test_the_analyzer_reads_a_file_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(encoded(ad(), "PNG"))
    item = MediaItem(sha256="0" * 64, path=tmp_path / "a.mp4", kind="video", content_type="video/mp4", size_bytes=1)
    context = Context("likeness", LikenessSettings(), section="analyzers", scratch=tmp_path)
    assert LikenessAnalyzer().analyze(context, item) == original().signature


def test_a_broken_file_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(ad(), "PNG")[:2000])
    item = MediaItem(sha256="0" * 64, path=tmp_path / "a.png", kind="image", content_type="image/png", size_bytes=1)
    with pytest.raises(MediaUnusableError):
        LikenessAnalyzer().analyze(Context("likeness", LikenessSettings(), section="analyzers"), item)


def test_importing_the_package_loads_no_heavy_module() -> None:
    code = (
        "import sys, adology_likeness; "
        "print([m for m in ('cv2', 'numpy', 'av', 'PIL', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
