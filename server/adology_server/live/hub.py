"""Hands events to the clients of this process that may see them, and looks after their connections."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final, LiteralString

from adology.errors import Retry, describe
from adology.log import logger
from adology.settings.model import ServerSettings
from adology_server.live.members import GOING, REVOKED, Member
from adology_server.live.seats import Seats
from adology_server.live.told import Event, Told
from adology_server.tenancy import Tenants

PAGE = 500
LOOK_S = 5.0
"""Events are looked for this often also without a notice: one may be lost with its connection."""
CHECK_S = 60.0
"""Sessions end by themselves, too: how often it is asked which ones are still good."""
MOST_BEHIND = 100_000
"""Events of all organisations that may lie between a client's last one and now; who is further behind starts anew."""

MISSED: Final = """
select e.id, e.org_id, array(select b.brandspace_id from brandspace_brands b where b.brand = e.brand) as spaces,
    e.kind, e.body, e.at
from events e where e.id > %s order by e.id limit %s"""


class Hub:
    """The clients of this process. `last` is the newest event that was handed out."""

    def __init__(self, tenants: Tenants, settings: ServerSettings) -> None:
        self._tenants = tenants
        self._settings = settings
        # In the order in which they came, as they lie in memory: thousands are walked through for each event.
        self._members: defaultdict[str, dict[Member, None]] = defaultdict(dict)
        self._stopped = False
        self.seats = Seats(tenants, settings)
        self.last = 0
        self.due = asyncio.Event()
        """Set when there may be something new."""
        self.doubtful = asyncio.Event()
        """Set when a revocation may have been missed."""

    @contextlib.contextmanager
    def joined(self, member: Member) -> Iterator[None]:
        """The member hears what happens for the length of the block; it has a seat."""
        member.seen = max(member.seen, self.last)
        self._members[member.org][member] = None
        if self._stopped:  # while it was let in
            member.end(GOING, "the server is going away")
        try:
            yield
        finally:
            self._members[member.org].pop(member, None)
            if not self._members[member.org]:
                del self._members[member.org]

    async def catch_up(self, member: Member, after: int) -> None:
        """Send what the member has missed after that event, in order, and let it hear the rest as it happens.

        What is not kept so long, or is too much, is not sent: `gap` says so, and the client reads
        anew what it shows.
        """
        member.held = True
        try:
            ((known),) = await self._tenants.rows(None, "select * from events_range()")
            floor, latest = known["floor"], known["latest"]
            if not max(floor, latest - MOST_BEHIND) <= after <= latest:
                member.say({"type": "gap", "after": after, "oldest": floor, "latest": max(latest, self.last)})
                member.seen = self.last
                return
            while not member.is_over:
                handed = self.last
                missed = await self._tenants.all(member.org, Event, MISSED, [after, PAGE])
                for event in missed:
                    told = Told(event)
                    if member.subscription.wants(told):
                        member.push(told)
                        await member.drain()
                    after = event.id
                # Nothing was handed out since the database was asked: it comes as it happens from here on.
                if len(missed) < PAGE and handed == self.last:
                    member.seen = after
                    return
        finally:
            member.held = False

    async def run(self) -> None:
        """Hand out what happens until cancelled, from now on."""
        ((known),) = await self._tenants.rows(None, "select * from events_range()")
        self.last = known["latest"]
        while True:
            self.due.clear()
            try:
                await self._hand_out()
            except Retry as error:
                logger.bind(error=describe(error)).warning("events cannot be read; it is tried again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.due.wait(), LOOK_S)

    async def _hand_out(self) -> None:
        while True:
            events = await self._tenants.all(None, Event, *self.fresh())
            await self.hand_out(events)
            if len(events) < PAGE:
                return

    def fresh(self) -> tuple[LiteralString, Sequence[Any]]:
        """The statement that reads what was not handed out yet."""
        return "select * from events_after(%s, %s)", [self.last, PAGE]

    async def hand_out(self, events: Sequence[Event]) -> None:
        """Tell what `fresh` gave, to a transaction of ours or to one that wrote events and is committed.

        Whoever writes events holds back all others until the end: nothing lies between what it read and
        what it wrote.
        """
        for event in events:
            if event.id > self.last:  # else it was handed out meanwhile
                self.last = event.id
                self._tell(event)
                # What was written goes out before more is: in a burst nobody is slow for want of a turn.
                await asyncio.sleep(0)

    def _tell(self, event: Event) -> None:
        orgs = event.orgs if event.org_id is None else (event.org_id,)
        told: Told | None = None
        for org in orgs:
            members = self._members.get(org)
            if members:
                told = told or Told(event)
                # A copy: whom we close may leave meanwhile.
                for member in tuple(members):
                    member.offer(told)

    async def keep(self) -> None:
        """Ping until cancelled; close who is silent, and whose session has ended by itself."""
        every_s, checked = self._settings.ping_s, 0.0
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.doubtful.wait(), every_s)
            if not self.doubtful.is_set():
                for member in self._all():
                    member.beat(2 * every_s)
            if self.doubtful.is_set() or loop.time() - checked > CHECK_S:
                self.doubtful.clear()
                checked = loop.time()
                await self._check()

    async def _check(self) -> None:
        members = self._all()
        if not members:
            return
        try:
            asked = list({member.right for member in members})
            rows = await self._tenants.rows(None, "select id from auth_still(%s) as id", [asked])
        except Retry as error:
            logger.bind(error=describe(error)).warning("sessions cannot be checked; it is tried again")
            self.doubtful.set()
            await asyncio.sleep(1)
            return
        good = {row["id"] for row in rows}
        for member in members:
            if member.right not in good:
                member.end(REVOKED, "the session has ended")

    def heard(self, newest: str) -> None:
        """The database says that there are events up to that number."""
        if not newest.isdecimal() or int(newest) > self.last:
            self.due.set()

    def revoke(self, kind: str, which: str) -> None:
        """Close all who rest on that session, key, user or organisation."""
        for member in self._all():
            caller = member.caller
            rests = {"session": caller.session_id, "key": caller.key_id, "user": caller.user_id, "org": caller.org_id}
            if str(rests.get(kind)) == which:
                member.end(REVOKED, "the session has ended")

    def stop(self) -> None:
        """Close all: the process is about to end. Clients come back elsewhere and resume."""
        self._stopped = True
        self.seats.stop()
        for member in self._all():
            member.end(GOING, "the server is going away")

    def _all(self) -> list[Member]:
        return [member for members in self._members.values() for member in members]
