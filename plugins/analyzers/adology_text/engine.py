"""The local models: one finds places that look like text, the other reads them.

Both come inside the `rapidocr` wheel. They are loaded when first needed, once per process, from
the files of the wheel: nothing is ever downloaded.
"""

from __future__ import annotations

import importlib.util
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from adology.errors import ConfigError
from adology_text.ctc import Alphabet, Reading

Pixels = NDArray[np.uint8]
"""Height x width x 3, RGB."""

Quads = NDArray[np.float64]
"""Count x 4 corners x (right, down), pixels; clockwise from the upper left."""

FINDER = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"
ROW = 48
"""Height in pixels at which the recogniser reads."""

NARROWEST = 64
WIDEST = 4800
"""Widths, at `ROW`, between which lines are read; wider ones are squeezed."""

BATCH = 3200
"""Widths that are read together, so that memory stays bounded."""

WIDE_STEP = 16
"""Widths are rounded up to this, so that few shapes are seen."""

_reader: Reader | None = None
_lock = threading.Lock()


def shared_reader(threads: int) -> Reader:
    """The process's own reader; made on the first call, which takes about a second.

    Raises:
        ConfigError: the package with the models is not installed.
    """
    global _reader  # noqa: PLW0603 - one per process, as the models take 200 MB
    with _lock:
        if _reader is None:
            _reader = Reader(threads)
        return _reader


class Reader:
    """Finds and reads text. Safe to share between threads: one works at a time."""

    def __init__(self, threads: int) -> None:
        engine = _load(threads)
        self._lock = threading.Lock()
        self._finder = engine.text_det
        self._session = engine.text_rec.session
        self._alphabet = Alphabet(engine.text_rec.postprocess_op.character)

    def find(self, picture: Pixels) -> tuple[Quads, NDArray[np.float64]]:
        """Places that look like text and how much they do, in [0, 1], at the scale of `picture`."""
        with self._lock:
            found = self._finder(np.ascontiguousarray(picture[:, :, ::-1]))
        if found.boxes is None:
            return np.zeros((0, 4, 2)), np.zeros(0)
        return np.asarray(found.boxes, dtype=np.float64), np.asarray(found.scores, dtype=np.float64)

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """What stands in each crop: one level line of text."""
        rows = [_row(crop) for crop in crops]
        readings: dict[int, Reading] = {}
        for batch in _batches([row.shape[1] for row in rows]):
            width = max(rows[at].shape[1] for at in batch)
            block = np.zeros((len(batch), 3, ROW, width), dtype=np.float32)
            for place, at in enumerate(batch):
                block[place, :, :, : rows[at].shape[1]] = rows[at].transpose(2, 0, 1) / 127.5 - 1.0
            with self._lock:
                answers = self._session(block)
            for place, at in enumerate(batch):
                readings[at] = self._alphabet.decode(answers[place], width=width, used=rows[at].shape[1])
        return [readings[at] for at in range(len(rows))]


def _row(crop: Pixels) -> Pixels:
    """The crop as the recogniser wants it: BGR, `ROW` high."""
    height, width = crop.shape[:2]
    wanted = min(WIDEST, max(1, math.ceil(width * ROW / height)))
    # Area: linear would skip pixels of large letters, and loses thin strokes that way.
    how = cv2.INTER_AREA if height > 2 * ROW else cv2.INTER_LINEAR if height > ROW else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, (wanted, ROW), interpolation=how)[:, :, ::-1], dtype=np.uint8)


def _batches(widths: Sequence[int]) -> list[list[int]]:
    """Indices of similar widths together, `BATCH` wide at most or alone."""
    batches: list[list[int]] = []
    for at in sorted(range(len(widths)), key=lambda at: (widths[at], at)):
        if batches and widths[at] * (len(batches[-1]) + 1) <= BATCH:
            batches[-1].append(at)
        else:
            batches.append([at])
    return batches


def _load(threads: int) -> Any:
    """RapidOCR's engine with both models loaded; it publishes no types."""
    if importlib.util.find_spec("rapidocr") is None or importlib.util.find_spec("onnxruntime") is None:
        raise ConfigError(
            "analyzers.text",
            "needs the packages rapidocr and onnxruntime, which are not installed",
            "Install the extra `local`: pip install 'adology[local]'.",
        )
    import rapidocr  # noqa: PLC0415 - takes a second and most of the memory

    folder = Path(rapidocr.__file__).parent / "models"
    missing = [name for name in (FINDER, RECOGNISER) if not (folder / name).is_file()]
    if missing:
        raise ConfigError(
            "analyzers.text",
            f"the installed rapidocr has no model file {' and '.join(missing)}",
            "Install the version that the extra `local` names: pip install 'adology[local]'.",
        )
    engine = rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_preprocess_img": False,
            "Global.use_vertical_padding": False,
            # We choose the scale; this only says "leave it".
            "Det.limit_type": "max",
            "Det.limit_side_len": 1 << 20,
            "Det.box_thresh": 0.3,
            "Det.model_path": str(folder / FINDER),
            "Rec.model_path": str(folder / RECOGNISER),
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    blank = np.full((64, 64, 3), 255, dtype=np.uint8)
    engine(blank, use_det=True, use_cls=False, use_rec=False)
    engine(blank, use_det=False, use_cls=False, use_rec=True)
    return engine
