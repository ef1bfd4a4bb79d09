"""``python -m tests.bench.api.bare CONFIG FILE``: the server's own statements in a loop, on psycopg alone.

One connection for each thread, statements prepared after the fifth time, rows as tuples. The organisation is
said in the same round trip as the statement: without it, the policies show nothing.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg

from adology.settings import AdologySettings, load_settings
from adology_server.ads.counting import facets_statement, statistics_statement
from adology_server.ads.detail import DETAIL
from adology_server.ads.filters import Filter, values_of
from adology_server.ads.listing import statement_of
from adology_server.ads.routes import _USUAL
from adology_server.similar import lookup
from adology_server.tenancy import PLANNER, ROLE
from tests.bench.api.load import Order, Told
from tests.bench.api.questions import Question
from tests.bench.api.vectors import Vectors

_FOR: Final = "select set_config('adology.org_id', %s, false)"
PAGE = 50


class Bare:
    """A connection, and how each question is asked on it."""

    def __init__(self, settings: AdologySettings, vectors: Vectors | None) -> None:
        self._link = psycopg.connect(settings.postgres.url, autocommit=True, options=f"-c role={ROLE} {PLANNER}")
        self._stale = timedelta(seconds=settings.server.stale_look_s)
        self._vectors = vectors

    def ask(self, question: Question) -> int:
        """Ask it; how many rows came."""
        path = question.path
        if path.startswith("/v1/statistics"):
            values = {"space": question.space, "stale": self._stale, "new": timedelta(days=7)}
            return len(self._rows(question, statistics_statement(), values))
        if path.startswith("/v1/ads/facets"):
            which = Filter(label=(question.label,))
            return len(self._rows(question, facets_statement(which, _USUAL), self._values(question, which)))
        if "/similar" in path:
            return self._similar(question)
        if question.ad:
            return len(self._rows(question, DETAIL, {"ad": question.ad, "stale": self._stale}))
        which, sort = Filter(), "newest"
        if question.label:
            which = Filter(label=(question.label,), platform=("instagram",), status=("running", "unknown"))
            sort = "last_seen"
        statement = statement_of(which, sort, limit=PAGE + 1, begun=False, collapse=False)  # type: ignore[arg-type]
        return len(self._rows(question, statement, self._values(question, which)))

    def _values(self, question: Question, which: Filter) -> dict[str, Any]:
        return {**values_of(which), "space": question.space, "stale": self._stale}

    def _rows(self, question: Question, statement: Any, values: Any) -> list[tuple[Any, ...]]:
        with self._link.pipeline():
            self._link.execute(_FOR, [question.org])
            return self._link.execute(statement, values).fetchall()

    def _similar(self, question: Question) -> int:
        assert self._vectors is not None
        brands = [
            row[0]
            for row in self._rows(
                question, "select brand from brandspace_brands where brandspace_id = %s", [question.space]
            )
        ]
        places = self._rows(question, lookup._PLACES, {"ad": question.ad, "most": 20})
        if not places:
            return 0
        near = self._vectors.search(places[0][2], brands, 11)
        subjects = [sha for sha, _ in near]
        values = {"subjects": subjects, "brands": brands, "most": 5}
        self._rows(question, lookup._KINDS, [subjects])
        return len(self._rows(question, lookup._ADS["looks"], values))


def ask_all(settings: AdologySettings, order: Order) -> Told:
    """Ask all questions, over so many threads."""
    waiting, warm = deque(order.questions), order.warm
    vectors = Vectors.load(settings.postgres.url) if "/similar" in order.questions[0].path else None
    each: list[float] = []
    rows: list[int] = []
    sides = [Bare(settings, vectors) for _ in range(order.connections)]
    for question in list(waiting)[:warm]:
        sides[0].ask(question)
    for side in sides[1:]:
        for question in order.questions[:6]:
            side.ask(question)
    for _ in range(warm):
        waiting.popleft()

    def work(side: Bare) -> None:
        while True:
            try:
                question = waiting.popleft()
            except IndexError:
                return
            began = time.perf_counter()
            rows.append(side.ask(question))
            each.append(time.perf_counter() - began)

    began = time.perf_counter()
    _together(work, sides)
    return Told(seconds=time.perf_counter() - began, each=each, size=sum(rows), statuses={200: len(each)})


def _together(work: Callable[[Bare], None], sides: list[Bare]) -> None:
    if len(sides) == 1:
        work(sides[0])
        return
    threads = [threading.Thread(target=work, args=(side,)) for side in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    given = msgspec.json.decode(Path(sys.argv[2]).read_bytes(), type=Order)
    print("told", msgspec.json.encode(ask_all(load_settings(config=Path(sys.argv[1])), given)).decode(), flush=True)
