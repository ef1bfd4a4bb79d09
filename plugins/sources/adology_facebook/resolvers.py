"""Where an ad's media is found: behind one interface, so that the way can change."""

from __future__ import annotations

from http import HTTPStatus
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit

from adology import Context, RetryLater
from adology_facebook.settings import FacebookSettings
from adology_facebook.snapshot import BLOCK_SIGNS, BlockedError, Resolution, find_sign, read_snapshot

LANE = "snapshots"
"""Snapshots are the web site's, not the API's: they are paced apart from the token."""


class SnapshotResolver(Protocol):
    """Finds the media of one ad. Used as an async context manager around a gathering."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def resolve(self, ad_id: str) -> Resolution:
        """The media of ad `ad_id`, or why there is none. Raises RetryLater when blocked."""
        ...


class EmbeddedResolver:
    """Reads the JSON that snapshot pages embed: one GET per ad, no browser."""

    def __init__(self, ctx: Context[FacebookSettings]) -> None:
        self._ctx = ctx
        self._token = ctx.secret("token")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to release."""

    async def resolve(self, ad_id: str) -> Resolution:
        """The media of ad `ad_id`, or why there is none.

        Raises:
            RetryLater: the site blocks us; every snapshot of this process waits.
            Retry: no connection.
        """
        settings = self._ctx.settings
        answer = await self._ctx.send(
            "GET",
            snapshot_url(settings),
            params={"id": ad_id, "access_token": self._token},
            # The signs of removal are texts: ask for the language we know them in.
            headers={"Accept-Language": "en-US,en;q=0.8", "Accept": "text/html"},
            credential=LANE,
            interval_s=settings.snapshot_interval_s,
        )
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise blocked(self._ctx, "status 429", answer.retry_after_s())
        if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return Resolution(outcome="unavailable", reason=f"the snapshot answered {answer.status}")
        text = answer.body.decode("utf-8", "replace")
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            sign = find_sign(text, BLOCK_SIGNS)
            if sign is not None:
                raise blocked(self._ctx, f"status {answer.status}, {sign}", answer.retry_after_s())
            where = urlsplit(answer.headers.get("Location", "")).path
            reason = f"the snapshot answered {answer.status}" + (f" towards {where}" if where else "")
            return Resolution(outcome="unresolved", reason=reason)
        try:
            return read_snapshot(text, ad_id)
        except BlockedError as error:
            raise blocked(self._ctx, str(error)) from None


class NoResolver:
    """For `media = "none"`: every ad is recorded without looking for its media."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to release."""

    async def resolve(self, ad_id: str) -> Resolution:  # noqa: ARG002 - the interface's
        """Always unresolved."""
        return Resolution(outcome="unresolved", reason="media is switched off by the setting `media`")


def snapshot_url(settings: FacebookSettings) -> str:
    """The address of snapshot pages, without parameters."""
    return f"{settings.site_url.rstrip('/')}/ads/archive/render_ad/"


def blocked(ctx: Context[FacebookSettings], sign: str, seconds: float | None = None) -> RetryLater:
    """Pause the lane of snapshots and say so."""
    wait_s = seconds or ctx.settings.snapshot_pause_s
    why = f"the snapshot site blocks us ({sign})"
    ctx.pause(wait_s, why, credential=LANE)
    return RetryLater(wait_s, why)


def make_resolver(ctx: Context[FacebookSettings]) -> SnapshotResolver:
    """The resolver that the settings ask for.

    Raises:
        ConfigError: the browser resolver is asked for and playwright is not installed.
    """
    if ctx.settings.media == "none":
        return NoResolver()
    if ctx.settings.media == "browser":
        from adology_facebook.browser import BrowserResolver  # noqa: PLC0415 - optional extra

        return BrowserResolver(ctx)
    return EmbeddedResolver(ctx)
