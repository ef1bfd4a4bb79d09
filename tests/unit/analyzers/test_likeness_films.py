"""Near-duplicates of videos: sequences in step, whatever was done to the screen and the clock."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from adology_likeness import VIDEO_TOKENS, Creative, Kind, LikenessSettings, compare, tokens
from adology_likeness.reader import read, remember
from adology_open_nsfw import Sight, Sights

from .media_files import animation, film, scene

Frames = list[Image.Image]
STEP_S = 0.25
SIZE = (320, 240)


def frames(first: int = 0, scenes: int = 4, per_scene: int = 6) -> Frames:
    """Scenes of a second and a half, each sliding slowly."""
    made = []
    for number in range(first, first + scenes):
        wide = scene(SIZE[0] + 40, SIZE[1], seed=100 + number)
        made += [wide.crop((3 * i, 0, 3 * i + SIZE[0], SIZE[1])) for i in range(per_scene)]
    return made


def creative(shown: Frames, step_s: float = STEP_S) -> Creative:
    sights = Sights(
        pictures=tuple(Sight(picture=picture, time_s=i * step_s) for i, picture in enumerate(shown)),
        duration_s=len(shown) * step_s,
    )
    return Creative(signature=remember(sights, LikenessSettings()))


@cache
def original() -> Creative:
    return creative(frames())


def each(change: Callable[[Image.Image], Image.Image]) -> Callable[[Frames], Frames]:
    return lambda shown: [change(picture) for picture in shown]


def subtitled(words: str) -> Callable[[Image.Image], Image.Image]:
    def change(picture: Image.Image) -> Image.Image:
        changed = picture.copy()
        drawing = ImageDraw.Draw(changed)
        drawing.rectangle((0, 180, 320, 225), fill="black")
        drawing.text((12, 186), words, fill="white", font=ImageFont.load_default(28))
        return changed

    return change


def letterboxed(picture: Image.Image) -> Image.Image:
    return ImageOps.pad(picture, (240, 400), color="black")


CHANGED: list[tuple[str, Callable[[Frames], Frames], set[Kind]]] = [
    ("re-encoded small", each(lambda p: p.resize((160, 120))), set()),
    ("letterboxed", each(letterboxed), {"padded"}),
    ("cropped", each(lambda p: p.crop((30, 20, 290, 220))), {"crop"}),
    ("mirrored", each(ImageOps.mirror), {"mirrored"}),
    ("trimmed", lambda shown: shown[6:18], {"trim"}),
    ("subtitled", each(subtitled("Solo hasta el domingo")), set()),
]


@pytest.mark.parametrize(("change", "kinds"), [c[1:] for c in CHANGED], ids=[c[0] for c in CHANGED])
def test_a_changed_video_is_proposed_and_found(change: Callable[[Frames], Frames], kinds: set[Kind]) -> None:
    changed = creative(change(frames()))
    assert len(tokens(changed.signature) & tokens(original().signature)) >= 3
    likeness = compare(original(), changed)
    assert likeness is not None
    assert likeness.confidence >= 0.8
    assert kinds <= set(likeness.changes)


def test_the_spans_say_where_a_cut_came_from() -> None:
    likeness = compare(original(), creative(frames()[12:24]))
    assert likeness is not None
    assert "trim" in likeness.changes
    first, last = likeness.spans[0], likeness.spans[-1]
    assert first.a_start_s - first.b_start_s == pytest.approx(3.0, abs=0.6)
    assert last.a_end_s == pytest.approx(6.0, abs=0.6)
    assert likeness.evidence.share > 0.8


def test_two_languages_of_one_video_are_one() -> None:
    english = creative([subtitled("Sale ends on Sunday")(picture) for picture in frames()])
    spanish = creative([subtitled("Solo hasta el domingo")(picture) for picture in frames()])
    likeness = compare(english, spanish)
    assert likeness is not None
    assert likeness.evidence.frames >= 3


def test_a_faster_version_is_found_with_its_speed() -> None:
    likeness = compare(original(), creative(frames(), step_s=STEP_S / 1.5))
    assert likeness is not None
    assert "speed" in likeness.changes


def test_another_film_is_not() -> None:
    assert compare(original(), creative(frames(first=20))) is None


def test_another_film_within_the_same_frame_is_not() -> None:
    def framed(shown: Frames) -> Frames:
        made = []
        for picture in shown:
            screen = Image.new("RGB", (320, 400), (24, 40, 92))
            screen.paste(picture.resize((300, 225)), (10, 90))
            drawing = ImageDraw.Draw(screen)
            drawing.text((20, 20), "Built for summer", fill="white", font=ImageFont.load_default(34))
            drawing.text((90, 340), "Shop now", fill="yellow", font=ImageFont.load_default(34))
            made.append(screen)
        return made

    assert compare(creative(framed(frames())), creative(framed(frames(first=20)))) is None


def test_comparing_videos_is_symmetric() -> None:
    other = creative([ImageOps.mirror(picture) for picture in frames()[6:24]])
    there, back = compare(original(), other), compare(other, original())
    assert there is not None
    assert back is not None
    assert (there.kind, there.changes, there.confidence) == (back.kind, back.changes, back.confidence)
    assert [(s.a_start_s, s.b_start_s) for s in there.spans] == [(s.b_start_s, s.a_start_s) for s in back.spans]


def test_a_video_of_many_scenes_keeps_to_its_bounds() -> None:
    of = creative(frames(scenes=60, per_scene=1)).signature
    assert len(of.shots) <= LikenessSettings().shots
    assert len(of.tokens) <= VIDEO_TOKENS
    assert len(msgspec.json.encode(of)) < 62_000


def test_what_hardly_changes_is_kept_once_and_plain_frames_not_at_all() -> None:
    black = Image.new("RGB", SIZE)
    of = creative([black, black, *[scene(*SIZE, seed=1)] * 6, *[scene(*SIZE, seed=2)] * 4, black]).signature
    assert [(shot.start_s, shot.end_s) for shot in of.shots] == [(0.5, 2.0), (2.0, 3.25)]
    assert len(creative([black, black]).signature.shots) == 1


def test_a_film_and_an_animation_are_read_from_files(tmp_path: Path) -> None:
    shown = frames(scenes=3)
    video = read(film(tmp_path / "x.mp4", shown, fps=4), LikenessSettings())
    gif = read(animation(tmp_path / "x.gif", "GIF", shown[::3], 750), LikenessSettings())
    assert (video.kind, gif.kind) == ("video", "video")
    assert video.duration_s == pytest.approx(4.5, abs=0.3)
    assert video.shots[0].start_s == pytest.approx(0.0, abs=0.3)
    assert compare(Creative(signature=video), Creative(signature=gif)) is not None
