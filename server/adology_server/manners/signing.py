"""Says in the audit log who it is that logs in: nobody is known when such a request begins."""

from __future__ import annotations

from uuid import UUID

from adology_server import parts
from adology_server.manners.deeds import Deed, begin
from adology_server.parts import Anybodys
from adology_server.requests import request_id


def sign(request: Anybodys, org_id: str, user_id: UUID, action: str) -> None:
    """From now on the request is of this user: what it changes, and that it was refused, is written down."""
    deed = Deed(
        org_id=org_id,
        actor=f"user:{user_id}",
        session="",
        action=action,
        target=request.scope["path"],
        address=parts.address(request),
        request=request_id(request.scope),
    )
    begin(request.scope, deed)
