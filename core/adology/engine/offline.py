"""Analyzers on a file or a text without servers: nothing is cached, nothing is stored."""

from __future__ import annotations

import asyncio
import codecs
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from adology.abc.analyzer import AdItem, MediaItem
from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer
from adology.engine.clean import clean_plain
from adology.engine.invoke import Invoker, Outcome, Work
from adology.errors import EngineError, Skip, code_of, describe
from adology.fetch.sniff import sniff
from adology.log import external_call
from adology.money.calls import Payer
from adology.types import Ad, Struct

HEAD = 4096
PIECE = 1 << 20


class Said(Struct, frozen=True, kw_only=True):
    """What one analyzer said: a result as plain data, or why there is none.

    `skipped`: it had nothing to say about such an item. `derived` are the files that it made.
    """

    analyzer: str
    version: int
    result: Any = None
    error_code: str | None = None
    error: str | None = None
    skipped: bool = False
    derived: tuple[Path, ...] = ()
    seconds: float = 0.0
    cost_usd: float = 0.0


def read_subject(path: Path) -> MediaItem | Ad:
    """A creative, an ad from JSON, or one whose copy is the text of the file.

    Raises:
        EngineError: the file cannot be read, or is something else.
    """
    if path.suffix.lower() not in (".txt", ".json"):
        return read_media(path, if_text="Copy of an ad stands in a .txt file.")
    try:
        data = path.read_bytes()
        if path.suffix.lower() == ".txt":
            return Ad(id=path.name, bodies=(_read_text(path, data).strip(),))
        return msgspec.json.decode(data, type=Ad)
    except OSError as error:
        raise _unreadable(path, error) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise EngineError(f"{path} is not an ad as JSON: {error}.", code="ADO-1009") from error


def _read_text(path: Path, data: bytes) -> str:
    """The text of a file, UTF-8 or marked as UTF-16; bytes that do not decode become U+FFFD.

    Raises:
        EngineError: it is a picture or something else that is no text.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    head = data[:HEAD]
    found = sniff(head)
    if (found is not None and found.kind != "other") or b"\0" in head:
        seen = found.content_type if found is not None else "of an unknown type"
        raise EngineError(f"{path} is {seen}, although its name ends as that of a text.", code="ADO-1009")
    return data.decode("utf-8-sig", "replace")


def _unreadable(path: Path, error: OSError) -> EngineError:
    hint = "Give the files in it, such as FOLDER/*." if isinstance(error, IsADirectoryError) else ""
    return EngineError(f"{path} cannot be read: {error.strerror}.", hint=hint, code="ADO-1009")


def read_media(path: Path, *, if_text: str = "") -> MediaItem:
    """The item of an image or video file, judged by its content; `if_text` is said of a text.

    Raises:
        EngineError: there is no such file, or it is neither.
    """
    try:
        with path.open("rb") as file:
            digest, size, head = hashlib.sha256(), 0, b""
            while piece := file.read(PIECE):
                head = head or piece[:HEAD]
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        raise _unreadable(path, error) from error
    found = sniff(head)
    if found is None or found.kind not in ("image", "video"):
        seen = found.content_type if found else "of an unknown type"
        hint = if_text if seen == "text/plain" else ""
        raise EngineError(f"{path} is {seen}, not an image or a video.", hint=hint, code="ADO-1009")
    return MediaItem(
        sha256=digest.hexdigest(), path=path, kind=found.kind, content_type=found.content_type, size_bytes=size
    )


async def analyze(invoker: Invoker, analyzers: AnalyzerSet, subject: MediaItem | Ad, scratch: Path) -> list[Said]:
    """What every analyzer of such files, or of copies, says; each after the ones it uses."""
    if isinstance(subject, Ad):
        return await _run(invoker, analyzers.accepting("ad"), AdItem(ad=subject), scratch)
    return await _run(invoker, analyzers.accepting(subject.kind), subject, scratch)


async def place(invoker: Invoker, analyzers: Sequence[ReadyAnalyzer], text: str, scratch: Path) -> list[Said]:
    """Where a typed text stands for each of these analyzers.

    One of copy that does not tell a search from an ad is given the text as an ad. Those in whose
    spaces words find nothing say nothing.
    """
    said: list[Said] = []
    for analyzer in analyzers:
        answer, outcome = await _said(analyzer, partial(invoker.place, analyzer, text))
        if outcome is not None or answer.error is not None:
            said.append(answer)
        elif "ad" in analyzer.analyzer.accepts:
            ad = AdItem(ad=Ad(id="text", bodies=(text,)))
            said.append(await _run_one(invoker, analyzer, ad, scratch))
    return said


async def _run(
    invoker: Invoker, analyzers: Sequence[ReadyAnalyzer], item: MediaItem | AdItem, scratch: Path
) -> list[Said]:
    said: list[Said] = []
    for analyzer in analyzers:
        folder = scratch / analyzer.name
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        results = {one.analyzer: one.result for one in said if one.analyzer in analyzer.reads}
        said.append(await _run_one(invoker, analyzer, msgspec.structs.replace(item, results=results), folder))
    return said


async def _run_one(invoker: Invoker, analyzer: ReadyAnalyzer, item: Any, folder: Path) -> Said:
    work = Work(item=item, key="", payer=Payer())
    answer, _ = await _said(analyzer, lambda: invoker.invoke(analyzer, work, folder))
    return answer


async def _said(analyzer: ReadyAnalyzer, ask: Callable[[], Awaitable[Outcome | None]]) -> tuple[Said, Outcome | None]:
    started = time.perf_counter()
    answer, outcome = Said(analyzer=analyzer.name, version=analyzer.analyzer.version), None
    try:
        async with external_call("analyzer", analyzer.name) as call:
            try:
                outcome = await ask()
            except Skip as error:
                # Nothing to say is an answer: logged like one, and never a warning.
                call.fields["declined"] = describe(error)
                answer = msgspec.structs.replace(answer, error_code=code_of(error), error=describe(error), skipped=True)
        if outcome is not None:
            answer = msgspec.structs.replace(
                answer,
                result=clean_plain(outcome.result),
                derived=tuple(file.path for file in outcome.derived),
                cost_usd=outcome.cost_usd,
            )
    except Exception as error:  # noqa: BLE001 - shown beside the others' results
        answer = msgspec.structs.replace(answer, error_code=code_of(error), error=describe(error))
    return msgspec.structs.replace(answer, seconds=round(time.perf_counter() - started, 4)), outcome
