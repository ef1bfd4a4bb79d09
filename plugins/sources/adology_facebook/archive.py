"""Calls of ``ads_archive``: asks for less when the vendor chokes, stops when it says so."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, NoReturn, TypeGuard

import msgspec

from adology import ConfigError, Context, Retry, RetryLater, Terminal
from adology.http import Answer
from adology_facebook.convert import FIELDS, HEAVY_FIELDS
from adology_facebook.error_table import CREDENTIAL_MEANING, PERMISSION_MEANING, GraphError, read_error
from adology_facebook.progress import Slice
from adology_facebook.settings import FacebookSettings
from adology_facebook.usage import STOP_AT, Usage, read_usage

TRIES = 4
"""Per call, on passing errors."""
LOW_LIMIT = 10
"""Below this page size heavy fields are dropped before the size falls further."""
RECOVER_AFTER = 5
"""Good answers in a row before asking for more again."""
MAX_CHOKES = 3
"""Queries in a row that the vendor cannot answer at their smallest."""
BLOCK_S = 3600.0
"""Least pause after a block for policy."""


class TooDeepError(Exception):
    """The vendor cannot answer this query even for one ad at a time: cut it in two."""


class BadRequestError(Exception):
    """The vendor refuses this query (or its cursor); the text is the vendor's."""


class RawPage(msgspec.Struct, frozen=True):
    """One answer: records, and the cursor of the next page (None at the end)."""

    records: list[dict[str, Any]]
    after: str | None


