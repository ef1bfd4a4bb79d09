"""Meta's own Python client against the stand-in: only the address of the Graph is another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import requests
from facebook_business.api import FacebookAdsApi, FacebookResponse
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from tests.unit.upstreams.meta_world import PAGE, Clock, make_ad, make_ads, varied_world, with_ads
from upstreams.faults import Fault
from upstreams.media import MediaServer
from upstreams.meta import EXPIRED_TOKEN, UNCONFIRMED_TOKEN, USER_TOKEN, MetaRules, MetaServer
from upstreams.world import MEDIA_FOLDER

pytestmark = pytest.mark.anyio

PARAMS: dict[str, Any] = {
    "ad_reached_countries": ["DE", "FR"],
    "search_page_ids": [int(PAGE)],
    "ad_active_status": "ALL",
    "ad_delivery_date_min": "2025-01-01",
    "fields": "id,page_id,page_name,ad_snapshot_url,ad_creative_bodies,eu_total_reach",
    "limit": 10,
}


@pytest.fixture
async def meta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MetaServer]:
    world = with_ads(
        varied_world(tmp_path), [make_ad(1, format="image", creatives=("image0",)), *make_ads(34, first=2)]
    )
    clock = Clock()
    async with (
        MediaServer(tmp_path / MEDIA_FOLDER, clock=clock) as media,
        MetaServer(world, media.url_for, clock=clock, rules=MetaRules(calls_per_hour=10)) as server,
    ):
        # The class constant is where the client keeps the address.
        monkeypatch.setattr(FacebookSession, "GRAPH", server.origin)
        yield server


def make_api(token: str = USER_TOKEN) -> FacebookAdsApi:
    # Reporting crashes to Meta is the one thing of `init` that a test must not do.
    return FacebookAdsApi.init(app_id="1", app_secret="made-up", access_token=token, crash_log=False)


async def call(api: FacebookAdsApi, path: Any = ("ads_archive",), **params: Any) -> FacebookResponse:
    """The client's generic call; it blocks, so it runs beside the server's loop."""
    return await asyncio.to_thread(api.call, "GET", path, {**PARAMS, **params})


async def refusal(api: FacebookAdsApi, **params: Any) -> FacebookRequestError:
    with pytest.raises(FacebookRequestError) as caught:
        await call(api, **params)
    return caught.value


async def test_its_generic_call_gets_every_page(meta: MetaServer) -> None:
    api = make_api()
    records: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        answer = await call(api, **after)
        assert answer.is_success()
        body = answer.json()
        records += body["data"]
        if not body["data"] or "next" not in body.get("paging", {}):
            break
        after = {"after": body["paging"]["cursors"]["after"]}
    assert sorted(record["id"] for record in records) == sorted(ad.id for ad in make_ads(35))
    assert {(record["page_id"], record["page_name"]) for record in records} == {(PAGE, "Acme & Söhne")}
    assert meta.requests[0].path.startswith(f"/{FacebookAdsApi.API_VERSION}/")


@pytest.mark.usefixtures("meta")
async def test_the_next_address_works_as_it_stands() -> None:
    first = (await call(make_api())).json()
    following = await asyncio.to_thread(requests.get, first["paging"]["next"], timeout=5)
    seen = {record["id"] for record in first["data"]}
    assert following.status_code == 200
    assert seen.isdisjoint(record["id"] for record in following.json()["data"])


@pytest.mark.usefixtures("meta")
async def test_the_snapshot_address_leads_to_a_page_that_embeds_the_media() -> None:
    records = (await call(make_api())).json()["data"]
    url = next(record["ad_snapshot_url"] for record in records if record["id"] == make_ad(1).id)
    page = await asyncio.to_thread(requests.get, url, timeout=5)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "image0.jpg" in page.text


async def test_it_reads_codes_subcodes_and_transience_of_errors(meta: MetaServer) -> None:
    error = await refusal(make_api(), ad_reached_countries=["DE", "QQ"])
    assert (error.api_error_code(), error.http_status()) == (100, 400)
    assert "ad_reached_countries[1]" in error.api_error_message()
    assert error.api_error_type() == "OAuthException"
    error = await refusal(make_api(), fields="id,imgs")
    assert error.api_error_message() == "(#100) Tried accessing nonexisting field (imgs)"
    error = await refusal(make_api(EXPIRED_TOKEN))
    assert (error.api_error_code(), error.api_error_subcode()) == (190, 463)
    error = await refusal(make_api(UNCONFIRMED_TOKEN))
    assert (error.api_error_code(), error.api_error_subcode()) == (10, 2332002)
    meta.faults.add(Fault(kind="unknown"))
    error = await refusal(make_api())
    assert (error.api_error_code(), error.http_status(), error.api_transient_error()) == (2, 503, True)


@pytest.mark.usefixtures("meta")
async def test_it_shows_the_usage_headers_of_success_and_of_the_throttle() -> None:
    api = make_api()
    answer = await call(api)
    assert '"call_count":10' in answer.headers()["X-App-Usage"]
    for _ in range(9):
        await call(api)
    error = await refusal(api)
    assert error.api_error_code() == 613
    assert '"estimated_time_to_regain_access":60' in error.http_headers()["X-Business-Use-Case-Usage"]


async def test_html_in_place_of_json_is_a_page_of_text_to_it(meta: MetaServer) -> None:
    meta.faults.add(Fault(kind="html"))
    answer = await call(make_api())
    assert isinstance(answer.json(), str), "the client takes it for success: ours must not"
