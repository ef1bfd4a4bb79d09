"""The stand-in of SerpApi: both Ads Transparency engines over one world, with the archive and the account.

``GET /search(.json)``, ``GET /searches/{id}(.json)``, ``GET /account(.json)``; the key travels as
``api_key``.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlencode

from aiohttp import web

from upstreams.faults import Fault
from upstreams.serpapi import errors
from upstreams.serpapi.account import Account
from upstreams.serpapi.archive import Archive, Kept
from upstreams.serpapi.errors import Refusal
from upstreams.serpapi.library import Found, Library
from upstreams.serpapi.paging import StaleTokenError, Token, decode_token, encode_token, fingerprint
from upstreams.serpapi.parameters import Query, read_query
from upstreams.serpapi.records import SITE, UrlFor, details_body, list_row
from upstreams.serpapi.rules import SerpApiRules
from upstreams.server import Clock, StandIn, to_json
from upstreams.world import Creative, World

_OK, _LIMITED = HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS
REFUSALS: dict[str, tuple[int, str]] = {
    "throughput_429": (_LIMITED, errors.THROUGHPUT),
    "quota_429": (_LIMITED, errors.OUT_OF_SEARCHES),
    "invalid_key": (HTTPStatus.UNAUTHORIZED, errors.BAD_KEY),
    "forbidden": (HTTPStatus.FORBIDDEN, errors.FORBIDDEN),
    "error_503": (HTTPStatus.SERVICE_UNAVAILABLE, errors.UNAVAILABLE),
    "token_expired": (HTTPStatus.BAD_REQUEST, errors.STALE_PAGE),
    "error_200": (_OK, errors.NO_VALID_RESULTS),
}
"""Faults that are answers by themselves; a fault's `detail` replaces the text."""


