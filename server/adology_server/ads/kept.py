"""Answers about a brandspace, kept until one of its brands changes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, LiteralString, NamedTuple, TypeVar, cast
from uuid import UUID

from psycopg.rows import DictRow

from adology_server.tenancy import Tenants, Values

_VERSION: Final = """
select string_agg(format('%%s %%s %%s', b.brand, b.role, v.version), ',' order by b.brand) as version
from brandspace_brands b left join feed_versions v on v.brand = b.brand where b.brandspace_id = %(space)s"""
T = TypeVar("T")
_ENTRY_BYTES: Final = 2000
"""What an answer takes beside its text: the question, the rows as objects."""


class Question(NamedTuple):
    """What was asked, of which brandspace, for whom; two that are equal have the same answer."""

    org: str
    space: UUID
    what: Hashable


class _Kept(NamedTuple):
    version: str
    until: float
    answer: Any
    size: int


class KeptAnswers:
    """Asks the database each time what the brandspace's brands and their versions are, and nothing more if it knows.

    So an answer is never older than the feed, on any replica. Only what follows from the clock alone, such as
    an ad's status, may be late, by `seconds`.

    Args:
        most_bytes: of all answers together; the ones that were asked for longest ago go first. 0: none is kept.
        seconds: how long an answer is kept.
    """

    def __init__(self, most_bytes: int, seconds: float) -> None:
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._kept: OrderedDict[Question, _Kept] = OrderedDict()
        self.size = 0
        """Bytes of what is kept, roughly."""

    async def find(
        self,
        tenants: Tenants,
        question: Question,
        statement: LiteralString,
        values: Values,
        make: Callable[[list[DictRow]], tuple[T, int]],
    ) -> T:
        """What `make` makes of the statement's rows (with its size in bytes), now or before.

        Raises as `Tenants.several`.
        """
        if self._most_bytes == 0:
            return make(await tenants.rows(question.org, statement, values))[0]
        of_space = (_VERSION, {"space": question.space})
        kept = self._get(question)
        if kept is not None:
            ((now,),) = await tenants.several(question.org, of_space)
            if now["version"] == kept.version:
                return cast("T", kept.answer)
        # The version first: rows may be newer than it says, which costs a second look, and never older.
        ((now,), rows) = await tenants.several(question.org, of_space, (statement, values))
        answer, size = make(rows)
        if now["version"] is not None:
            self._put(question, _Kept(now["version"], time.monotonic() + self._seconds, answer, size + _ENTRY_BYTES))
        return answer

    def _get(self, question: Question) -> _Kept | None:
        kept = self._kept.get(question)
        if kept is None or kept.until < time.monotonic():
            return None
        self._kept.move_to_end(question)
        return kept

    def _put(self, question: Question, kept: _Kept) -> None:
        if kept.size > self._most_bytes // 8:
            return
        before = self._kept.pop(question, None)
        self.size += kept.size - (before.size if before is not None else 0)
        self._kept[question] = kept
        while self.size > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self.size -= oldest.size
