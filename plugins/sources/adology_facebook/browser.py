"""Finds media by rendering the snapshot in headless Chromium, for pages without embedded data.

Slow and heavy beside the embedded way (a browser, seconds per ad); an optional extra.
"""

from __future__ import annotations

import asyncio
import importlib.util
from typing import Any, Self
from urllib.parse import urlencode

import msgspec

from adology import ConfigError, Context, Media, Retry
from adology_facebook.resolvers import blocked, snapshot_url
from adology_facebook.settings import FacebookSettings
from adology_facebook.snapshot import BlockedError, Resolution, read_snapshot

LEAST_PX = 100
"""Smaller pictures are icons and profile pictures."""
PAGE_TIMEOUT_MS = 30_000
SETTLE_MS = 5_000
_COLLECT = """
() => [...document.querySelectorAll('#content img, #content video')].map((node) => ({
    tag: node.tagName.toLowerCase(),
    url: node.currentSrc || node.src || (node.querySelector('source') || {}).src || '',
    poster: node.poster || '',
    width: Math.round(node.getBoundingClientRect().width),
    height: Math.round(node.getBoundingClientRect().height),
}))
"""


class Element(msgspec.Struct, frozen=True):
    """One `img` or `video` as rendered; width and height in CSS pixels."""

    tag: str
    url: str = ""
    poster: str = ""
    width: int = 0
    height: int = 0


def media_of(elements: list[Element]) -> tuple[Media, ...]:
    """Creatives among the rendered elements: large enough, http(s), each address once."""
    found: list[Media] = []
    seen: set[str] = set()
    position = 0
    for item in elements:
        if min(item.width, item.height) < LEAST_PX or not item.url.startswith("http") or item.url in seen:
            continue
        seen.add(item.url)
        if item.tag == "video":
            found.append(Media(url=item.url, kind="video", position=position))
            if item.poster.startswith("http"):
                found.append(Media(url=item.poster, kind="image", role="preview", position=position))
        else:
            found.append(Media(url=item.url, kind="image", position=position))
        position += 1
    return tuple(found)


class BrowserResolver:
    """One browser per gathering, started at the first ad."""

    def __init__(self, ctx: Context[FacebookSettings]) -> None:
        if importlib.util.find_spec("playwright") is None:
            raise ConfigError(
                f"sources.{ctx.plugin}.media",
                "is 'browser', which needs the package playwright, and that is not installed.",
                "Install adology[browser] and run `playwright install chromium`, or set media = 'embedded'.",
                code="ADO-1005",
            )
        self._ctx = ctx
        self._token = ctx.secret("token")
        self._lock = asyncio.Lock()
        self._driver: Any = None  # playwright is optional: its types may be absent
        self._browser: Any = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close browser and driver."""
        browser, driver = self._browser, self._driver
        self._browser = self._driver = None
        try:
            if browser is not None:
                await browser.close()
        finally:
            if driver is not None:
                await driver.stop()

    async def resolve(self, ad_id: str) -> Resolution:
        """The media of ad `ad_id` as rendered; the embedded data when the page has any.

        Raises:
            RetryLater: the site blocks us.
            Retry: the page did not load in time.
            ConfigError: the browser cannot be started.
        """
        browser = await self._start()
        context = await browser.new_context(locale="en-US", viewport={"width": 1920, "height": 1080})
        try:
            elements, text = await self._render(context, ad_id)
        finally:
            await context.close()
        try:
            resolution = read_snapshot(text, ad_id)
        except BlockedError as error:
            raise blocked(self._ctx, str(error)) from None
        media = media_of(elements)
        if resolution.outcome == "media" or not media:
            return resolution
        if resolution.reason.startswith("the page shows another ad"):
            return resolution
        return msgspec.structs.replace(resolution, outcome="media", media=media, reason="")

    async def _render(self, context: Any, ad_id: str) -> tuple[list[Element], str]:
        page = await context.new_page()
        videos: list[str] = []

        async def route(handler: Any) -> None:
            # The address is wanted, not the bytes: the acquiring worker fetches them, guarded.
            if handler.request.resource_type == "media":
                videos.append(handler.request.url)
                await handler.abort()
            else:
                await handler.continue_()

        await page.route("**/*", route)
        query = urlencode({"id": ad_id, "access_token": self._token})
        try:
            await page.goto(
                f"{snapshot_url(self._ctx.settings)}?{query}",
                timeout=PAGE_TIMEOUT_MS,
                wait_until="domcontentloaded",
            )
            await _settle(page)
            raw = await page.evaluate(_COLLECT)
            text: str = await page.content()
        except Exception as error:  # noqa: BLE001 - playwright's own classes cannot be named without it
            # The error's text holds the address, and that holds the token.
            raise Retry(
                f"the browser could not render the snapshot of ad {ad_id} ({type(error).__name__})",
                code="ADO-2002",
            ) from None
        elements = msgspec.convert(raw, list[Element])
        known = {item.url for item in elements}
        extra = [Element("video", url, "", LEAST_PX, LEAST_PX) for url in dict.fromkeys(videos) if url not in known]
        return elements + extra, text

    async def _start(self) -> Any:
        async with self._lock:
            if self._browser is None:
                from playwright.async_api import async_playwright  # noqa: PLC0415 - optional extra

                self._driver = await async_playwright().start()
                path = self._ctx.settings.browser_path or None
                try:
                    self._browser = await self._driver.chromium.launch(executable_path=path)
                except Exception as error:  # noqa: BLE001 - as above
                    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
                    raise ConfigError(
                        f"sources.{self._ctx.plugin}.browser_path",
                        f"the browser cannot be started: {first_line}",
                        "Run `playwright install chromium`, or give the path of an installed Chromium.",
                        code="ADO-1005",
                    ) from None
        return self._browser


async def _settle(page: Any) -> None:
    """Wait until pictures have loaded, at most a few seconds: pages poll and never fall quite silent."""
    try:
        await page.wait_for_load_state("networkidle", timeout=SETTLE_MS)
    except Exception as error:
        if type(error).__name__ != "TimeoutError":
            raise
