"""Analyzers over files and texts without any server: for notebooks, scripts and the command line.

::

    from adology import workbench
    from adology_media.model import MediaFacts

    async for one in workbench.analyze(Path("creatives").iterdir(), only=["media", "text"]):
        print(one.name, one.result("media", MediaFacts).width)

Nothing is cached and nothing is stored; what vendors charge for stands in the results only.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from adology.abc.analyzer import MediaItem
from adology.engine.analyzers import AnalyzerSet, UnknownAnalyzerError, prepare
from adology.engine.invoke import Invoker
from adology.engine.offline import Said, read_subject
from adology.engine.offline import analyze as _analyze
from adology.isolation import IsolatedPool
from adology.money import MemoryPurse, PriceTable
from adology.plugins import load_plugins
from adology.settings import AdologySettings
from adology.types import Ad, Struct
from adology.vendors import close_clients

__all__ = ["Analyzed", "Said", "UnknownAnalyzerError", "analyze", "choose"]

R = TypeVar("R")


class Analyzed(Struct, frozen=True, kw_only=True):
    """A file or a text, and what each analyzer said of it.

    `name` is the path, or the text itself. Derived files are in `folder`.
    """

    name: str
    subject: MediaItem | Ad
    said: tuple[Said, ...]
    folder: Path

    @property
    def results(self) -> dict[str, Any]:
        """Analyzer → result as it is stored: plain data, fields with their default value left out."""
        return {one.analyzer: one.result for one in self.said if one.error is None and one.result is not None}

    def result(self, analyzer: str, kind: type[R]) -> R | None:
        """The analyzer's result as its own Struct; None where it had none.

        Raises:
            msgspec.ValidationError: `kind` is another analyzer's.
        """
        found = self.results.get(analyzer)
        return None if found is None else msgspec.convert(found, kind)


async def analyze(
    files: Iterable[Path] = (),
    texts: Iterable[str] = (),
    *,
    only: Sequence[str] = (),
    settings: AdologySettings | None = None,
    scratch: Path | None = None,
) -> AsyncIterator[Analyzed]:
    """Each file (image, video, .txt as copy, .json as an ad) and text, in order, as soon as it is done.

    `only` names analyzers; those that they use run as well. An analyzer's error stands in its place.
    Derived files are written under `scratch`; without it they are gone when the iteration ends.

    Raises:
        UnknownAnalyzerError: `only` names an analyzer that is not there, or that cannot work.
        ConfigError: analyzers use each other in a circle.
        EngineError: a file cannot be read, or is something else.
    """
    settings = settings or AdologySettings()
    analyzers = choose(settings, only)
    # All are read first: a missing file is told of before minutes are spent on the others.
    subjects = [(str(path), read_subject(path)) for path in files]
    subjects += [(text, Ad(id="text", bodies=(text,))) for text in texts]
    worker = settings.worker
    async with AsyncExitStack() as stack:
        if scratch is None:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="adology-")))
        pool = IsolatedPool(worker.isolation_processes, memory_bytes=worker.isolation_memory_bytes)
        stack.push_async_callback(close_clients)
        invoker = Invoker(await stack.enter_async_context(pool), MemoryPurse(PriceTable(settings.money.prices)))
        for number, (name, subject) in enumerate(subjects):
            folder = scratch / str(number)
            said = await _analyze(invoker, analyzers, subject, folder)
            yield Analyzed(name=name, subject=subject, said=tuple(said), folder=folder)


def choose(settings: AdologySettings, only: Sequence[str] = ()) -> AnalyzerSet:
    """The installed analyzers of files and copies with their settings, or those named.

    Raises:
        UnknownAnalyzerError: there is none of that name, or it cannot work, with the reason.
        ConfigError: analyzers use each other in a circle.
    """
    own = settings.plugins
    loaded = load_plugins(only=own.only, without=own.without, strict=own.strict, trace=own.trace)
    analyzers = prepare(loaded.of_kind("analyzer"), settings.analyzers)
    analyzers.check_names(only, ("image", "video", "ad"), "files or copies")
    return analyzers.only(only)
