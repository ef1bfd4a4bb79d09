"""One picture laid into the frame of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adology_likeness.align import Matrix
from adology_likeness.marks import Mask, grey

LEAST_COMMON = 0.3
"""Of the width and the height of a screen, below which frames are not compared."""
SETTLE_STEPS = 30
BLUR = 5
"""Pixels; odd."""


def settle(a: NDArray[np.float32], b: NDArray[np.float32], matrix: Matrix, mirror: bool) -> Matrix | None:
    """The transformation moved a little, so that the two lie over each other as well as they can; None: no better.

    Keypoints in one corner say little about the other one. Evangelidis and Psarakis, "Parametric
    image alignment using enhanced correlation coefficient maximization" (2008), as in OpenCV.
    """
    import cv2  # noqa: PLC0415 - optional, and slow to import

    first, second = grey(a), grey(b)
    if mirror:
        first, matrix = np.ascontiguousarray(first[:, ::-1]), unmirrored(matrix, a.shape)
    pixels = in_pixels(matrix, a.shape, b.shape)
    back = turned(pixels).astype(np.float32)
    ends = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, SETTLE_STEPS, 1e-4)
    try:
        # Its stubs lack None for "the whole picture".
        _, moved = cv2.findTransformECC(second, first, back, cv2.MOTION_AFFINE, ends, None, BLUR)  # type: ignore[call-overload]
    except cv2.error:  # it does not converge: they do not lie over each other at all
        return None
    settled = turned(moved.astype(np.float64))
    settled[:, :2] *= max(a.shape[:2]) / max(b.shape[:2])
    settled[:, 2] /= max(b.shape[:2])
    return unmirrored(settled, a.shape, back=True) if mirror else settled


def unmirrored(matrix: Matrix, shape: tuple[int, ...], *, back: bool = False) -> Matrix:
    """For places of the mirrored picture counted from its left; mirrored places run from -width to 0."""
    width = shape[1] / max(shape[:2])
    counted: Matrix = matrix @ np.array([[1, 0, width if back else -width], [0, 1, 0], [0, 0, 1]])
    return counted


def turned(matrix: Matrix) -> Matrix:
    """The transformation back."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    return np.asarray(cv2.invertAffineTransform(matrix), np.float64)


def in_pixels(matrix: Matrix, a: tuple[int, ...], b: tuple[int, ...]) -> Matrix:
    """For places in pixels, of pictures of the shapes `a` and `b`."""
    pixels: Matrix = matrix.copy()
    pixels[:, :2] *= max(b[:2]) / max(a[:2])
    pixels[:, 2] *= max(b[:2])
    return pixels


def lay(a: NDArray[np.float32], pixels: Matrix, shape: tuple[int, ...]) -> tuple[NDArray[np.float32], Mask]:
    """`a` in the frame of `shape`, blurred first as far as it is made smaller, and where it lies."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    scale = float(np.sqrt(abs(np.linalg.det(pixels[:, :2]))))
    if scale < 1:
        sigma = 0.5 * float(np.sqrt(1 / scale**2 - 1))
        if sigma > 0.1:  # noqa: PLR2004 - below that nothing is blurred
            a = np.asarray(cv2.GaussianBlur(a, (0, 0), sigma), np.float32)
    # Pixels are areas: the middle of the first one is at one half.
    shifted = pixels.copy()
    shifted[:, 2] += pixels[:, :2] @ np.array([0.5, 0.5]) - 0.5
    size = (shape[1], shape[0])
    laid = cv2.warpAffine(a, shifted, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    ones = np.ones(a.shape[:2], np.uint8)
    inside = cv2.warpAffine(ones, shifted, size, flags=cv2.INTER_NEAREST, borderValue=0)
    return np.asarray(laid, np.float32), np.asarray(inside > 0)


def around(a: NDArray[np.float32], back: Matrix, b: tuple[int, ...]) -> Mask:
    """Where `a` does not lie in the frame of `b`."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    ones = np.ones(b[:2], np.uint8)
    return np.asarray(cv2.warpAffine(ones, back, (a.shape[1], a.shape[0]), flags=cv2.INTER_NEAREST) == 0)


def laid_in_shares(
    a: tuple[int, ...], b: tuple[int, ...], matrix: Matrix, mirror: bool, grid: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """A grid over what the pictures have in common: its places in a and in b, shares of the longest sides."""
    if mirror:
        matrix = unmirrored(matrix, a)
    corners = np.array([[0, 0], [a[1], 0], [a[1], a[0]], [0, a[0]]], np.float64) / max(a[:2])
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    limits = np.array(b[1::-1], np.float64) / max(b[:2])
    low, high = np.maximum(moved.min(axis=0), 0), np.minimum(moved.max(axis=0), limits)
    if ((high - low) < LEAST_COMMON * limits).any():
        return None
    x, y = np.meshgrid(*((np.arange(grid) + 0.5) / grid * (high[i] - low[i]) + low[i] for i in (0, 1)))
    in_b = np.stack([x, y], axis=-1)
    back = turned(matrix)
    in_a = in_b @ back[:, :2].T + back[:, 2]
    if mirror:
        in_a[..., 0] = a[1] / max(a[:2]) - in_a[..., 0]
    return in_a.astype(np.float32), in_b.astype(np.float32)
