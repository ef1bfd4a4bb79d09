"""Scripted analyzers on an analysis cache in memory."""
# ruff: noqa: ARG002, ARG005 - the interface's signatures

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from adology import Analyzer, Context, Needs
from adology.abc.analyzer import AdItem, Derived, MediaItem
from adology.engine.analyze import Analysed, AnalysisRunner, Subject
from adology.engine.analyzers import ReadyAnalyzer
from adology.engine.invoke import Invoker
from adology.types import Ad, Struct
from tests.unit.engine.memory import Analyses

LEASE_S, WAIT_S = 30.0, 10.0
SUBJECT = Subject(kind="ad", hash="c0ffee", item=AdItem(ad=Ad(id="1")))
PICTURE = Subject(
    kind="asset",
    hash="beef",
    item=MediaItem(sha256="beef", path=Path("a.jpg"), kind="image", content_type="image/jpeg", size_bytes=1),
)


class Word(Struct, frozen=True, kw_only=True):
    text: str = ""
    number: float = 0.0


class Scripted(Analyzer[None, Word]):
    """Does what the test says."""

    name, version, accepts = "scripted", 1, ("ad",)

    def __init__(self, act: Callable[[Context[None], Any], Any]) -> None:
        self._act = act
        self.calls = 0

    async def analyze(self, ctx: Context[None], item: Any) -> Any:
        self.calls += 1
        answer = self._act(ctx, item)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, BaseException):
            raise answer
        return answer


def make(name: str, act: Callable[[Context[None], Any], Any], **over: Any) -> ReadyAnalyzer:
    analyzer = Scripted(act)
    for key, value in over.items():
        setattr(analyzer, key, value)
    return ReadyAnalyzer(
        name=name, analyzer=analyzer, settings=None, settings_fields={}, reference=f"tests:{name}",
        fingerprint=f"print-{name}", needs=Needs(uses=over.get("uses", ())), reads=frozenset(over.get("uses", ())),
    )  # fmt: skip


def says(text: str) -> Callable[[Context[None], Any], Any]:
    return lambda ctx, item: Word(text=text)


def fails(error: BaseException) -> Callable[[Context[None], Any], Any]:
    return lambda ctx, item: error


class Bench:
    """A runner on an analysis cache."""

    def __init__(self, *, isolation: Any = None) -> None:
        self.analyses = Analyses()
        self.isolation = isolation
        self.archived = 0
        self.kept: list[str] = []

    def runner(self, owner: str = "w1") -> AnalysisRunner:
        return AnalysisRunner(
            self.analyses, self.analyses.store_one, Invoker(self.isolation), owner=owner, lease_s=LEASE_S, wait_s=WAIT_S
        )

    async def run(
        self,
        *analyzers: ReadyAnalyzer,
        subject: Subject = SUBJECT,
        owner: str = "w1",
        runner: AnalysisRunner | None = None,
    ) -> Analysed:
        return await (runner or self.runner(owner)).run(
            subject, analyzers, scratch=Path(), before_first=self.archive, keep=self.keep
        )

    async def archive(self) -> None:
        self.archived += 1

    async def keep(self, analyzer: str, derived: Sequence[Derived]) -> tuple[str, ...]:
        self.kept += [file.name for file in derived]
        return tuple(f"derived/{file.name}" for file in derived)


def calls(analyzer: ReadyAnalyzer) -> int:
    found: int = analyzer.analyzer.calls  # type: ignore[attr-defined]  # Scripted
    return found
