"""Two videos in step: which stretches of one are in the other, at what place on the screen and at what speed.

First the place: the few pairs of frames whose keypoints match best tell how the screen of one lies
in that of the other (letterboxed, cropped, mirrored). Then the time: with the screens laid over each
other every frame is compared with every other one, and the straight line through time that most
likenesses lie on is looked for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adology_likeness.align import Alignment, align
from adology_likeness.differ import Difference, differ
from adology_likeness.laying import laid_in_shares, settle
from adology_likeness.model import Shot, Span
from adology_likeness.overlay import Seen, see, squarely

TRIED = 16
"""Pairs of frames whose keypoints are aligned."""
SIMILAR = 0.9
"""Cosine of two descriptors of one spot in two videos."""
SURE = 6
"""Keypoints that must agree for a pair of frames to tell where the screen lies."""
TRUSTED = 3
SAME_SHAPE = 0.03
"""Ways of lying that are followed up."""
ALIKE = 0.72
"""Correlation of two frames, laid over each other, from which they show the same."""
SPEEDS = (1.0, 0.5, 2.0, 0.8, 1.25, 0.9, 1.1, 2 / 3, 1.5, 0.75, 4 / 3)
RELUCTANCE = 0.08
"""Another speed must explain so much more: with slack many speeds fit a short video."""
NEARNESS = 0.5
"""How much a frame at its exact time counts more than one at the edge of what may be."""
SLACK_S = 0.75
"""A frame may be this far off its time: moments looked at are that far apart."""
GRID = 32
MOVING = 8.0
"""Standard deviation over time, levels, from which a place of the screen counts as moving."""
ENOUGH_MOVING = 0.06
JUDGED = 7
"""Pairs of frames whose differences are looked at closely."""
BREAK_S = 4.0
"""A span ends where nothing fits for so long."""


class Step(NamedTuple):
    """Frame `i` of a shows what frame `j` of b shows."""

    i: int
    j: int
    alike: float


class InStep(NamedTuple):
    """How b follows a: `speed` seconds of b for each of a, and the frames in step, in order of time.

    `differences` are of some of them, `share` is how much of the shorter video the spans are.
    """

    alignment: Alignment
    speed: float
    steps: tuple[Step, ...]
    differences: tuple[Difference, ...]
    spans: tuple[Span, ...]
    share: float


def follow(a: tuple[Shot, ...], b: tuple[Shot, ...]) -> InStep | None:
    """The best way in which one is in step with the other; None: there is none."""
    seen_a, seen_b = [see(shot) for shot in a], [see(shot) for shot in b]
    best: InStep | None = None
    for alignment in _screens(seen_a, seen_b):
        found = _in_step(a, b, seen_a, seen_b, alignment)
        if found is not None and (best is None or _worth(found) > _worth(best)):
            best = found
    return best


def _worth(found: InStep) -> float:
    kept = float(np.median([one.kept for one in found.differences])) if found.differences else 0.0
    return kept * sum(step.alike for step in found.steps)


def _screens(a: list[Seen], b: list[Seen]) -> list[Alignment]:
    """Ways in which the screens may lie over each other, most trusted first."""
    found = []
    for i, j in _likely_pairs(a, b):
        found += [one for one in align(a[i].points, b[j].points)[:1] if one.inliers >= SURE]
    found.sort(key=lambda one: -one.inliers)
    ways: list[Alignment] = []
    for one in found:
        if not any(one.mirror == way.mirror and np.abs(one.matrix - way.matrix).max() < 0.06 for way in ways):  # noqa: PLR2004
            ways.append(one)
    ways = ways[:TRUSTED]
    if ways and _same_shape(a[0], b[0]) and not any(one.mirror for one in ways):
        # Most versions fill the same screen: exact where keypoints are few, as under large words.
        ways.append(squarely(a[0], b[0], mirror=False)._replace(inliers=ways[0].inliers))
    return ways


def _same_shape(a: Seen, b: Seen) -> bool:
    one, other = (seen.pixels.shape[1] / seen.pixels.shape[0] for seen in (a, b))
    return bool(abs(one / other - 1) < SAME_SHAPE)


def _likely_pairs(a: list[Seen], b: list[Seen]) -> list[tuple[int, int]]:
    """Frames that share most keypoints, mirrored or not, no frame more than twice."""
    scores = []
    about = np.concatenate([one.points.about for one in b])
    starts = np.cumsum([0, *(len(one.points) for one in b)])
    for i, first in enumerate(a):
        for points in (first.points, first.turned):
            if len(points) and len(about):
                similar = points.about @ about.T > SIMILAR
                for j in range(len(b)):
                    hits = int(similar[:, starts[j] : starts[j + 1]].any(axis=1).sum())
                    scores.append((-hits, i, j))
    used_a: dict[int, int] = {}
    used_b: dict[int, int] = {}
    pairs: list[tuple[int, int]] = []
    for hits, i, j in sorted(scores):
        if -hits < SURE // 2 or len(pairs) == TRIED:
            break
        if used_a.get(i, 0) < 2 and used_b.get(j, 0) < 2:  # noqa: PLR2004
            pairs.append((i, j))
            used_a[i], used_b[j] = used_a.get(i, 0) + 1, used_b.get(j, 0) + 1
    return pairs


def _in_step(
    a: tuple[Shot, ...], b: tuple[Shot, ...], seen_a: list[Seen], seen_b: list[Seen], alignment: Alignment
) -> InStep | None:
    likeness = _likeness(seen_a, seen_b, alignment)
    if likeness is None:
        return None
    speed, steps = _line(a, b, likeness)
    if not steps:
        return None
    judged = sorted(steps, key=lambda step: (-step.alike, step.i))[:JUDGED]
    alignment = _settled(seen_a[judged[0].i], seen_b[judged[0].j], alignment)
    differences = [
        d
        for step in judged
        if (d := differ(seen_a[step.i].pixels, seen_b[step.j].pixels, alignment.matrix, alignment.mirror)) is not None
    ]
    spans, share = _spans(a, b, steps)
    return InStep(alignment, speed, steps, tuple(differences), spans, share)


def _settled(a: Seen, b: Seen, alignment: Alignment) -> Alignment:
    """Laid over each other as well as the most alike frames can be: keypoints of one frame leave some play."""
    matrix = settle(a.pixels, b.pixels, alignment.matrix, alignment.mirror)
    before, after = (
        None if way is None else differ(a.pixels, b.pixels, way, alignment.mirror) for way in (alignment.matrix, matrix)
    )
    if matrix is None or after is None or (before is not None and before.kept >= after.kept):
        return alignment
    return alignment._replace(matrix=matrix)


def _likeness(a: list[Seen], b: list[Seen], alignment: Alignment) -> NDArray[np.float64] | None:
    """Correlation of every frame of a with every frame of b in what they have in common of the screen."""
    laid = laid_in_shares(a[0].pixels.shape, b[0].pixels.shape, alignment.matrix, alignment.mirror, GRID)
    if laid is None:
        return None
    from_a, from_b = laid
    one = np.stack([_sample(seen.pixels, from_a) for seen in a])
    other = np.stack([_sample(seen.pixels, from_b) for seen in b])
    moving = np.maximum(one.std(axis=0), other.std(axis=0)) > MOVING
    if moving.mean() > ENOUGH_MOVING:
        # What never changes, such as a template's frame, says nothing about the sequence.
        one, other = one[:, moving], other[:, moving]
    return _normal(one) @ _normal(other).T


def _sample(pixels: NDArray[np.float32], where: NDArray[np.float32]) -> NDArray[np.float64]:
    """The grey values at places given in shares of the longest side."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    grey = cv2.GaussianBlur(pixels @ np.array([0.299, 0.587, 0.114], np.float32), (0, 0), max(pixels.shape) / GRID / 3)
    at = where * max(pixels.shape[:2]) - 0.5
    found = cv2.remap(grey, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float64).ravel()


