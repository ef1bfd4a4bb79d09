"""What each Graph error means for us, as data.

The body's code decides, never the HTTP status: throttles have been seen as 400, 403 and 429,
bad tokens as 400 and 401. Texts are localised, so nothing is matched on them either.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from adology.log import REDACTOR

Action = Literal["shrink", "transient", "throttle", "block", "credential", "permission", "request"]
"""shrink: ask for less, then again · transient: ask again · throttle: stop this credential ·
block: stop it for long · credential: needs a new token · permission: needs an access grant ·
request: this query is wrong."""

CODES: dict[int, Action] = {
    1: "shrink",
    2: "transient",
    3: "permission",
    4: "throttle",
    10: "permission",
    17: "throttle",
    32: "throttle",
    100: "request",
    102: "credential",
    190: "credential",
    341: "block",
    368: "block",
    613: "throttle",
    1009: "request",
    2500: "request",
}
RANGES: tuple[tuple[range, Action], ...] = (
    (range(200, 300), "permission"),
    (range(80_000, 80_015), "throttle"),
)
SUBCODES: dict[tuple[int, int], Action] = {(100, 1_487_534): "shrink"}

CREDENTIAL_MEANING = {
    458: "the person removed the app",
    459: "the account must pass a checkpoint: log in on the web",
    460: "the password was changed",
    463: "the token has expired",
    467: "the token is not valid",
}
PERMISSION_MEANING = {
    2_332_002: (
        "the token's owner has not finished the identity check or accepted the Ad Library API terms",
        "Do both at facebook.com/ID and facebook.com/ads/library/api as that person, then make a new token.",
    ),
    2_332_004: (
        "the token's person has no role in the app, or it is an app token",
        "Use a user token of a person who has a role in the app.",
    ),
}


class GraphError(msgspec.Struct, frozen=True, kw_only=True):
    """The ``error`` object of a Graph answer, as far as we use it."""

    message: str = ""
    code: int = 0
    error_subcode: int | None = None
    is_transient: bool = False

    @property
    def action(self) -> Action:
        """What to do about it. Unknown codes are transient only if the vendor says so."""
        if self.error_subcode is not None and (self.code, self.error_subcode) in SUBCODES:
            return SUBCODES[self.code, self.error_subcode]
        known = CODES.get(self.code) or next((a for codes, a in RANGES if self.code in codes), None)
        if known is not None:
            # Throttles carry is_transient as well; the table comes first so that they stop us.
            return known
        return "transient" if self.is_transient or self.code == 0 else "request"

    def __str__(self) -> str:
        code = f"{self.code}" if self.error_subcode is None else f"{self.code}/{self.error_subcode}"
        return f"Graph error {code}: {self.message}"


def read_error(body: Any) -> GraphError | None:
    """The error in a decoded answer, None when it is a success. Odd shapes never raise."""
    if not isinstance(body, dict) or "error" not in body:
        return None
    raw = body["error"]
    if not isinstance(raw, dict):
        return GraphError(message=REDACTOR.redact(str(raw)))
    # Graph quotes tokens that it cannot read: "Malformed access token EAA…".
    message = REDACTOR.redact(str(raw.get("message", "")))
    try:
        return msgspec.convert({**raw, "message": message}, GraphError, strict=False)
    except msgspec.ValidationError:
        code = str(raw.get("code"))
        return GraphError(message=message, code=int(code) if code.isdecimal() else 0)
