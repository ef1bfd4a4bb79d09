"""Brighter, warmer, greyer, flatter: the colours of one picture told from those of the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adology_likeness.marks import Mask, going_together, grey, most

ALIKE = 0.6
SMALLEST = 16
"""Sides of the common part below which nothing can be said, pixels."""
FITS = 4
HELD = 12.0
KNEE = 184.0
"""Level from which brightened pictures begin to burn out."""
LOWEST_WEIGHTS = np.array([-0.2, -0.6, -1.5, -256.0])
HIGHEST_WEIGHTS = np.array([2.0, 1.2, 1.5, 256.0])
"""Of a colour, of the brightness, of what is above the knee, and of one."""
FITTED_ON = 4000
"""Pixels at most."""
CLOSE = 8.0
"""Levels: what is told this well is kept in any case, or the fit would run after a part of the colours."""
TRIM = 0.7
"""The share of pixels that colours are matched on, after the first round: changed parts must not count."""


def match_colours(
    a: NDArray[np.float32], b: NDArray[np.float32], inside: Mask
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Both, with the colours of one told from the other's; and by how much they differed.

    Brighter, warmer, greyer, flatter: all of that is one smooth function of the colours, fitted on
    those pixels that follow it best. The way that misses less is taken: grey tells no colours.
    """
    chosen = _telling(a, b, inside)
    change = float(np.abs(a - b).reshape(-1, 3)[chosen].mean()) if len(chosen) else 0.0
    there, miss = _fit(a, b, inside)
    back, other_miss = _fit(b, a, inside)
    return (there, b, change) if miss <= other_miss else (a, back, change)


def _fit(source: NDArray[np.float32], wanted: NDArray[np.float32], inside: Mask) -> tuple[NDArray[np.float32], float]:
    """What the source's colours tell of the wanted ones; relative to their contrast, by how much they miss.

    Each colour is told from itself and from the brightness, within what is done to pictures: with
    more freedom a template's blue panel would turn into its red one.
    """
    flat, aim = source.reshape(-1, 3), wanted.reshape(-1, 3)
    brightness = grey(source).ravel()
    chosen = _telling(source, wanted, inside)
    told = np.empty_like(flat)
    kept = chosen
    for _ in range(FITS):
        for channel in range(3):
            terms = _terms(flat[:, channel], brightness)
            told[:, channel] = terms @ _weights(terms[kept], aim[kept, channel], flat[kept, channel])
        miss = most(np.abs(told[chosen] - aim[chosen]))
        kept = chosen[miss <= max(float(np.quantile(miss, TRIM)), CLOSE)]
    missed = np.abs(told[chosen] - aim[chosen])
    return told.reshape(wanted.shape), float(np.quantile(missed, TRIM) / (aim[chosen].std() + 4))


def _terms(values: NDArray[np.float32], brightness: NDArray[np.float32]) -> NDArray[np.float32]:
    ones = np.ones_like(values)
    return np.stack([values, brightness, np.maximum(values - KNEE, 0), ones], axis=1)


def _weights(terms: NDArray[np.float32], aim: NDArray[np.float32], same: NDArray[np.float32]) -> NDArray[np.float32]:
    """Least squares, held at the values as they are where nothing tells otherwise, within bounds."""
    x = terms.astype(np.float64)
    power = x.T @ x + np.diag([HELD, HELD, HELD, 1e-6]) * len(x)
    found = np.array([1.0, 0.0, 0.0, 0.0]) + np.linalg.solve(power, x.T @ (aim - same).astype(np.float64))
    bounded = np.clip(found, LOWEST_WEIGHTS, HIGHEST_WEIGHTS)
    if (bounded != found).any():
        bounded[3] = float(np.median(aim - x[:, :3] @ bounded[:3]))
    return np.asarray(bounded, np.float32)


def _telling(source: NDArray[np.float32], wanted: NDArray[np.float32], inside: Mask) -> NDArray[np.int64]:
    """Pixels to fit on: where detail goes the same way, so that no panel teaches its colour; all if these are few."""
    alike = np.where(((going_together(grey(source), grey(wanted))[0] > ALIKE) & inside).ravel())[0]
    chosen: NDArray[np.int64] = alike if len(alike) >= SMALLEST**2 else np.where(inside.ravel())[0]
    return chosen[:: max(1, len(chosen) // FITTED_ON)]
