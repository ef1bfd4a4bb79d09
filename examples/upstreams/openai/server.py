"""The stand-in of OpenAI's API.

``/v1/responses``, ``/embeddings``, ``/moderations``, ``/audio/transcriptions``, ``/files``, ``/batches``. The key
travels as ``Authorization: Bearer``. ``GET /_paid`` tells what was charged for, by content.
"""

from __future__ import annotations

import time
from collections import deque
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec
from aiohttp import web

from upstreams.charges import Charges
from upstreams.faults import Fault
from upstreams.openai import errors
from upstreams.openai.batches import FAULTS, Batches
from upstreams.openai.embeddings import AskedEmbeddings
from upstreams.openai.errors import Refusal
from upstreams.openai.limits import Limits
from upstreams.openai.moderations import DEFAULT_MODEL, AskedModeration
from upstreams.openai.responses import OUTCOMES, Asked, response_body
from upstreams.openai.rules import OpenAiRules
from upstreams.openai.transcriptions import AskedTranscription, read_form
from upstreams.server import Clock, StandIn, to_json

TRANSCRIPTIONS = "/v1/audio/transcriptions"
WORK = frozenset({"/v1/responses", "/v1/embeddings", "/v1/moderations", TRANSCRIPTIONS})
REFUSALS = frozenset(
    {"rate_429", "quota_429", "too_large_429", "error_500", "error_503", "bad_key", "forbidden"}
    | {"model_not_found", "bad_image", "bad_schema"}
)
SPOILED_VECTORS = frozenset({"wrong_dimensions", "missing_vector"})