def _normal(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    # A plain frame looks like anything: it shall look like nothing.
    normal: NDArray[np.float64] = np.where(length > 3.0 * np.sqrt(rows.shape[1]), rows / np.maximum(length, 1e-9), 0.0)
    return normal


def _line(a: tuple[Shot, ...], b: tuple[Shot, ...], likeness: NDArray[np.float64]) -> tuple[float, tuple[Step, ...]]:
    """The speed and offset with most frames in step; the plain speed where others are no better."""
    time_a = np.array([(shot.start_s + shot.end_s) / 2 for shot in a])
    time_b = np.array([(shot.start_s + shot.end_s) / 2 for shot in b])
    half_a = np.array([(shot.end_s - shot.start_s) / 2 for shot in a])
    half_b = np.array([(shot.end_s - shot.start_s) / 2 for shot in b])
    rows, columns = np.where(likeness >= ALIKE)
    best: tuple[float, float, tuple[Step, ...]] = (0.0, 1.0, ())
    for speed in SPEEDS:
        offsets = time_b[columns] - speed * time_a[rows]
        for offset in np.unique(np.round(offsets / (SLACK_S / 2)) * (SLACK_S / 2)):
            off = np.abs(time_b[None, :] - speed * time_a[:, None] - offset)
            near = 1 - off / (SLACK_S + speed * half_a[:, None] + half_b[None, :])
            steps = _pairs(np.where(near >= 0, likeness, 0.0))
            score = sum(step.alike * (1 + NEARNESS * near[step.i, step.j]) for step in steps)
            score *= 1.0 if speed == 1.0 else 1 - RELUCTANCE
            if score > best[0] + 1e-9:
                best = (score, speed, steps)
    return best[1], best[2]


def _pairs(likeness: NDArray[np.float64]) -> tuple[Step, ...]:
    """Each frame with the one most like it, as far as both choose each other."""
    if not likeness.size:
        return ()
    to_b, to_a = likeness.argmax(axis=1), likeness.argmax(axis=0)
    return tuple(
        Step(i, int(j), float(likeness[i, j])) for i, j in enumerate(to_b) if likeness[i, j] >= ALIKE and to_a[j] == i
    )


def _spans(a: tuple[Shot, ...], b: tuple[Shot, ...], steps: tuple[Step, ...]) -> tuple[tuple[Span, ...], float]:
    """Stretches without a long gap, and what share of the shorter video they are."""
    runs: list[list[Step]] = []
    for step in steps:
        if runs and a[step.i].start_s - a[runs[-1][-1].i].end_s <= BREAK_S and step.j > runs[-1][-1].j:
            runs[-1].append(step)
        else:
            runs.append([step])
    spans = tuple(
        Span(
            a_start_s=a[run[0].i].start_s,
            a_end_s=a[run[-1].i].end_s,
            b_start_s=b[run[0].j].start_s,
            b_end_s=b[run[-1].j].end_s,
        )
        for run in runs
    )
    in_a = sum(span.a_end_s - span.a_start_s for span in spans)
    in_b = sum(span.b_end_s - span.b_start_s for span in spans)
    all_a, all_b = a[-1].end_s - a[0].start_s, b[-1].end_s - b[0].start_s
    share = max(in_a / all_a if all_a else 1.0, in_b / all_b if all_b else 1.0)
    return spans, min(1.0, share)
