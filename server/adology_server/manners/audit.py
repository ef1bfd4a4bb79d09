"""The audit log: read by admins, written by `finish_change`, and here where somebody known was refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from litestar import get
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adology.log import logger
from adology_server.access import Access, allow
from adology_server.lists import list_page
from adology_server.manners.deeds import CURRENT, PROBLEM_KIND, REFUSED, deed_of
from adology_server.paging import DEFAULT, After, Limit, Page
from adology_server.parts import Incoming
from adology_server.people.model import Answer
from adology_server.tenancy import Tenants

_REFUSALS = (401, 403)
RECORD: Final = (
    "seq, at, actor, session, action, target, subject, address, request, outcome, reason,"
    " encode(previous, 'hex') as previous, encode(hash, 'hex') as hash"
)


class Record(Answer, frozen=True, kw_only=True):
    """Somebody did something, or was refused.

    `action` is the operation's id, `target` the address, `subject` the id of what was made, `address` where
    the request came from, `reason` the kind of problem. `hash` covers all fields and `previous`.
    """

    seq: int
    at: datetime
    actor: str
    session: str
    action: str
    target: str
    subject: str
    address: str
    request: str
    outcome: Literal["done", "refused"]
    reason: str
    previous: str
    hash: str


@get("/v1/audit", opt=allow(Access.ADMIN), operation_id="listAudit")
async def list_audit(request: Incoming, limit: Limit = DEFAULT, after: After = None) -> Page[Record]:
    """What was done in the organisation, and what was refused; the newest first."""
    statement = (
        f"select {RECORD} from audit where coalesce(org_id, '') = %(org)s"
        " and (%(seq)s::bigint is null or seq < %(seq)s) order by seq desc limit %(limit)s"
    )
    org = request.user.org
    return await list_page(request, Record, ["audit"], statement, {"seq": None}, limit=limit, after=after, org=org)


class Refusals:
    """Writes down, before the answer goes, that somebody known was refused."""

    def __init__(self, app: ASGIApp, tenants: Tenants) -> None:
        self._app = app
        self._tenants = tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _REFUSALS:
                await self._note(scope)
            await send(message)

        await self._app(scope, receive, answer)

    async def _note(self, scope: Any) -> None:
        deed = deed_of(scope)
        if deed is None or not deed.actor:
            return
        CURRENT.set(None)  # to write this is no change of the caller's
        try:
            async with self._tenants.transaction(deed.org_id) as connection:
                await connection.execute(REFUSED, [*deed.facts, scope.get(PROBLEM_KIND, "")])
        except Exception as error:  # noqa: BLE001 - who may not, may not, whether it is written down or not
            logger.bind(error=str(error), actor=deed.actor).error("a refusal is missing in the audit log")


ROUTES = (list_audit,)
