"""What a handler decides about a message. The message is deleted only on Done, Defer and Dead."""

from __future__ import annotations

from adology.types import Struct


class Delivery(Struct, frozen=True, kw_only=True):
    """One message as received. `receives` counts this delivery too."""

    body: str
    message_id: str
    receipt: str
    receives: int = 1


class Done(Struct, frozen=True, kw_only=True):
    """Its effect is durable."""


class Hide(Struct, frozen=True, kw_only=True):
    """Try again in `seconds`; counts as a receive."""

    seconds: float
    why: str = ""


class Defer(Struct, frozen=True, kw_only=True):
    """Try again in `seconds` as a fresh message: does not count towards any limit.

    Without `seconds` the wait grows with the number of deferrals, up to a minute.
    """

    seconds: float | None = None
    why: str = ""


class Dead(Struct, frozen=True, kw_only=True):
    """To the dead-letter queue, now, with the reason."""

    reason: str
    code: str = "ADO-5800"


Verdict = Done | Hide | Defer | Dead