class Archive:
    """The Ad Library for the length of one gathering: remembers page size and usage."""

    def __init__(self, ctx: Context[FacebookSettings], *, limit: int | None = None, heavy: bool = True) -> None:
        self._ctx = ctx
        self._token = ctx.secret("token")
        self.limit = min(ctx.settings.limit, limit or ctx.settings.limit)
        self.heavy = heavy
        self.usage = Usage()
        self._good = 0
        self._chokes = 0

    async def get_page(self, query: Slice, after: str | None) -> RawPage:
        """One page of `query`.

        Raises:
            RetryLater: the vendor throttles; the credential is paused.
            ConfigError: the token is bad or lacks access.
            BadRequestError: the query or `after` is refused.
            TooDeepError: code 1 even with one ad per page.
            Retry: passing errors outlasted the tries, or no query at all gets an answer.
        """
        tries = 0
        while True:
            answer = await self._send(self._parameters(query, after))
            body = answer.find_json()
            error = read_error(body)
            if error is None and _is_page(body):
                self._note_success()
                return _read_page(body)
            if error is not None and error.action == "shrink":
                self._good = tries = 0
                if not self._shrink():
                    self._choke(error)
            elif error is not None and error.action != "transient":
                self._give_up(error, answer.retry_after_s())
            elif error is None and answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                self._throttle(answer.retry_after_s(), "the vendor answered 429")
            tries += 1
            if tries >= TRIES:
                raise _no_use(answer, error, f", {tries} times")
            await asyncio.sleep(self._ctx.settings.backoff_s * 2 ** (tries - 1))

    async def check(self) -> None:
        """One cheap call that shows whether the token works.

        Raises:
            ConfigError, RetryLater, Retry: as `get_page`.
            Terminal: Meta refuses even this query; a version of the API that has ended does so.
        """
        answer = await self._send({"search_terms": ".", "ad_reached_countries": '["DE"]', "limit": 1, "fields": "id"})
        body = answer.find_json()
        error = read_error(body)
        if error is not None and error.action == "request":
            plugin, version = self._ctx.plugin, self._ctx.settings.api_version
            raise Terminal(
                f"{plugin}: Meta refuses the simplest query: {error}",
                hint=f"Is {version} (setting sources.{plugin}.api_version) still a version of the API?",
                code="ADO-2103",
            )
        if error is not None and error.action not in {"shrink", "transient"}:
            self._give_up(error, answer.retry_after_s())
        if error is not None or not _is_page(body):
            raise _no_use(answer, error)

    async def find_records(self, terms: str) -> list[dict[str, Any]]:
        """One page of ads of any page and time whose words have all of `terms`: page, its name, captions.

        Raises:
            BadRequestError, ConfigError, RetryLater, Retry: as `get_page`; passing faults are not tried again.
        """
        settings = self._ctx.settings
        answer = await self._send(
            {
                "search_terms": terms,
                "ad_reached_countries": msgspec.json.encode(settings.countries).decode(),
                "ad_type": settings.ad_type,
                "ad_active_status": "ALL",
                "fields": "page_id,page_name,ad_creative_link_captions",
                "limit": settings.limit,
            }
        )
        body = answer.find_json()
        error = read_error(body)
        if error is None and _is_page(body):
            return _read_page(body).records
        if error is None and answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._throttle(answer.retry_after_s(), "the vendor answered 429")
        if error is not None and error.action not in {"shrink", "transient"}:
            self._give_up(error, answer.retry_after_s())
        raise _no_use(answer, error)

    async def _send(self, params: dict[str, Any]) -> Answer[Any]:
        settings = self._ctx.settings
        answer = await self._ctx.send(
            "GET",
            f"{settings.base_url.rstrip('/')}/{settings.api_version}/ads_archive",
            params=params,
            # In the header the token stays out of access logs and error texts.
            headers={"Authorization": f"Bearer {self._token}"},
            credential=self._token,
            interval_s=max(settings.interval_s, 1.0 if self.usage.slowdown > 1 else 0.0) * self.usage.slowdown,
            burst=settings.burst if self.usage.slowdown == 1.0 else 1,
            # A 500 can be "reduce the amount of data": the body decides, not the client.
            retry_status=frozenset(),
        )
        self.usage = read_usage(answer.headers)
        if self.usage.percent >= STOP_AT:
            why = f"{self.usage.percent:.0f} % of the token's quota is used"
            self._ctx.pause(self.usage.regain_s or settings.throttle_pause_s, why, credential=self._token)
        return answer

    def _parameters(self, query: Slice, after: str | None) -> dict[str, Any]:
        settings = self._ctx.settings
        return {
            "search_page_ids": msgspec.json.encode(query.pages).decode(),
            "ad_reached_countries": msgspec.json.encode(query.countries).decode(),
            "ad_type": settings.ad_type,
            "ad_active_status": settings.ad_active_status,
            "ad_delivery_date_min": query.first.isoformat(),
            "ad_delivery_date_max": query.last.isoformat(),
            "fields": ",".join((*FIELDS, *HEAVY_FIELDS) if self.heavy else FIELDS),
            "limit": self.limit,
            "after": after,
        }

    def _shrink(self) -> bool:
        """Ask for less from now on; False when there is nothing left to take away."""
        if self.limit > LOW_LIMIT:
            self.limit = max(LOW_LIMIT, self.limit // 2)
        elif self.heavy:
            self.heavy = False
        elif self.limit > 1:
            self.limit //= 2
        else:
            return False
        self._ctx.log.bind(limit=self.limit, heavy=self.heavy).info("vendor asks for less data")
        return True

    def _choke(self, error: GraphError) -> NoReturn:
        """Nothing was left to take away. One query may be too much; several in a row are an outage."""
        self._chokes += 1
        if self._chokes >= MAX_CHOKES:
            raise Retry(f"Meta answers nothing at all, however little is asked for: {error}", code="ADO-2003")
        # The halves are smaller queries: they need not begin at one ad a page.
        self.limit = min(self._ctx.settings.limit, LOW_LIMIT)
        raise TooDeepError(str(error))

    def _note_success(self) -> None:
        self._chokes = 0
        self._good += 1
        if self._good % RECOVER_AFTER:
            return
        if not self.heavy and self.limit >= LOW_LIMIT:
            self.heavy = True
        else:
            self.limit = min(self._ctx.settings.limit, self.limit * 2)

    def _give_up(self, error: GraphError, retry_after_s: float | None) -> NoReturn:
        setting = f"sources.{self._ctx.plugin}.token"
        wait_s = max(self.usage.regain_s, retry_after_s or 0.0)
        match error.action:
            case "throttle":
                self._throttle(wait_s, str(error))
            case "block":
                self._throttle(max(wait_s, BLOCK_S), str(error))
            case "credential":
                meaning = CREDENTIAL_MEANING.get(error.error_subcode or 0, error.message or "it is refused")
                raise ConfigError(
                    setting,
                    f"Meta refuses the token ({error.code}/{error.error_subcode}): {meaning}.",
                    "Make a new long-lived user token and set it.",
                    code="ADO-2101",
                )
            case "permission":
                meaning, hint = PERMISSION_MEANING.get(
                    error.error_subcode or 0,
                    (
                        error.message or "a permission is missing",
                        "Check the token's access to the Ad Library API.",
                    ),
                )
                raise ConfigError(
                    setting,
                    f"Meta denies access ({error.code}/{error.error_subcode}): {meaning}.",
                    hint,
                    code="ADO-2102",
                )
            case _:
                raise BadRequestError(str(error))

    def _throttle(self, seconds: float | None, why: str) -> NoReturn:
        wait_s = seconds or self._ctx.settings.throttle_pause_s
        self._ctx.pause(wait_s, why, credential=self._token)
        raise RetryLater(wait_s, f"Meta throttles this token ({why})")


def _is_page(body: Any) -> TypeGuard[dict[str, Any]]:
    """Whether the answer lists ads; JSON of another shape comes from something that is not the Ad Library."""
    return isinstance(body, dict) and isinstance(body.get("data"), list)


def _no_use(answer: Answer[Any], error: GraphError | None, times: str = "") -> Retry:
    shown = str(error) if error else f"an answer that is no list of ads: {answer.excerpt()!r}"
    return Retry(f"{answer.url} answered {answer.status} with {shown}{times}", code="ADO-2003")


def _read_page(body: dict[str, Any]) -> RawPage:
    """Records and next cursor. The end shows in three ways: no paging, no next, no data."""
    records = [row for row in body["data"] if isinstance(row, dict) and row.get("id")]
    paging = body.get("paging")
    if not body["data"] or not isinstance(paging, dict) or not paging.get("next"):
        return RawPage(records, None)
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    # `next` itself is never followed: it is another host's word on where our token goes.
    return RawPage(records, str(after) if after else None)


def refused(plugin: str, query: Slice, error: Exception) -> Terminal:
    """The error for a query that Meta will never answer."""
    return Terminal(f"{plugin}: Meta refuses the query for {query}: {error}", code="ADO-2103")
