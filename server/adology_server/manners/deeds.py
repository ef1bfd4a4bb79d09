"""What a request does, for the record that is written in the transaction of the change itself."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

_SCOPE = "adology.deed"
PROBLEM_KIND = "adology.problem"
"""Key of the scope: the kind of problem that the request ended in."""
_LONGEST = {"session": 100, "action": 100, "target": 2000, "subject": 2000, "address": 100, "request": 100}

FINISH: Final = "select finish_change(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) as wrote"
"""The last statement of a transaction; see the migration 0013."""

REFUSED: Final = (
    "insert into audit (org_id, actor, session, action, target, subject, address, request, outcome, reason)"
    " values (current_org(), %s, %s, %s, %s, %s, %s, %s, 'refused', %s)"
)


class Reservation:
    """An idempotency key that this request holds; `owner` is a new id for each execution."""

    __slots__ = ("caller", "key", "owner")

    def __init__(self, caller: str, key: str, owner: UUID) -> None:
        self.caller = caller
        self.key = key
        self.owner = owner


class Deed:
    """Who does what to what from where. `subject` says more than the address does: the id of what was made."""

    __slots__ = (
        "action",
        "actor",
        "address",
        "noted",
        "org_id",
        "request",
        "reservation",
        "session",
        "subject",
        "target",
    )

    def __init__(
        self, *, org_id: str | None, actor: str, session: str, action: str, target: str, address: str, request: str
    ) -> None:
        self.org_id = org_id
        self.actor = actor
        self.session = session
        self.action = action
        self.target = target
        self.subject = ""
        self.address = address
        self.request = request
        self.reservation: Reservation | None = None
        self.noted = False

    @property
    def facts(self) -> list[str]:
        """Actor, session, action, target, subject, address, request id, as the log takes them."""
        return [self.actor, *(_fit(getattr(self, name), most) for name, most in _LONGEST.items())]

    def finish(self, org_id: str | None) -> list[Any] | None:
        """The values of `FINISH` for a transaction of that organisation; None: there is nothing to finish."""
        held = self.reservation
        if org_id != self.org_id or not self.actor or (self.noted and held is None):
            return None
        key = [held.caller, held.key, held.owner] if held is not None else [None, None, None]
        facts: list[str | None] = [*self.facts]
        if self.noted:
            facts[2] = None
        return [*key, *facts]


CURRENT: ContextVar[Deed | None] = ContextVar("deed", default=None)
"""The deed of the request that is being served, where it may change something."""


def deed_of(scope: Any) -> Deed | None:
    """What the request of this scope does; None: nobody known asks."""
    found: Deed | None = scope.get(_SCOPE)
    return found


def name_deed(scope: Any, deed: Deed) -> None:
    """From now on the request does this; where it is refused, that is written down."""
    scope[_SCOPE] = deed


def begin(scope: Any, deed: Deed) -> None:
    """What the request changes from now on is this deed, where it is one that may change something."""
    name_deed(scope, deed)
    if scope.get("method") not in ("GET", "HEAD", "OPTIONS"):
        CURRENT.set(deed)


def about(subject: str) -> None:
    """Say in the record what the request is about, where its address does not; before the transaction ends."""
    deed = CURRENT.get()
    if deed is not None:
        deed.subject = subject


def _fit(text: str, most: int) -> str:
    return text.replace("\0", "")[:most]
