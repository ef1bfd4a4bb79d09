"""The stand-in of Meta's Ad Library: ``ads_archive`` and the snapshot pages, over one world.

``GET /v{N}.{M}/ads_archive`` judges parameters, tokens and quotas as the vendor does;
``GET /ads/archive/render_ad/`` answers pages whose media lies at the media stand-in.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from upstreams.faults import Fault
from upstreams.meta import errors, snapshots
from upstreams.meta.errors import GraphError, Problem
from upstreams.meta.paging import ENDS, Cursor, End, cut_page, decode_cursor, encode_cursor, fingerprint, paging_of
from upstreams.meta.parameters import Query, read_query
from upstreams.meta.records import HEAVY_FIELDS, make_record
from upstreams.meta.search import Found, Library
from upstreams.meta.snapshots import Shape, UrlFor
from upstreams.meta.usage import Meter
from upstreams.server import Clock, StandIn, to_json
from upstreams.world import World

USER_TOKEN = "EAAStandInUserToken0000000000000001"  # noqa: S105 - opens nothing but this stand-in
EXPIRED_TOKEN = "EAAStandInExpiredToken00000000000002"  # noqa: S105 - as above
UNCONFIRMED_TOKEN = "EAAStandInUnconfirmedToken0000000003"  # noqa: S105 - as above
FORBIDDEN_TOKEN = "EAAStandInForbiddenToken000000000004"  # noqa: S105 - as above

SNAPSHOT_PATH = "/ads/archive/render_ad/"
SNAPSHOT_FAULTS = frozenset({"blocked_snapshot", "skeleton_snapshot", "wrong_snapshot", "removed_snapshot"})
API_FAULTS: dict[str, Problem] = {
    "rate_limit_app": errors.THROTTLES[4],
    "rate_limit_user": errors.THROTTLES[17],
    "rate_limit_613": errors.THROTTLES[613],
    "transient": errors.REDUCE_DATA,
    "unknown": errors.UNAVAILABLE,
    "token_expired": errors.EXPIRED_TOKEN,
    "not_confirmed": errors.NOT_CONFIRMED,
    "cursor_expired": errors.BAD_CURSOR,
}
THROTTLE_FAULTS = frozenset({"rate_limit_app", "rate_limit_user", "rate_limit_613"})


class MetaRules(msgspec.Struct, frozen=True, kw_only=True):
    """How the vendor behaves; the defaults are what is known of the real one.

    `max_weight` bounds `limit` times (1 + heavy fields) of one call, `max_rows` how deep a walk may go:
    beyond either the answer is code 1. `loose` lets pages miss `limit` by a row. `ends` are the
    forms of the end that walks take in turn; `overlap` rows of a page come again on the next.
    `shape` fixes how snapshots embed their data (None: each ad its own way).
    """

    tokens: tuple[str, ...] = (USER_TOKEN,)
    calls_per_hour: int = 200
    throttle_code: int = 613
    max_weight: int = 1500
    max_rows: int = 40_000
    cursor_ttl_s: float = 3600.0
    loose: bool = True
    overlap: int = 0
    ends: tuple[End, ...] = ENDS
    shape: Shape | None = None


class MetaServer(StandIn):
    """Serves the ads of `world` that run on Meta. `url_for` makes fresh media addresses."""

    name: ClassVar[str] = "meta"
    vendor_kinds: ClassVar[frozenset[str]] = frozenset({*API_FAULTS, *SNAPSHOT_FAULTS})

    def __init__(
        self, world: World, url_for: UrlFor, *, rules: MetaRules | None = None, clock: Clock = time.time
    ) -> None:
        super().__init__(clock=clock)
        self.rules = rules or MetaRules()
        self.library = Library(world)
        self._url_for = url_for
        self._meter = Meter(self.rules.calls_per_hour)

    def add_routes(self, app: web.Application) -> None:
        """The API, the snapshots, and Graph's answer to any other path."""
        app.router.add_get(r"/v{version:\d+\.\d+}/ads_archive", self._get_archive)
        app.router.add_get(SNAPSHOT_PATH, self._get_snapshot)
        app.router.add_get("/login/", self._get_login)
        app.router.add_route("*", "/{path:.*}", self._get_unknown)

    def reset(self) -> None:
        """Forget faults, requests and what the tokens have used."""
        super().reset()
        self._meter.clear()

    def fault_applies(self, request: web.Request, fault: Fault) -> bool:
        """API faults concern the API, snapshot faults the snapshots; two kinds look at the parameters."""
        is_api = request.path.endswith("/ads_archive")
        if fault.kind in SNAPSHOT_FAULTS:
            return request.path == SNAPSHOT_PATH
        if fault.kind == "transient" and fault.detail.isdecimal():
            limit = request.query.get("limit", "25")
            return is_api and limit.isdecimal() and int(limit) > int(fault.detail)
        if fault.kind == "cursor_expired":
            return is_api and bool(request.query.get("after"))
        return is_api or fault.kind not in API_FAULTS

    async def vendor_fault(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        """A Graph error, or a snapshot page that shows something else.

        Throttles name `seconds` (rounded up to minutes) as the time to regain access.
        """
        if fault.kind in SNAPSHOT_FAULTS:
            return self._snapshot_fault(request, fault)
        token = _token_of(request)
        self._meter.count(token, self.clock())
        regain_s = fault.seconds if fault.kind in THROTTLE_FAULTS else None
        return self._refuse(request, API_FAULTS[fault.kind], token, regain_s)

    # The API

    async def _get_archive(self, request: web.Request) -> web.StreamResponse:
        token = _token_of(request)
        self._meter.count(token, self.clock())
        try:
            self._check_token(token)
            self._check_quota(token)
            # Of an argument given twice the last one counts.
            query = read_query(dict(request.query.items()))
            self._check_weight(query)
            body = self._answer(request, query, token)
        except GraphError as error:
            return self._refuse(request, error.problem, token)
        return to_json(body, headers=self._headers(request, token))

    def _answer(self, request: web.Request, query: Query, token: str) -> dict[str, Any]:
        now = self.clock()
        name = fingerprint(query.identity())
        offset = 0
        if query.after:
            offset = decode_cursor(query.after, query=name, now=now, ttl_s=self.rules.cursor_ttl_s).offset
        if offset >= self.rules.max_rows:
            raise GraphError(errors.REDUCE_DATA)
        rows = self.library.search(query, datetime.fromtimestamp(now, UTC).date())
        end = self.rules.ends[int(name, 16) % len(self.rules.ends)]
        span = cut_page(offset, query.limit, len(rows), loose=self.rules.loose, end=end)
        after = encode_cursor(Cursor(span.stop, name, now))
        first = max(0, span.start - self.rules.overlap) if span.start < span.stop else span.start
        body: dict[str, Any] = {"data": [self._record(entry, query, token) for entry in rows[first : span.stop]]}
        paging = paging_of(span, after, self._next_url(request, token, after))
        return body if paging is None else {**body, "paging": paging}

    def _record(self, entry: Found, query: Query, token: str) -> dict[str, Any]:
        return make_record(
            entry.brand, entry.ad, query.fields, site=self.origin, token=token, unmask=query.unmask_removed
        )

    def _next_url(self, request: web.Request, token: str, after: str) -> str:
        """The whole next address, the token in it whichever way it came."""
        given = {**dict(request.query.items()), "after": after, "access_token": token}
        return f"{self.origin}{request.path}?{urlencode(given)}"

    def _check_token(self, token: str) -> None:
        if "|" in token:  # app id and app secret
            raise GraphError(errors.APP_TOKEN)
        special = {
            EXPIRED_TOKEN: errors.EXPIRED_TOKEN,
            UNCONFIRMED_TOKEN: errors.NOT_CONFIRMED,
            FORBIDDEN_TOKEN: errors.NO_PERMISSION,
        }
        if token in special:
            raise GraphError(special[token])
        if token not in self.rules.tokens:
            raise GraphError(errors.NO_TOKEN)

    def _check_quota(self, token: str) -> None:
        if self._meter.is_exhausted(token):
            raise GraphError(errors.THROTTLES[self.rules.throttle_code])

    def _check_weight(self, query: Query) -> None:
        weight = query.limit * (1 + len(HEAVY_FIELDS.intersection(query.fields)))
        if weight > self.rules.max_weight:
            raise GraphError(errors.REDUCE_DATA)

    def _refuse(
        self, request: web.Request, problem: Problem, token: str, regain_s: float | None = None
    ) -> web.StreamResponse:
        return to_json(problem.body(), problem.status, self._headers(request, token, regain_s))

    def _headers(self, request: web.Request, token: str, regain_s: float | None = None) -> dict[str, str]:
        """On success and on error alike."""
        version = request.match_info.get("version", "26.0")
        usage = self._meter.headers(token, self.clock(), regain_s=regain_s)
        return {"facebook-api-version": f"v{version}", **usage}

    async def _get_unknown(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/ads_archive"):
            return self._refuse(request, errors.UNSUPPORTED, _token_of(request))
        return self._refuse(request, errors.unknown_path(request.path), _token_of(request))

    # The snapshots

    async def _get_snapshot(self, request: web.Request) -> web.StreamResponse:
        if _token_of(request) not in self.rules.tokens:
            return web.Response(status=HTTPStatus.FOUND, headers={"Location": "/login/?next=render_ad"})
        found = self.library.find_ad(request.query.get("id", ""))
        if found is None:
            return _html(snapshots.page(snapshots.UNAVAILABLE))
        if found.ad.removed:
            return _html(snapshots.page(snapshots.REMOVED))
        return _html(self._page_of(found, self.rules.shape or snapshots.shape_of(found.ad.id)))

    def _page_of(self, found: Found, shape: Shape) -> str:
        creatives = [self.library.creatives[name] for name in found.ad.creatives]
        return snapshots.snapshot_page(found, creatives, self._url_for, shape)

    def _snapshot_fault(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        match fault.kind:
            case "blocked_snapshot":
                status = int(fault.detail) if fault.detail.isdecimal() else HTTPStatus.OK
                return _html(snapshots.page(snapshots.BLOCKED), status)
            case "removed_snapshot":
                return _html(snapshots.page(snapshots.REMOVED))
            case "skeleton_snapshot":
                return _html(snapshots.page(snapshots.SKELETON))
        other = self.library.find_other(request.query.get("id", ""))
        # In the one shape without an id nobody could tell.
        return _html(self._page_of(other, "relay") if other else snapshots.page(snapshots.SKELETON))

    async def _get_login(self, _: web.Request) -> web.StreamResponse:
        return _html(snapshots.page("<form>Log in to continue</form>", "Log in"))


def _token_of(request: web.Request) -> str:
    """The token of the query, else of the header; empty without one."""
    in_header = request.headers.get("Authorization", "")
    bearer = in_header[7:].strip() if in_header.lower().startswith("bearer ") else ""
    return request.query.get("access_token") or bearer


def _html(text: str, status: int = HTTPStatus.OK) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")
