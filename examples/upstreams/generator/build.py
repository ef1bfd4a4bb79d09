"""Makes the planned world: every file, the world and the truth about it."""

from __future__ import annotations

import hashlib
import shutil
from datetime import date
from pathlib import Path

import msgspec

from upstreams.generator import clips, pictures
from upstreams.generator.fonts import Typeface, find_typeface
from upstreams.generator.plan import BrandPlan, CreativeSpec
from upstreams.generator.truth import Truth, write_truth
from upstreams.world import MEDIA_FOLDER, Creative, World, WorldBrand, write_world

Made = tuple[Creative, Truth]


def generate(
    folder: Path,
    *,
    seed: int = 7,
    brands: int = 3,
    ads: int = 40,
    made_on: date | None = None,
    font: Path | None = None,
) -> World:
    """Draw a world into `folder`, replacing its media.

    Args:
        folder: made if absent.
        seed: the same one gives the same world.
        brands: how many advertisers.
        ads: ads of each.
        made_on: the day that the ads' dates lead up to; today by default.
        font: font file for the pictures; by default one of the system's, else Pillow's own.
    """
    typeface = find_typeface(font)
    media = folder / MEDIA_FOLDER
    shutil.rmtree(media, ignore_errors=True)
    made_on = made_on or date.today()  # noqa: DTZ011 - the day on the wall where the demo runs
    studio = _Studio(media, seed, typeface)
    planned: list[WorldBrand] = []
    shared: list[CreativeSpec] = []
    for index in range(brands):
        plan = BrandPlan(seed, index, typeface, made_on)
        planned.append(plan.make(ads, shared))
        for spec in plan.specs:
            studio.make(index, spec)
        shared = shared or plan.specs
    world = World(seed=seed, made_on=made_on, brands=tuple(planned), creatives=studio.creatives)
    write_truth(folder, studio.truths)
    write_world(folder, world)
    return world


class _Studio:
    """Makes creatives one after the other; repeats look up what they repeat."""

    def __init__(self, media: Path, seed: int, typeface: Typeface) -> None:
        self._media = media
        self._seed = seed
        self._typeface = typeface
        self._made: dict[str, Made] = {}

    @property
    def creatives(self) -> tuple[Creative, ...]:
        """All of them, in the order they were made."""
        return tuple(creative for creative, _ in self._made.values())

    @property
    def truths(self) -> tuple[Truth, ...]:
        """What is true of each."""
        return tuple(truth for _, truth in self._made.values())

    def make(self, brand_index: int, spec: CreativeSpec) -> None:
        """Draw, film or repeat a creative and write its file."""
        path = self._media / spec.file
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = [self._seed, brand_index, spec.number]
        if spec.relation is not None:
            made = self._repeat(spec, path)
        elif spec.kind == "video":
            made = self._film(spec, path, seed)
        else:
            made = self._draw(spec, path, seed)
        self._made[spec.id] = made

    def _draw(self, spec: CreativeSpec, path: Path, seed: list[int]) -> Made:
        size = pictures.SIZES[spec.aspect]
        picture, boxes = pictures.draw_picture(seed, size, spec.words, spec.trade.shape, spec.hue, self._typeface)
        frames = pictures.save_picture(picture, path)
        return _record(spec, path, size, boxes, frames=frames)

    def _film(self, spec: CreativeSpec, path: Path, seed: list[int]) -> Made:
        size = clips.SIZES[spec.aspect]
        clip = clips.film(path, seed, size, spec.words, spec.trade.shape, spec.hue, self._typeface, sound=spec.sound)
        return _record(spec, path, size, clip.boxes, frames=clip.frames, duration_s=clip.duration_s, cuts_s=clip.cuts_s)

    def _repeat(self, spec: CreativeSpec, path: Path) -> Made:
        origin, truth = self._made[spec.same_as or ""]
        original = self._media / origin.file
        old = (origin.width, origin.height)
        match spec.relation:
            case "recompressed":
                size = pictures.save_recompressed(original, path)
            case "resized":
                size = pictures.save_resized(original, path)
            case _:
                shutil.copyfile(original, path)
                size = old
        boxes = {name: pictures.scale_box(box, old, size) for name, box in truth.boxes.items()}
        return _record(spec, path, size, boxes, frames=truth.frames)


def _record(
    spec: CreativeSpec,
    path: Path,
    size: tuple[int, int],
    boxes: dict[str, tuple[int, int, int, int]],
    *,
    frames: int,
    duration_s: float | None = None,
    cuts_s: tuple[float, ...] = (),
) -> Made:
    words = msgspec.structs.asdict(spec.words)
    button = words.pop("button")
    creative = Creative(
        id=spec.id,
        file=spec.file,
        kind=spec.kind,
        content_type="video/mp4" if spec.kind == "video" else pictures.FORMATS[spec.suffix][1],
        width=size[0],
        height=size[1],
        duration_s=duration_s,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        language=spec.language,
        same_as=spec.same_as,
        **words,
    )
    truth = Truth(
        id=spec.id,
        brand=spec.brand,
        file=spec.file,
        kind=spec.kind,
        button=button,
        language=spec.language,
        product=spec.trade.shape,
        boxes=boxes,
        same_as=spec.same_as,
        relation=spec.relation,
        cuts_s=cuts_s,
        has_sound=spec.sound and spec.kind == "video",
        frames=frames,
        **words,
    )
    return creative, truth
