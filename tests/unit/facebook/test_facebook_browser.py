"""The browser resolver, with a browser that is driven by the test: what it makes of what was rendered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adology import Retry, RetryLater
from adology_facebook.browser import BrowserResolver, Element, media_of
from tests.unit.facebook.conftest import Rig
from tests.unit.upstreams.meta_world import make_ads, make_world
from upstreams.meta import USER_TOKEN

pytestmark = pytest.mark.anyio


class FakePage:
    """Stands for browser, context and page in one."""

    def __init__(self, text: str, elements: list[dict[str, Any]], *, error: Exception | None = None) -> None:
        self.text, self.elements, self.error = text, elements, error
        self.closed = 0
        self.visited: list[str] = []

    async def new_context(self, **_: Any) -> FakePage:
        return self

    async def new_page(self) -> FakePage:
        return self

    async def route(self, *_: Any) -> None:
        return None

    async def goto(self, url: str, **_: Any) -> None:
        self.visited.append(url)
        if self.error:
            raise self.error

    async def wait_for_load_state(self, *_: Any, **__: Any) -> None:
        return None

    async def evaluate(self, _: str) -> list[dict[str, Any]]:
        return self.elements

    async def content(self) -> str:
        return self.text

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
async def resolver(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> BrowserResolver:
    await rig.serve(make_world(make_ads(1)))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    return BrowserResolver(rig.context(media="browser"))


def element(**over: Any) -> dict[str, Any]:
    return {"tag": "img", "url": "https://x.test/a.jpg", "poster": "", "width": 500, "height": 500, **over}


def test_small_pictures_and_inline_data_are_no_creatives() -> None:
    elements = [
        Element("img", "https://x.test/icon.png", width=40, height=40),
        Element("img", "data:image/gif;base64,R0", width=500, height=500),
        Element("img", "https://x.test/a.jpg", width=500, height=300),
        Element("img", "https://x.test/a.jpg", width=500, height=300),
        Element("video", "https://x.test/b.mp4", "https://x.test/b.jpg", 500, 300),
    ]
    assert [(m.url, m.kind, m.role, m.position) for m in media_of(elements)] == [
        ("https://x.test/a.jpg", "image", "creative", 0),
        ("https://x.test/b.mp4", "video", "creative", 1),
        ("https://x.test/b.jpg", "image", "preview", 1),
    ]


async def test_what_is_rendered_counts_where_the_page_embeds_nothing(resolver: BrowserResolver) -> None:
    resolver._browser = page = FakePage("<html><body>…</body></html>", [element()])
    found = await resolver.resolve("1")
    assert (found.outcome, [media.url for media in found.media]) == ("media", ["https://x.test/a.jpg"])
    assert page.closed == 1


async def test_embedded_data_are_better_than_what_is_rendered(resolver: BrowserResolver) -> None:
    data = {"ad_archive_id": "1", "snapshot": {"images": [{"original_image_url": "https://x.test/original.jpg"}]}}
    resolver._browser = FakePage(f"<script>{json.dumps(data)}</script>", [element()])
    assert [media.url for media in (await resolver.resolve("1")).media] == ["https://x.test/original.jpg"]


async def test_another_ads_page_gives_nothing_whatever_it_renders(resolver: BrowserResolver) -> None:
    data = {"ad_archive_id": "2", "snapshot": {"images": []}}
    resolver._browser = FakePage(f"<script>{json.dumps(data)}</script>", [element()])
    assert (await resolver.resolve("1")).outcome == "unresolved"


async def test_a_block_page_pauses_the_snapshots(resolver: BrowserResolver) -> None:
    resolver._browser = FakePage("<html>Too many requests</html>", [])
    with pytest.raises(RetryLater, match="too many requests"):
        await resolver.resolve("1")


async def test_a_page_that_does_not_load_is_retried_and_shows_no_token(resolver: BrowserResolver) -> None:
    resolver._browser = page = FakePage("", [], error=RuntimeError(f"timeout at …access_token={USER_TOKEN}"))
    with pytest.raises(Retry, match=r"snapshot of ad 1 \(RuntimeError\)") as caught:
        await resolver.resolve("1")
    assert USER_TOKEN in page.visited[0]
    assert USER_TOKEN not in str(caught.value)
    assert caught.value.__cause__ is None
    assert page.closed == 1


async def test_leaving_closes_browser_and_driver_once(resolver: BrowserResolver) -> None:
    resolver._browser = page = FakePage("", [])
    async with resolver:
        pass
    async with resolver:
        pass
    assert page.closed == 1


async def test_the_driver_ends_even_if_the_browser_does_not_close(resolver: BrowserResolver) -> None:
    class Stuck:
        async def close(self) -> None:
            raise RuntimeError("the browser is gone")

    class Driver:
        stopped = False

        async def stop(self) -> None:
            self.stopped = True

    resolver._browser, resolver._driver = Stuck(), (driver := Driver())
    with pytest.raises(RuntimeError, match="is gone"):
        async with resolver:
            pass
    assert driver.stopped