class OpenAiServer(StandIn):
    """Answers by hash: the same request always gets the same answer, and every charged call is counted by content.

    Faults of its own, all about paid paths: ``rate_429`` (Retry-After `seconds`), ``quota_429``,
    ``too_large_429``, ``error_500``, ``error_503`` (Retry-After `seconds`), ``bad_key``,
    ``forbidden``, ``model_not_found``, ``bad_image``, ``bad_schema``. About responses, all with
    status 200: ``refusal``, ``incomplete`` (`detail`: the reason), ``not_json``, ``wrong_schema``,
    ``failed`` (`detail`: the code). About embeddings: ``wrong_dimensions`` (`detail`: how many),
    ``missing_vector``. About batches: see `upstreams.openai.batches`.
    A time-out is the wire's ``slow``: the work is done and charged for.
    """

    name: ClassVar[str] = "openai"
    vendor_kinds: ClassVar[frozenset[str]] = REFUSALS | OUTCOMES | SPOILED_VECTORS | FAULTS
    most_body_bytes: ClassVar[int] = 512 * 1024**2

    def __init__(self, rules: OpenAiRules | None = None, *, clock: Clock = time.time) -> None:
        super().__init__(clock=clock)
        self.rules = rules or OpenAiRules()
        self.charges = Charges()
        self.asked: deque[dict[str, Any]] = deque(maxlen=50)
        """The last bodies that were asked with, for tests of what clients send."""
        self._limits = Limits(self.rules)
        self.batches = Batches(self.rules.batch_polls)
        """Files and batches of all accounts together."""
        self._warm: set[tuple[str, str]] = set()
        self._served = 0

    def add_routes(self, app: web.Application) -> None:
        """The API and its control."""
        for path in sorted(WORK):
            app.router.add_post(path, self._post_work)
        app.router.add_post("/v1/files", self._post_file)
        app.router.add_get("/v1/files/{id}", self._get_file)
        app.router.add_delete("/v1/files/{id}", self._delete_file)
        app.router.add_get("/v1/files/{id}/content", self._get_content)
        app.router.add_post("/v1/batches", self._post_batch)
        app.router.add_get("/v1/batches", self._list_batches)
        app.router.add_get("/v1/batches/{id}", self._get_batch)
        app.router.add_post("/v1/batches/{id}/cancel", self._cancel_batch)
        app.router.add_get("/_paid", self._get_paid)

    def reset(self) -> None:
        """Forget faults, requests, charges, limits, files and the prompt cache."""
        super().reset()
        self.charges.clear()
        self.asked.clear()
        self._limits.clear()
        self.batches.clear()
        self._warm.clear()

    def fault_applies(self, request: web.Request, fault: Fault) -> bool:
        """The vendor's own faults concern the paths that are paid for, some of them only one."""
        if fault.kind in FAULTS:
            return request.path == "/v1/batches" and request.method == "POST"
        if fault.kind in OUTCOMES | {"bad_schema"}:
            return request.path == "/v1/responses"
        if fault.kind in SPOILED_VECTORS:
            return request.path == "/v1/embeddings"
        return fault.kind not in self.vendor_kinds or request.path in WORK

    async def vendor_fault(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        """A refusal, the right work with a spoiled answer, or a batch that ends otherwise."""
        if fault.kind in FAULTS:
            return await self._post_batch(request, fault)
        return await self._post_work(request, fault)

    # What is paid for

    async def _post_work(self, request: web.Request, fault: Fault | None = None) -> web.StreamResponse:
        started = time.perf_counter()
        headers: dict[str, str] = {}
        try:
            key = self._key(request)
            body = await read_form(request) if request.path == TRANSCRIPTIONS else _read_json(await request.read())
            self.asked.append(body)
            if fault is not None and fault.kind in REFUSALS:
                raise self._refusal(fault, key, body)
            answer = self._answer(request.path, body, fault, key=key, headers=headers)
            status = HTTPStatus.OK
        except Refusal as refusal:
            answer, status = refusal.body, HTTPStatus(refusal.status)
            headers.update(refusal.headers)
        return to_json(answer, status, {**headers, **self._about(started)})

    def _answer(
        self, path: str, body: dict[str, Any], fault: Fault | None, *, key: str, headers: dict[str, str] | None
    ) -> dict[str, Any]:
        """The answer of `path`. Without `headers` no rate limit applies: batches have a queue of their own."""
        now, kind = self.clock(), fault.kind if fault else ""
        if path == "/v1/embeddings":
            vectors = AskedEmbeddings(body, self.rules)
            self._limit(key, vectors.model, vectors.tokens, headers)
            for text in vectors.inputs:
                self.charges.charge(*vectors.content(text))
            other = int(fault.detail or 8) if fault is not None and kind == "wrong_dimensions" else None
            return vectors.body(dimensions=other, missing=kind == "missing_vector")
        if path == "/v1/moderations":
            moderation = AskedModeration(body, self.rules)
            self._limit(key, moderation.model, 1, headers)
            name = self.charges.charge(*moderation.content)
            return {"id": f"modr-{name[:24]}", "model": moderation.model, "results": moderation.results()}
        if path == TRANSCRIPTIONS:
            speech = AskedTranscription(body)
            self._limit(key, speech.model, speech.tokens, headers)
            self.charges.charge(*speech.content)
            return speech.body()
        asked = Asked(body, self.rules)
        self._limit(key, asked.model, asked.tokens + (asked.most or 0), headers)
        name = self._next_name()
        if kind != "failed":
            self.charges.charge(*asked.content)
        warm = asked.prefix in self._warm
        self._warm.add(asked.prefix)
        return response_body(asked, name, now, warm=warm, fault=kind, detail=fault.detail if fault else "")

    def _limit(self, key: str, model: str, tokens: int, headers: dict[str, str] | None) -> None:
        if headers is not None:
            headers.update(self._limits.take(key, model, tokens, self.clock()))

    def _refusal(self, fault: Fault, key: str, body: dict[str, Any]) -> Refusal:
        model = str(body.get("model") or DEFAULT_MODEL)
        retry_after = {"Retry-After": f"{fault.seconds:g}"} if fault.seconds else {}
        match fault.kind:
            case "rate_429":
                headers = {**self._limits.exhaust(key, model, self.clock()), **retry_after}
                limit = self.rules.requests_per_minute
                return errors.rate_limited(model, "requests", limit, fault.seconds or 20.0, headers)
            case "too_large_429":
                return errors.too_large(model, self.rules.tokens_per_minute, self.rules.tokens_per_minute + 1)
            case "error_503":
                return errors.server_error(HTTPStatus.SERVICE_UNAVAILABLE, retry_after)
            case "model_not_found":
                return errors.unknown_model(model)
            case "bad_schema":
                return errors.bad_schema("labels", "In context=(), 'allOf' is not permitted.")
            case "bad_key":
                return errors.bad_key(key)
        simple = {"quota_429": errors.out_of_quota, "error_500": errors.server_error, "forbidden": errors.forbidden}
        return simple[fault.kind]() if fault.kind in simple else errors.bad_image()

    # Files and batches

    async def _post_file(self, request: web.Request) -> web.StreamResponse:
        try:
            self._key(request)
            form = await request.post()
            given = form.get("file")
            if not isinstance(given, web.FileField):
                raise errors.missing("file")
            data = given.file.read()
            made = self.batches.add_file(given.filename, str(form.get("purpose") or ""), data, self.clock())
        except Refusal as refusal:
            return _refuse(refusal)
        return to_json(made)

    async def _get_file(self, request: web.Request) -> web.StreamResponse:
        try:
            self._key(request)
            return to_json(self.batches.get_file(request.match_info["id"])[0])
        except Refusal as refusal:
            return _refuse(refusal)

    async def _get_content(self, request: web.Request) -> web.StreamResponse:
        try:
            self._key(request)
            data = self.batches.get_file(request.match_info["id"])[1]
        except Refusal as refusal:
            return _refuse(refusal)
        return web.Response(body=data, content_type="application/octet-stream")

    async def _delete_file(self, request: web.Request) -> web.StreamResponse:
        try:
            self._key(request)
            return to_json(self.batches.delete_file(request.match_info["id"]))
        except Refusal as refusal:
            return _refuse(refusal)

    async def _list_batches(self, request: web.Request) -> web.StreamResponse:
        limit = request.query.get("limit", "20")
        try:
            self._key(request)
            if not limit.isdigit() or not 1 <= int(limit) <= 100:
                raise errors.invalid("Invalid 'limit': from 1 to 100.", param="limit")
            return to_json(self.batches.page(request.query.get("after"), int(limit)))
        except Refusal as refusal:
            return _refuse(refusal)

    async def _post_batch(self, request: web.Request, fault: Fault | None = None) -> web.StreamResponse:
        try:
            self._key(request)
            return to_json(self.batches.create(_read_json(await request.read()), self.clock(), fault))
        except Refusal as refusal:
            return _refuse(refusal)

    async def _get_batch(self, request: web.Request) -> web.StreamResponse:
        try:
            key = self._key(request)
            name = request.match_info["id"]
            return to_json(
                self.batches.look(
                    name, lambda path, body: self._answer(path, body, None, key=key, headers=None), self.clock()
                )
            )
        except Refusal as refusal:
            return _refuse(refusal)

    async def _cancel_batch(self, request: web.Request) -> web.StreamResponse:
        try:
            self._key(request)
            return to_json(self.batches.cancel(request.match_info["id"], self.clock()))
        except Refusal as refusal:
            return _refuse(refusal)

    # The rest

    async def _get_paid(self, _: web.Request) -> web.StreamResponse:
        return to_json(self.charges.show())

    def _key(self, request: web.Request) -> str:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if key in self.rules.forbidden_keys:
            raise errors.forbidden()
        if key not in self.rules.keys:
            raise errors.bad_key(key)
        return key

    def _next_name(self) -> str:
        self._served += 1
        return f"{self._served:032x}"

    def _about(self, started: float) -> dict[str, str]:
        return {
            "x-request-id": f"req_{self._next_name()}",
            "openai-processing-ms": str(round((time.perf_counter() - started) * 1000)),
            "openai-version": "2020-10-01",
            "openai-organization": "org-standin",
        }


def _read_json(data: bytes) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(data)
    except msgspec.DecodeError:
        body = None
    if not isinstance(body, dict):
        raise errors.invalid("We could not parse the JSON body of your request.")
    return body


def _refuse(refusal: Refusal) -> web.Response:
    return to_json(refusal.body, refusal.status, refusal.headers)
