"""Finding changes of shot in small pictures: each thing that is one, and each that only looks like one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from adology_video.changes import Change, find_changes
from adology_video.compare import SIDE
from adology_video.pacing import pace, shots_of

FPS = 25
Small = NDArray[np.uint8]


def scene(seed: int) -> NDArray[np.float64]:
    """A coarse picture with structure, (3, SIDE, SIDE)."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(20, 235, (3, 8, 8))
    return coarse.repeat(SIDE // 8, axis=1).repeat(SIDE // 8, axis=2)


def still(seed: int, seconds: float) -> list[NDArray[np.float64]]:
    return [scene(seed)] * round(seconds * FPS)


def blend(first: int, second: int, seconds: float) -> list[NDArray[np.float64]]:
    count = round(seconds * FPS)
    return [scene(first) * (1 - (i + 1) / count) + scene(second) * (i + 1) / count for i in range(count)]


def flat(level: float, seconds: float) -> list[NDArray[np.float64]]:
    return [np.stack([np.full((SIDE, SIDE), level), *[np.full((SIDE, SIDE), 128.0)] * 2])] * round(seconds * FPS)


def changes(*parts: list[NDArray[np.float64]]) -> list[Change]:
    frames = np.stack([frame for part in parts for frame in part])
    noise = np.random.default_rng(0).normal(0, 1.5, frames.shape)
    small = np.clip(frames + noise, 0, 255).astype(np.uint8)
    return find_changes(np.arange(len(small)) / FPS, small)


def found(*parts: list[NDArray[np.float64]]) -> list[tuple[str, float]]:
    return [(change.kind, change.time_s) for change in changes(*parts)]


def window(frames: list[NDArray[np.float64]], seed: int, share: float = 0.5) -> list[NDArray[np.float64]]:
    """The frames with another scene in the upper left."""
    made = [frame.copy() for frame in frames]
    size = int(SIDE * share)
    for frame in made:
        frame[:, :size, :size] = scene(seed)[:, :size, :size]
    return made


def drift(seed: int, seconds: float, speed: float = 0.1) -> list[NDArray[np.float64]]:
    """The scene with slowly changing light everywhere, so that all of it lives."""
    count = round(seconds * FPS)
    return [scene(seed) + 25 * np.sin(2 * np.pi * speed * i / FPS * 5) for i in range(count)]


def test_a_cut_is_found_at_the_first_frame_of_the_new_shot() -> None:
    assert found(still(1, 1.0), still(2, 1.0), still(3, 1.0)) == [("cut", 1.0), ("cut", 2.0)]


def test_nothing_is_found_where_nothing_changes() -> None:
    assert found(still(1, 2.0)) == []
    assert find_changes(np.zeros(1), np.zeros((1, 3, SIDE, SIDE), np.uint8)) == []
    assert find_changes(np.zeros(0), np.zeros((0, 3, SIDE, SIDE), np.uint8)) == []


@pytest.mark.parametrize("seconds", [0.3, 0.6, 1.2])
def test_a_dissolve_is_one_change_in_its_middle(seconds: float) -> None:
    ((kind, time_s),) = found(still(1, 1.5), blend(1, 2, seconds), still(2, 1.5))
    assert kind == "dissolve"
    assert time_s == pytest.approx(1.5 + seconds / 2, abs=0.1)


def test_black_between_two_scenes_is_one_change_where_the_picture_is_back() -> None:
    assert found(still(1, 1.0), flat(16, 0.4), still(2, 1.0)) == [("fade", 1.4)]


def test_white_between_two_scenes_is_one_change_too() -> None:
    assert [kind for kind, _ in found(still(1, 1.0), flat(235, 0.4), still(2, 1.0))] == ["fade"]


def test_a_blink_to_black_and_back_to_the_same_scene_is_none() -> None:
    assert found(still(1, 1.0), flat(16, 0.3), still(1, 1.0)) == []


def test_black_at_either_end_is_no_change() -> None:
    assert found(flat(16, 0.8), still(1, 1.0), flat(16, 0.8)) == []


def test_a_flash_is_no_change() -> None:
    assert found(still(1, 1.0), [scene(1) * 0.2 + 200] * 2, still(1, 1.0)) == []
    assert found(still(1, 1.0), [scene(9)] * 2, still(1, 1.0)) == []


def test_light_that_changes_at_once_is_none() -> None:
    assert found(still(1, 1.0), [frame * 0.4 for frame in still(1, 1.0)]) == []


def test_a_window_that_cuts_within_a_living_picture_is_none() -> None:
    assert found(window(drift(1, 1.0), 2), window(drift(1, 1.0), 3), window(drift(1, 1.0), 4)) == []


def test_a_film_within_a_frame_that_stands_still_has_cuts() -> None:
    def framed(seed: int) -> list[NDArray[np.float64]]:
        canvas = scene(50)
        canvas[:, 11:22] = scene(seed)[:, 11:22]
        return [canvas] * FPS

    assert found(framed(1), framed(2), framed(3)) == [("cut", 1.0), ("cut", 2.0)]


def test_two_cuts_in_a_moment_are_one() -> None:
    ((kind, time_s),) = found(still(1, 1.0), [scene(7)] * 2, still(2, 1.0))
    assert (kind, time_s) == ("cut", 1.08)


def test_a_half_and_half_frame_between_interlaced_shots_makes_no_second_cut() -> None:
    ((kind, time_s),) = found(still(1, 1.0), [(scene(1) + scene(2)) / 2], still(2, 1.0))
    assert kind == "cut"
    assert time_s in (1.0, 1.04)


def test_fast_movement_is_none() -> None:
    wide = np.concatenate([scene(seed) for seed in range(4)], axis=2)
    moving = [wide[:, :, step : step + SIDE] for step in range(0, 90, 3)]
    assert found([moving[0]] * 10, moving, [moving[-1]] * 10) == []


def test_rare_frames_are_compared_with_their_neighbours_all_the_same() -> None:
    frames = np.stack([scene(seed) for seed in (1, 1, 1, 1, 2, 2, 2, 2)]).astype(np.uint8)
    assert [change.time_s for change in find_changes(np.arange(8.0), frames)] == [4.0]


# From changes to shots


def test_a_change_at_the_very_end_opens_no_shot() -> None:
    cuts = [Change(time_s=1.0, kind="cut"), Change(time_s=4.95, kind="cut")]
    assert [(shot.start_s, shot.end_s) for shot in shots_of(cuts, 5.0)] == [(0.0, 1.0), (1.0, 5.0)]


def test_the_fullest_five_seconds_may_be_anywhere() -> None:
    starts = (1.0, 7.0, 7.5, 8.0, 11.9, 12.0, 20.0)
    numbers = pace(shots_of([Change(time_s=at, kind="cut") for at in starts], 30.0), 30.0)
    assert numbers["most_shots_in_5s"] == 4  # 7.0, 7.5, 8.0, 11.9; the one at 12.0 is five seconds later
    assert numbers["shots_in_first_3s"] == numbers["shots_in_first_5s"] == 2
    assert numbers["mean_shot_s"] == pytest.approx(3.75)
