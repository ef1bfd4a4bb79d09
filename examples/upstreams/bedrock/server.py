"""The stand-in of Bedrock's runtime: ``POST /model/{id}/invoke``, signed as AWS requests are.

``GET /_paid`` tells what was charged for, by content.
"""

from __future__ import annotations

import math
import re
import time
from collections import deque
from typing import Any, ClassVar

import msgspec
from aiohttp import web

from upstreams.bedrock import errors
from upstreams.bedrock.errors import FAULTS, Refusal
from upstreams.bedrock.nova import AskedNova
from upstreams.bedrock.rules import TITAN, BedrockRules
from upstreams.bedrock.titan import AskedTitan
from upstreams.charges import Charges
from upstreams.faults import Fault
from upstreams.server import Clock, StandIn, to_json

SPOILED = frozenset({"message_200", "wrong_dimensions", "no_vector"})
MOST_BODY_BYTES = 25_000_000
SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/[^,]*/bedrock/aws4_request,")


class BedrockServer(StandIn):
    """Answers by hash: the same request always gets the same vector, and every charged call is counted by content.

    Faults of its own: `FAULTS` (``throttling`` and ``unavailable`` with Retry-After `seconds`), and
    with status 200 ``message_200`` (Titan's error beside an absent vector), ``wrong_dimensions``
    (`detail`: how many), ``no_vector``. A time-out is the wire's ``slow``: the work is done and
    charged for.
    """

    name: ClassVar[str] = "bedrock"
    vendor_kinds: ClassVar[frozenset[str]] = SPOILED | FAULTS.keys()
    most_body_bytes: ClassVar[int] = 2 * MOST_BODY_BYTES

    def __init__(self, rules: BedrockRules | None = None, *, clock: Clock = time.time) -> None:
        super().__init__(clock=clock)
        self.rules = rules or BedrockRules()
        self.charges = Charges()
        self.asked: deque[dict[str, Any]] = deque(maxlen=50)
        """The last bodies that were asked with, for tests of what clients send."""
        self._served = 0

    def add_routes(self, app: web.Application) -> None:
        """The API and its control."""
        app.router.add_post("/model/{model}/invoke", self._post_invoke)
        app.router.add_get("/_paid", self._get_paid)

    def reset(self) -> None:
        """Forget faults, requests and charges."""
        super().reset()
        self.charges.clear()
        self.asked.clear()

    async def vendor_fault(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        """An error, or the right work with a spoiled answer."""
        return await self._post_invoke(request, fault)

    async def _post_invoke(self, request: web.Request, fault: Fault | None = None) -> web.StreamResponse:
        self._served += 1
        headers = {"x-amzn-RequestId": f"00000000-0000-4000-8000-{self._served:012x}"}
        try:
            self._check_caller(request)
            if fault is not None and fault.kind in FAULTS:
                if fault.seconds:
                    headers["Retry-After"] = str(math.ceil(fault.seconds))
                raise errors.of_fault(fault.kind, fault.detail)
            asked = self._read(request.match_info["model"], await request.read())
            body = self._answer(asked, fault)
        except Refusal as refusal:
            headers["x-amzn-ErrorType"] = f"{refusal.name}:http://internal.amazon.com/coral/com.amazon.bedrock/"
            return to_json(refusal.body, refusal.status, headers)
        headers["X-Amzn-Bedrock-Invocation-Latency"] = "42"
        headers["X-Amzn-Bedrock-Input-Token-Count"] = str(asked.input_tokens)
        return to_json(body, headers=headers)

    def _check_caller(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if given.startswith("Bearer "):
            known = given.removeprefix("Bearer ") in self.rules.bearer_tokens
        else:
            signed = SIGNED.match(given)
            known = signed is not None and signed[1] in self.rules.access_keys
        if not known:
            raise errors.of_fault("bad_key", "")

    def _read(self, model: str, data: bytes) -> AskedTitan | AskedNova:
        if model in self.rules.denied_models:
            raise errors.of_fault("access_denied", "")
        if model not in self.rules.models:
            raise errors.of_fault("invalid_model", "")
        if len(data) > MOST_BODY_BYTES:
            raise errors.invalid(f"1 validation error detected: body length must be at most {MOST_BODY_BYTES}")
        try:
            body = msgspec.json.decode(data)
        except msgspec.DecodeError:
            body = None
        if not isinstance(body, dict):
            raise errors.invalid("Malformed input request, please reformat your input and try again.")
        self.asked.append(body)
        return AskedTitan(body) if model == TITAN else AskedNova(body)

    def _answer(self, asked: AskedTitan | AskedNova, fault: Fault | None) -> dict[str, Any]:
        kind = fault.kind if fault else ""
        if fault is not None and kind == "message_200":
            return asked.failed_body(fault.detail)
        self.charges.charge(*asked.content)
        if fault is not None and kind == "no_vector":
            return {"embeddings": []} if isinstance(asked, AskedNova) else {"embedding": [], "message": None}
        return asked.body(
            dimensions=int(fault.detail or 8) if fault is not None and kind == "wrong_dimensions" else None
        )

    async def _get_paid(self, _: web.Request) -> web.StreamResponse:
        return to_json(self.charges.show())
