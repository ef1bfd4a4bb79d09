"""Calls of the API: judges each answer by its text, tries again what passes, keeps the key out of sight."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, NoReturn
from urllib.parse import quote

import msgspec

from adology import ConfigError, Context, Retry, RetryLater
from adology.http import Answer
from adology_serpapi.convert import Details, scrub
from adology_serpapi.error_table import Failure, read_failure
from adology_serpapi.progress import Slice
from adology_serpapi.settings import SerpApiSettings

LIST_ENGINE = "google_ads_transparency_center"
DETAILS_ENGINE = "google_ads_transparency_center_ad_details"
TRIES = 4
"""Per search, on passing errors."""
CAUTIOUS_LIMIT = 200
"""Searches per hour when the account does not say: what the smallest paid plan allowed in 2026."""
POLLS = 8
"""Looks into the archive for a search that still runs."""


class BadRequestError(Exception):
    """SerpApi refuses this query (or its page token); the text is the vendor's."""


class SearchFailedError(Exception):
    """Google could not be read for this query, several times; the text is the vendor's."""


class RawPage(msgspec.Struct, frozen=True):
    """One list answer: scrubbed rows, and the next page's token (None at the end)."""

    rows: tuple[dict[str, Any], ...]
    token: str | None


class Account(msgspec.Struct, frozen=True):
    """The account of a key, as far as we use it. None where the answer did not say."""

    account_status: str | None = None
    plan_renewal_date: str | None = None
    total_searches_left: int | None = None
    account_rate_limit_per_hour: int | None = None


