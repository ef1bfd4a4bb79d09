"""How many connections there may be: of a user at all replicas together, and of one process.

Each replica counts its own in memory and tells the database, which adds them up when one more is
opened. What a replica says holds for `STALE_S` without a sign of life, so that the connections of
a killed one count no more after that.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Final
from uuid import UUID, uuid4

from adology.errors import AdologyError, Retry, describe
from adology.log import logger
from adology.settings.model import ServerSettings
from adology_server.problems import Refusal
from adology_server.tenancy import Tenants

HOLD_S = 10.0
"""A replica gives a sign of life this often, with all its counts: what went wrong before is set right."""
STALE_S = 3 * HOLD_S
FREE_S = 1.0
"""A closed connection counts at other replicas for this long at most."""
RETRY_AFTER: Final = {"retry-after": "10"}

TAKE: Final = "select sockets_take(%s, %s, %s, %s, %s, %s) as taken"
HOLD: Final = "select sockets_hold(%s, %s, %s, %s, %s)"


class Seats:
    """The connections of this process, by user."""

    def __init__(self, tenants: Tenants, settings: ServerSettings) -> None:
        self._tenants = tenants
        self._per_user = settings.sockets_per_user
        self._per_process = settings.sockets_per_process
        self._replica = uuid4()
        self._turn = 0
        self._open: Counter[UUID] = Counter()
        self._total = 0
        self._changed: set[UUID] = set()
        self._stopped = False

    def check_room(self) -> None:
        """Whether this process takes one more connection.

        Raises:
            Refusal: 503, it is full or about to end.
        """
        if self._stopped:
            raise Refusal("unavailable", "The server is about to end; try again.", headers={"retry-after": "1"})
        if self._total >= self._per_process:
            detail = f"This process holds {self._total} connections, as many as it takes: try again."
            raise Refusal("full", detail, headers=RETRY_AFTER)

    @contextlib.asynccontextmanager
    async def taken(self, who: UUID) -> AsyncIterator[None]:
        """One connection of that user for the length of the block.

        Raises:
            Refusal: 429 the user has too many, 503 this process is full or about to end.
            UnavailableError: the database does not answer.
        """
        self.check_room()
        self._open[who] += 1
        self._total += 1
        try:
            # The count and its turn belong together: another one of this user may be opened meanwhile.
            values = [self._replica, who, self._open[who], self._next_turn(), self._per_user, STALE_S]
            ((row),) = await self._tenants.rows(None, TAKE, values)
            if not row["taken"]:
                detail = f"{self._per_user} connections are open for this user, over all processes: close one first."
                raise Refusal("too-many", detail, headers=RETRY_AFTER)
            yield
        finally:
            self._total -= 1
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]
            self._changed.add(who)

    async def run(self) -> None:
        """Tell the database what is open, until cancelled; what it could not be told is told later."""
        loop = asyncio.get_running_loop()
        held = -HOLD_S
        while True:
            whole = loop.time() - held >= HOLD_S
            if whole or self._changed:
                changed, self._changed = self._changed, set()
                try:
                    await self._hold(self._open if whole else changed, whole=whole)
                except Retry as error:
                    self._changed |= changed
                    logger.bind(error=describe(error)).warning("live: connections cannot be counted; tried again")
                else:
                    held = loop.time() if whole else held
            await asyncio.sleep(FREE_S)

    async def _hold(self, users: Iterable[UUID], *, whole: bool) -> None:
        listed = list(users)
        counts = [self._open[user] for user in listed]
        await self._tenants.rows(None, HOLD, [self._replica, listed, counts, self._next_turn(), whole])

    def stop(self) -> None:
        """Take no more: the process is about to end."""
        self._stopped = True

    async def leave(self) -> None:
        """Nothing of this process counts any more."""
        with contextlib.suppress(AdologyError):  # else it counts for STALE_S
            await self._tenants.rows(None, "select sockets_leave(%s)", [self._replica])

    def _next_turn(self) -> int:
        self._turn += 1
        return self._turn