class SerpApiServer(StandIn):
    """Serves the ads of `world` that run at Google. `url_for` makes fresh media addresses.

    Faults of its own, all about searches: `REFUSALS`; ``no_results`` (the empty answer),
    ``status_error`` (a search that ended with status Error), ``processing`` (a search that is
    still running: the archive has it later). ``invalid_key`` concerns every path.
    """

    name: ClassVar[str] = "serpapi"
    vendor_kinds: ClassVar[frozenset[str]] = frozenset({*REFUSALS, "no_results", "status_error", "processing"})

    def __init__(
        self, world: World, url_for: UrlFor, *, rules: SerpApiRules | None = None, clock: Clock = time.time
    ) -> None:
        super().__init__(clock=clock)
        self.rules = rules or SerpApiRules()
        self.library = Library(world)
        self.accounts = {key: Account(self.rules) for key in self.rules.keys}
        self._archive = Archive(self.rules)
        self._url_for = url_for

    def add_routes(self, app: web.Application) -> None:
        """The API, with and without ``.json`` as the real one has it."""
        for ending in ("", ".json"):
            app.router.add_get(f"/search{ending}", self._get_search)
            app.router.add_get(f"/account{ending}", self._get_account)
        app.router.add_get(r"/searches/{id:[0-9A-Za-z_-]+}{ending:(\.json)?}", self._get_archived)
        app.router.add_route("*", "/{path:.*}", self._get_unknown)

    def reset(self) -> None:
        """Forget faults, requests, searches and what the accounts have used."""
        super().reset()
        self._archive.clear()
        self.accounts = {key: Account(self.rules) for key in self.rules.keys}

    @property
    def searches_paid(self) -> int:
        """Searches that were charged since the start or the last reset, over all keys."""
        return sum(account.used for account in self.accounts.values())

    def fault_applies(self, request: web.Request, fault: Fault) -> bool:
        """The vendor's own faults concern searches, one of them only those with a page token."""
        if fault.kind not in self.vendor_kinds or fault.kind == "invalid_key":
            return True
        is_search = request.path in ("/search", "/search.json")
        return is_search and (fault.kind != "token_expired" or bool(request.query.get("next_page_token")))

    async def vendor_fault(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        """A refusal, or the search's own answer turned into another."""
        status, text = REFUSALS.get(fault.kind, (_OK, ""))
        try:
            if fault.kind == "quota_429":
                self._account(request).told_spent = True
            if status != _OK:
                return to_json({"error": fault.detail or text}, status)
            return to_json(self._spoil(request, fault))
        except Refusal as refusal:
            return _refuse(refusal)

    # Searches

    async def _get_search(self, request: web.Request) -> web.StreamResponse:
        try:
            kept = self._search(request)
        except Refusal as refusal:
            return _refuse(refusal)
        if request.query.get("output") == "html":
            return web.Response(text="<!DOCTYPE html><html><body>As retrieved.</body></html>", content_type="text/html")
        return to_json(kept.show())

    def _search(self, request: web.Request, polls: int = 0) -> Kept:
        """The search of a request, made now or found in the cache; `polls` looks delay its result."""
        account, now = self._account(request), self.clock()
        given = {key: value for key, value in request.query.items() if key != "api_key"}
        query = read_query(given)
        cached = None if query.no_cache else self._archive.find_cached(given, now)
        if cached is not None:
            return cached
        account.check(now)
        body = self._list(query, given) if query.engine == "list" else self._details(query)
        kept = Kept(self._archive.new_id(given), {}, now, polls or (self.rules.polls if query.is_async else 0))
        kept.body = {"search_metadata": self._metadata(kept, query), "search_parameters": given, **body}
        account.count(now)
        return self._archive.keep(kept, given)

    def _list(self, query: Query, given: dict[str, str]) -> dict[str, Any]:
        now = self.clock()
        name = fingerprint(query.identity())
        offset = 0
        if query.token:
            try:
                offset = decode_token(query.token, query=name, now=now, ttl_s=self.rules.token_ttl_s).offset
            except StaleTokenError:
                if self.rules.stale_page == "empty":
                    return {"error": errors.LIST_EMPTY}
                raise Refusal(errors.STALE_PAGE) from None
        hits = self.library.search(query, now)
        shown = hits[offset : offset + query.num]
        if not shown:
            return {"search_information": {"total_results": 0}, "error": errors.LIST_EMPTY}
        body: dict[str, Any] = {
            "search_information": {"total_results": len(hits)},
            "ad_creatives": [self._row(found, query) for found in shown],
        }
        if offset + query.num < len(hits):
            token = encode_token(Token(offset + query.num, name, now))
            body["serpapi_pagination"] = {"next_page_token": token, "next": self._next_url(given, token)}
        return body

    def _row(self, found: Found, query: Query) -> dict[str, Any]:
        return list_row(
            found,
            query,
            self._creatives(found),
            self._url_for,
            origin=self.origin,
            now=self.clock(),
            pictureless=self.rules.pictureless,
        )

    def _details(self, query: Query) -> dict[str, Any]:
        found = self.library.find_ad(query.advertisers[0], query.creative)
        if found is None or found.ad.removed:
            return {"error": errors.DETAILS_EMPTY}
        return details_body(found, self._creatives(found), self._url_for, self.clock())

    def _spoil(self, request: web.Request, fault: Fault) -> dict[str, Any]:
        """What the fault makes of a search. A spoiled search is not charged and not kept; a running one is both."""
        if fault.kind == "processing":
            return {**self._search(request, polls=self.rules.polls).show()}
        account, given = self._account(request), dict(request.query)
        given.pop("api_key", None)
        query = read_query(given)
        kept = Kept(self._archive.new_id(given), {}, self.clock())
        metadata = self._metadata(kept, query)
        if fault.kind == "no_results":
            account.count(self.clock())
            text = errors.LIST_EMPTY if query.engine == "list" else errors.DETAILS_EMPTY
            return {"search_metadata": metadata, "search_parameters": given, "error": fault.detail or text}
        failed = {"search_metadata": {**metadata, "status": "Error"}, "search_parameters": given}
        return failed if fault.kind == "status_error" else {**failed, "error": fault.detail or errors.NO_VALID_RESULTS}

    def _metadata(self, kept: Kept, query: Query) -> dict[str, Any]:
        made = f"{datetime.fromtimestamp(kept.at, UTC):%Y-%m-%d %H:%M:%S} UTC"
        page = "google_ads_transparency_center" + ("_ad_details_url" if query.engine == "details" else "_url")
        return {
            "id": kept.id,
            "status": "Success",
            "json_endpoint": f"{self.origin}/searches/{kept.id}.json",
            "created_at": made,
            "processed_at": made,
            page: f"{SITE}?region={query.region or 'anywhere'}",
            "total_time_taken": 0.01,
        }

    def _next_url(self, given: dict[str, str], token: str) -> str:
        """Without the key, as the real one: the official client adds it again."""
        return f"{self.origin}/search.json?{urlencode(sorted({**given, 'next_page_token': token}.items()))}"

    def _creatives(self, found: Found) -> list[Creative]:
        return [self.library.creatives[name] for name in found.ad.creatives]

    # The rest

    async def _get_archived(self, request: web.Request) -> web.StreamResponse:
        try:
            self._account(request)
            return to_json(self._archive.look(request.match_info["id"], self.clock()))
        except Refusal as refusal:
            return _refuse(refusal)

    async def _get_account(self, request: web.Request) -> web.StreamResponse:
        try:
            return to_json(self._account(request).describe(self.clock()))
        except Refusal as refusal:
            return _refuse(refusal)

    async def _get_unknown(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text="<html><body>404</body></html>", status=HTTPStatus.NOT_FOUND, content_type="text/html")

    def _account(self, request: web.Request) -> Account:
        account = self.accounts.get(request.query.get("api_key", ""))
        if account is None:
            raise Refusal(errors.BAD_KEY, HTTPStatus.UNAUTHORIZED)
        return account


def _refuse(refusal: Refusal) -> web.Response:
    return to_json({"error": refusal.text}, refusal.status)
