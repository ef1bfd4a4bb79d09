"""How one picture lies in another: the transformation that most matching keypoints agree on.

Each match of two SIFT keypoints is a guess of its own, since both know their size and direction:
no random samples, so the same pictures always give the same answer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adology_likeness.keypoints import Points, mirrored

Matrix = NDArray[np.float64]
"""(2, 3): from places in one picture to places in another, both as shares of the longest sides."""

LEAST_ALIKE = 0.80
"""Cosine of two descriptors below which they are not the same spot."""
NEAR = 0.025
"""Matches this near to where the transformation puts them agree with it, as a share of the longest side."""
THIN = 0.008
"""Spread in one direction below which nothing can be said of a stretch in it, as a share of the longest side."""
SIZE_FACTOR = 1.7
TURN = 0.35
"""Radians."""
MOST_STRETCH = 1.6
LARGEST_SCALE = 6.0
FEWEST = 4
MOST_MATCHES = 160
REFINED = (NEAR, NEAR, 0.015, 0.01, 0.01)
"""How near, in one round of fitting after the other."""


class Alignment(NamedTuple):
    """`matrix` takes places of a (mirrored first where `mirror`) to places of b; `inliers` agree."""

    matrix: Matrix
    mirror: bool
    inliers: int
    spread: float
    """Of the agreeing places in a: geometric mean of their standard deviations."""


def align(a: Points, b: Points) -> list[Alignment]:
    """The best transformation as they are and the best one mirrored, more agreement first; maybe none."""
    found = [one for mirror in (False, True) if (one := _align(mirrored(a) if mirror else a, b, mirror)) is not None]
    return sorted(found, key=lambda one: (-one.inliers, one.mirror))


def _align(a: Points, b: Points, mirror: bool) -> Alignment | None:
    if len(a) < FEWEST or len(b) < FEWEST:
        return None
    first, second = _matches(a, b)
    if len(first) < FEWEST:
        return None
    guesses = _guesses(a, b, first, second)
    places = a.places[first].astype(np.float64)
    wanted = b.places[second].astype(np.float64)
    agree = _agreeing(guesses, places, wanted) & _alike(guesses, a, b, first, second)
    votes = agree.sum(axis=1)
    best: Alignment | None = None
    for guess in np.argsort(-votes, kind="stable")[:5]:
        one = _refine(guesses[guess], agree[guess], places, wanted, mirror)
        if one is not None and (best is None or one.inliers > best.inliers):
            best = one
    return best


def _matches(a: Points, b: Points) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The two nearest of each in the other picture: letters repeat, so one is not enough."""
    alike = a.about @ b.about.T
    pairs = set()
    for axis, table in ((0, alike), (1, alike.T)):
        nearest = np.argsort(-table, axis=1, kind="stable")[:, :2]
        for i, row in enumerate(nearest):
            for j in row:
                if table[i, j] >= LEAST_ALIKE:
                    pairs.add((i, int(j)) if axis == 0 else (int(j), i))
    ordered = np.array(sorted(pairs, key=lambda pair: (-alike[pair], pair))[:MOST_MATCHES], np.int64).reshape(-1, 2)
    return ordered[:, 0], ordered[:, 1]


def _guesses(a: Points, b: Points, first: NDArray[np.int64], second: NDArray[np.int64]) -> Matrix:
    scale = (b.sizes[second] / a.sizes[first]).astype(np.float64)
    turn = (b.angles[second] - a.angles[first]).astype(np.float64)
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    linear = np.stack([np.stack([cosine, -sine], 1), np.stack([sine, cosine], 1)], 1)
    moved = np.einsum("nij,nj->ni", linear, a.places[first].astype(np.float64))
    shift = b.places[second] - moved
    return np.concatenate([linear, shift[:, :, None]], axis=2)


def _agreeing(guesses: Matrix, places: Matrix, wanted: Matrix) -> NDArray[np.bool_]:
    x, y = places.T
    off_x = guesses[:, 0, :1] * x + guesses[:, 0, 1:2] * y + guesses[:, 0, 2:] - wanted[:, 0]
    off_y = guesses[:, 1, :1] * x + guesses[:, 1, 1:2] * y + guesses[:, 1, 2:] - wanted[:, 1]
    # Far from the guess's own place its small error in direction has grown.
    return np.asarray(off_x**2 + off_y**2 < (2 * NEAR) ** 2)


def _alike(
    guesses: Matrix, a: Points, b: Points, first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether sizes and directions agree with the guess as well."""
    scale = np.hypot(guesses[:, 0, 0], guesses[:, 1, 0])[:, None]
    turn = np.arctan2(guesses[:, 1, 0], guesses[:, 0, 0])[:, None]
    sizes = (b.sizes[second] / a.sizes[first])[None] / scale
    turns = np.abs((b.angles[second] - a.angles[first])[None] - turn + np.pi) % (2 * np.pi)
    off = np.abs(turns - np.pi)
    return np.asarray((np.abs(np.log(sizes)) < np.log(SIZE_FACTOR)) & (off < TURN))


def _refine(guess: Matrix, agree: NDArray[np.bool_], places: Matrix, wanted: Matrix, mirror: bool) -> Alignment | None:
    """Least squares over those that agree, again and again."""
    matrix = guess
    for near in REFINED:
        if agree.sum() < FEWEST:
            break
        fitted = _fit(places[agree], wanted[agree])
        now = np.linalg.norm(places @ fitted[:, :2].T + fitted[:, 2] - wanted, axis=1) < near
        if now.sum() < FEWEST or (near < NEAR and now.sum() < agree.sum() / 2):
            break
        matrix, agree = fitted, now
    inliers = _distinct(places[agree], wanted[agree])
    if inliers < FEWEST or not _plausible(matrix):
        return None
    spread = float(np.sqrt(np.prod(places[agree].std(axis=0) + 1e-9)))
    return Alignment(matrix, mirror, inliers, spread)


def _fit(places: Matrix, wanted: Matrix) -> Matrix:
    """Stretched apart in x and y, turned a little: what pictures undergo. A general matrix with many points."""
    middle, aim = places.mean(axis=0), wanted.mean(axis=0)
    x, y = places - middle, wanted - aim
    # Similarity for few points; each axis of its own where enough points tell.
    power = float((x**2).sum()) or 1e-12
    cosine = float((x * y).sum()) / power
    sine = float((x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]).sum()) / power
    linear = np.array([[cosine, -sine], [sine, cosine]])
    if len(places) >= 2 * FEWEST and (x**2).mean(axis=0).min() > THIN**2:
        linear = np.linalg.lstsq(x, y, rcond=None)[0].T
    return np.concatenate([linear, (aim - linear @ middle)[:, None]], axis=1)


def _distinct(places: Matrix, wanted: Matrix) -> int:
    """How many different spots agree: several keypoints on one spot are one witness."""
    spots = {tuple(spot) for spot in np.round(np.concatenate([places, wanted], axis=1) * 80).astype(int).tolist()}
    return len({spot[:2] for spot in spots} if spots else set())


def _plausible(matrix: Matrix) -> bool:
    """Not folded over, crushed or stretched beyond what is done to pictures."""
    stretches = np.linalg.svd(matrix[:, :2], compute_uv=False)
    return bool(
        np.linalg.det(matrix[:, :2]) > 0
        and stretches[0] / max(stretches[1], 1e-9) < MOST_STRETCH
        and stretches[1] > 1 / LARGEST_SCALE
        and stretches[0] < LARGEST_SCALE
    )