class Search:
    """SerpApi for the length of one gathering: remembers the account's hourly limit."""

    def __init__(self, ctx: Context[SerpApiSettings]) -> None:
        self._ctx = ctx
        self._key = ctx.secret("api_key")
        self._interval_s: float | None = None
        self._pacing = asyncio.Lock()

    async def get_page(self, query: Slice, token: str | None) -> RawPage:
        """One page of `query`; without rows when there are no results.

        Raises:
            RetryLater: the hourly limit is reached; the key is paused.
            ConfigError: the key is refused, or the account's searches are used up.
            BadRequestError: the query or `token` is refused.
            Retry: passing errors outlasted the tries.
        """
        settings = self._ctx.settings
        try:
            body = await self._search(
                {
                    "engine": LIST_ENGINE,
                    "advertiser_id": ",".join(query.advertisers) or None,
                    "text": query.domain or None,
                    "region": query.region,
                    "platform": query.platform,
                    "political_ads": "true" if settings.political_ads else None,
                    "creative_format": settings.creative_format,
                    "start_date": f"{query.first:%Y%m%d}" if query.first else None,
                    # A range of a single day has to end on the next one.
                    "end_date": f"{query.last + timedelta(days=1):%Y%m%d}" if query.first else None,
                    "num": settings.num,
                    "next_page_token": token,
                }
            )
        except SearchFailedError as error:
            raise Retry(f"{self._ctx.plugin}: the search for {query} failed: {error}", code="ADO-2205") from None
        return self._read_page(body)

    async def find_rows(self, text: str) -> tuple[dict[str, Any], ...]:
        """One page of ads of anybody and any time that `text`, a domain or words, finds.

        Raises:
            RetryLater, ConfigError, BadRequestError, Retry: as `get_page`.
        """
        try:
            body = await self._search({"engine": LIST_ENGINE, "text": text, "num": self._ctx.settings.num})
        except SearchFailedError as error:
            raise Retry(f"{self._ctx.plugin}: the search for {text!r} failed: {error}", code="ADO-2205") from None
        return self._read_page(body).rows

    async def get_details(
        self, advertiser_id: str, creative_id: str, *, region: int | None = None, fresh: bool = False
    ) -> Details:
        """The variants of one creative; `fresh` refuses an answer from SerpApi's cache.

        A creative that Google does not show (or that SerpApi cannot read) has none, with the reason.

        Raises:
            RetryLater, ConfigError, Retry: as `get_page`.
        """
        try:
            body = await self._search(
                {
                    "engine": DETAILS_ENGINE,
                    "advertiser_id": advertiser_id,
                    "creative_id": creative_id,
                    "region": region,
                    "no_cache": "true" if fresh else None,
                }
            )
        except (BadRequestError, SearchFailedError) as error:
            # This creative's own trouble: the rest of the brand must not wait for it.
            return Details(reason=f"no details: {error}")
        variants = _dicts(scrub(body.get("ad_creatives"), self._key))
        about = scrub(body.get("search_information"), self._key)
        if not variants:
            return Details(reason=f"no details: {self._clean(body.get('error') or 'the answer has no variants')}")
        return Details(variants, about if isinstance(about, dict) else {})

    async def get_account(self) -> Account:
        """The account behind the key; free of charge.

        Raises:
            ConfigError: the key is refused.
            Retry: no usable answer.
        """
        answer = await self._send("/account.json", {})
        body = answer.find_json()
        failure = read_failure(answer.status, body)
        if failure is not None and failure.action in {"credential", "account", "address"}:
            self._give_up(failure)
        if failure is not None:
            raise self._no_use(answer, failure, 1)
        try:
            return msgspec.convert(body, Account, strict=False)
        except msgspec.ValidationError as error:
            odd = Failure("transient", f"an account that is none ({error})", answer.status)
            raise self._no_use(answer, odd, 1) from None

    async def check(self) -> None:
        """Show whether the key works and has searches left; free of charge.

        Raises:
            ConfigError, Retry: as `get_account`; ConfigError also when nothing is left.
        """
        account = await self.get_account()
        if account.total_searches_left is not None and account.total_searches_left <= 0:
            self._refuse_quota("the account has no searches left", account)

    # One search

    async def _search(self, params: dict[str, Any]) -> Any:
        """The decoded answer, which has results or says that there are none."""
        await self._find_pace()
        tries = 0
        while True:
            answer = await self._send("/search.json", params)
            body = answer.find_json()
            failure = read_failure(answer.status, body)
            if failure is not None and failure.action == "wait":
                answer = await self._await_result(answer, body)
                body = answer.find_json()
                failure = read_failure(answer.status, body)
            if failure is None or failure.action == "empty":
                return body
            if failure.action not in {"transient", "failed", "wait"}:
                await self._give_up_search(failure, answer)
            tries += 1
            if tries >= TRIES:
                if failure.action == "failed":
                    raise SearchFailedError(self._clean(failure.text))
                raise self._no_use(answer, failure, tries)
            await asyncio.sleep(self._ctx.settings.backoff_s * 2 ** (tries - 1))

    async def _await_result(self, answer: Answer[Any], body: Any) -> Answer[Any]:
        """The result of a search that was still running, from the archive: asking there is free."""
        search_id = quote(str(body["search_metadata"].get("id") or ""), safe="")
        for poll in range(POLLS if search_id else 0):
            await asyncio.sleep(self._ctx.settings.backoff_s * min(4.0, 1.5**poll))
            answer = await self._send(f"/searches/{search_id}.json", {})
            failure = read_failure(answer.status, answer.find_json())
            if failure is None or failure.action != "wait":
                break
        return answer

    async def _send(self, path: str, params: dict[str, Any]) -> Answer[Any]:
        settings = self._ctx.settings
        return await self._ctx.send(
            "GET",
            f"{settings.base_url.rstrip('/')}{path}",
            # SerpApi takes the key nowhere else. Our log and error texts show no queries.
            params={**params, "api_key": self._key},
            credential=self._key,
            interval_s=self._interval_s,
            burst=settings.burst,
            # The text decides what a status means, not the client.
            retry_status=frozenset(),
        )

    async def _find_pace(self) -> None:
        """Set the spacing of searches, asking the account for its hourly limit if nobody set one."""
        settings = self._ctx.settings
        async with self._pacing:
            if self._interval_s is not None:
                return
            limit = settings.searches_per_hour
            if not limit:
                limit = (await self._find_account()).account_rate_limit_per_hour or CAUTIOUS_LIMIT
            self._interval_s = settings.interval_s(limit)

    # Failures

    async def _give_up_search(self, failure: Failure, answer: Answer[Any]) -> NoReturn:
        account = None
        if failure.action == "limited":
            # A 429 whose text we do not know: asking the account costs nothing.
            account = await self._find_account()
            spent = account.total_searches_left is not None and account.total_searches_left <= 0
            failure = msgspec.structs.replace(failure, action="quota" if spent else "throttle")
        if failure.action == "quota":
            self._refuse_quota(self._clean(failure.text), account or await self._find_account())
        if failure.action == "throttle":
            self._throttle(answer, failure)
        self._give_up(failure)

    def _throttle(self, answer: Answer[Any], failure: Failure) -> NoReturn:
        """Stop the key: the limit counts searches of the last hour, so it frees up bit by bit."""
        wait_s = answer.retry_after_s() or self._ctx.settings.throttle_pause_s
        why = self._clean(failure.text)
        self._ctx.pause(wait_s, why, credential=self._key)
        raise RetryLater(wait_s, f"SerpApi throttles this key ({why})")

    def _refuse_quota(self, text: str, account: Account) -> NoReturn:
        """Used-up searches come back by a payment or weeks later, so nothing may wait for them.

        A `RetryLater` would keep the whole batch open for that time, and with it what other
        sources found for the brand. As a ConfigError it ends this source's part as partial with
        its old cursor: the next gathering, after the renewal, finds all that was left out.
        """
        renewal = account.plan_renewal_date
        raise ConfigError(
            f"sources.{self._ctx.plugin}.api_key",
            f"the account's searches are used up: {text}.",
            f"Buy searches or wait for the plan's renewal{f' on {renewal}' if renewal else ''}.",
            code="ADO-2203",
        )

    def _give_up(self, failure: Failure) -> NoReturn:
        setting, text = f"sources.{self._ctx.plugin}", self._clean(failure.text)
        match failure.action:
            case "credential":
                raise ConfigError(
                    f"{setting}.api_key",
                    f"SerpApi refuses the key: {text}",
                    "Copy the key from serpapi.com/manage-api-key and set it.",
                    code="ADO-2201",
                )
            case "account":
                raise ConfigError(
                    f"{setting}.api_key",
                    f"SerpApi denies access: {text}",
                    "The key's account may be deleted or suspended: look at serpapi.com/dashboard.",
                    code="ADO-2202",
                )
            case "address":
                raise ConfigError(
                    f"{setting}.base_url",
                    f"{self._ctx.settings.base_url} has no SerpApi: it answered {failure.status} ({text}).",
                    "Set the address of the API without a path, https://serpapi.com by default.",
                    code="ADO-1005",
                )
            case _:
                raise BadRequestError(text)

    async def _find_account(self) -> Account:
        """The account, or one that says nothing when it cannot be had."""
        try:
            return await self.get_account()
        except Retry:
            return Account()

    def _no_use(self, answer: Answer[Any], failure: Failure, tries: int) -> Retry:
        shown, times = self._clean(failure.text), f", {tries} times" if tries > 1 else ""
        return Retry(
            f"{answer.url} answered {answer.status} with {shown}{times}: {answer.excerpt()!r}",
            after=answer.retry_after_s(),
            code="ADO-2003",
        )

    def _clean(self, text: Any) -> str:
        """The vendor's words without the key, should they repeat it."""
        return str(scrub(str(text), self._key))

    def _read_page(self, body: dict[str, Any]) -> RawPage:
        rows = _dicts(scrub(body.get("ad_creatives"), self._key))
        paging = body.get("serpapi_pagination")
        # `next` itself is never followed: it is another host's word on where our key goes.
        token = paging.get("next_page_token") if isinstance(paging, dict) else None
        return RawPage(
            # As text, whatever it came as: by this id it is told which details were bought.
            tuple({**row, "ad_creative_id": str(row["ad_creative_id"])} for row in rows if row.get("ad_creative_id")),
            str(token) if token and rows else None,
        )


def _dicts(value: Any) -> tuple[dict[str, Any], ...]:
    """The objects in a list; a bare object counts as a list of one."""
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, dict) and item)
