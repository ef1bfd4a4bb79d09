"""The creatives that both sides of a comparison fetch: real ads where they are, else drawn ones."""

from __future__ import annotations

import os
from itertools import cycle, islice, product
from pathlib import Path

import av
import numpy as np
from PIL import Image

from upstreams.generator.fonts import find_typeface
from upstreams.generator.layout import Words
from upstreams.generator.pictures import SIZES, draw_picture, save_picture

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("ADOLOGY_TEST_DATA", ROOT.parent / "shared" / "data"))
ENDINGS = (".jpg", ".png", ".webp")
LARGEST = 1024 * 1024
MOST_PIXELS = 16_000_000
MOST = 130
WORDS = Words(headline="Everything for the long way", price="24.90", button="Shop now")


def pick_pictures(folder: Path, most: int = MOST) -> list[Path]:
    """Real creatives, evenly from all their folders; drawn ones in `folder` where there are none."""
    found = sorted(p for p in (DATA / "creatives").rglob("*") if p.suffix in ENDINGS and is_usual(p))
    if not found:
        return draw_pictures(folder, min(most, 40))
    return found[:: max(1, len(found) // most)][:most]


def is_usual(path: Path) -> bool:
    """No bomb and no giant: a size that an ad network would take."""
    if path.stat().st_size > LARGEST:
        return False
    try:
        with Image.open(path) as image:
            return image.width * image.height <= MOST_PIXELS
    except Image.DecompressionBombError:
        return False


def draw_pictures(folder: Path, count: int) -> list[Path]:
    """Pictures of all usual shapes and formats."""
    typeface = find_typeface()
    paths = []
    for number, (ending, aspect) in enumerate(islice(cycle(product(ENDINGS, SIZES)), count)):
        picture, _ = draw_picture([number], SIZES[aspect], WORDS, "bottle", number * 0.13 % 1, typeface)
        paths.append(folder / f"{number:03}{ending}")
        save_picture(picture, paths[-1])
    return paths


def film_head(path: Path, total: int) -> bytes:
    """The beginning of an MP4 of `total` bytes: a short film, then a box of padding up to the end."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(50):
            picture = np.full((240, 320, 3), number * 5, dtype=np.uint8)
            picture[number : number + 40, 60:120] = (250, 40, 90)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())
    film = path.read_bytes()
    return film + (total - len(film)).to_bytes(4, "big") + b"free"
