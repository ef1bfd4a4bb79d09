"""Graph errors as the Ad Library answers them: the codes and shapes that clients must tell apart."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any

import msgspec

REDUCE = "Please reduce the amount of data you're asking for, then retry your request"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One Graph error. `status` is what the vendor was seen to send along; clients go by `code`."""

    code: int
    message: str
    subcode: int | None = None
    status: int = HTTPStatus.BAD_REQUEST
    transient: bool | None = None
    title: str = ""
    detail: str = ""

    def body(self) -> dict[str, Any]:
        """The envelope, with only the keys that apply."""
        error: dict[str, Any] = {"message": self.message, "type": "OAuthException", "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.transient is not None:
            error["is_transient"] = self.transient
        if self.title:
            error["error_user_title"] = self.title
            error["error_user_msg"] = self.detail
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(15)
        return {"error": error}


class GraphError(Exception):
    """Raised while a request is judged; `problem` is the answer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def bad_parameter(text: str) -> GraphError:
    """Code 100 with Graph's own prefix."""
    return GraphError(Problem(code=100, message=f"(#100) {text}"))


def unknown_path(path: str) -> Problem:
    """Code 2500, for addresses that mean nothing."""
    return Problem(code=2500, message=f"Unknown path components: {path}")


NO_TOKEN = Problem(code=190, message="Invalid OAuth access token - Cannot parse access token")
EXPIRED_TOKEN = Problem(
    code=190,
    subcode=463,
    message="Error validating access token: Session has expired on Sunday, 01-Nov-26 10:00:00 PST.",
)
NOT_CONFIRMED = Problem(
    code=10,
    subcode=2332002,
    message="(#10) Application does not have permission for this action",
    title="Authorization and login needed",
    detail="To access the API you will need to follow the steps at facebook.com/ads/library/api.",
)
APP_TOKEN = Problem(
    code=10,
    subcode=2332004,
    message="(#10) Application does not have permission for this action",
    title="App role required",
    detail="To access the API, the person must have a role in the app.",
)
NO_PERMISSION = Problem(code=200, message="(#200) Requires the permission to read the Ad Library.")
BAD_CURSOR = Problem(code=100, message="(#100) Invalid parameter: the cursor is not valid any more.")
UNSUPPORTED = Problem(
    code=100, subcode=33, message="Unsupported request. Please read the Graph API documentation at /docs/graph-api"
)
REDUCE_DATA = Problem(code=1, message=REDUCE, status=HTTPStatus.INTERNAL_SERVER_ERROR, transient=True)
UNAVAILABLE = Problem(
    code=2,
    message="An unexpected error has occurred. Please retry your request later.",
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    transient=True,
)
# Throttles were seen as 400, 403 and 429, and they say is_transient as well: a client that
# goes by either retries what it must not.
THROTTLES = {
    4: Problem(code=4, message="(#4) Application request limit reached", status=403, transient=True),
    17: Problem(code=17, message="(#17) User request limit reached", status=400, transient=True),
    613: Problem(
        code=613, message="(#613) Calls to this api have exceeded the rate limit.", status=400, transient=True
    ),
}
