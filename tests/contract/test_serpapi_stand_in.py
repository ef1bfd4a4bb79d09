"""The vendor's own client works against the stand-in unchanged, so the stand-in speaks as the vendor does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import serpapi

from tests.unit.serpapi.rig import ACME, OTHER, make_ad, make_brand, make_world, mixed_ads
from upstreams.faults import Fault
from upstreams.serpapi import API_KEY, SerpApiRules, SerpApiServer

LIST = "google_ads_transparency_center"
DETAILS = "google_ads_transparency_center_ad_details"


@pytest.fixture
def server() -> Iterator[SerpApiServer]:
    """The stand-in on a loop of its own: the official client blocks its thread."""
    ads = [*mixed_ads(12), make_ad(20, "video", youtube_id="dQw4w9WgXcQ")]
    world = make_world(make_brand(ads))
    stand_in = SerpApiServer(world, lambda file: f"https://cdn.example/{file}", rules=SerpApiRules(polls=1))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(stand_in.start(), loop).result(10)
    yield stand_in
    asyncio.run_coroutine_threadsafe(stand_in.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def client(server: SerpApiServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The official client; its address is a class constant."""
    monkeypatch.setattr(serpapi.Client, "BASE_DOMAIN", server.origin)
    made = serpapi.Client(api_key=API_KEY, timeout=10)
    yield made
    made.session.close()


def test_a_search_has_the_documented_shape(client: Any) -> None:
    results = client.search(engine=LIST, advertiser_id=ACME, region="2840")
    assert results["search_metadata"]["status"] == "Success"
    assert results["search_parameters"]["region"] == "2840"
    assert "api_key" not in results["search_parameters"]
    entry = results["ad_creatives"][0]
    assert {"advertiser_id", "advertiser", "ad_creative_id", "format", "first_shown", "last_shown"} <= entry.keys()
    assert isinstance(entry["first_shown"], int)


def test_the_client_pages_to_the_end_by_itself(client: Any) -> None:
    first = client.search(engine=LIST, advertiser_id=ACME, num=5)
    pages = list(first.yield_pages())
    assert [len(page["ad_creatives"]) for page in pages] == [5, 5, 3]
    assert len({entry["ad_creative_id"] for page in pages for entry in page["ad_creatives"]}) == 13
    assert first.next_page()["ad_creatives"] == pages[1]["ad_creatives"]
    assert pages[-1].next_page_url is None


def test_details_name_the_youtube_video(client: Any) -> None:
    results = client.search(engine=DETAILS, advertiser_id=ACME, creative_id=make_ad(20).id)
    found = results["ad_creatives"]
    variant = found[0] if isinstance(found, list) else found
    assert variant["video_link"] == "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


def test_no_results_raises_nothing(client: Any) -> None:
    results = client.search(engine=LIST, advertiser_id=OTHER)
    assert "hasn't returned any results" in results["error"]
    assert results.next_page() is None


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("throughput_429", 429, "throughput limit"),
        ("quota_429", 429, "run out of searches"),
        ("forbidden", 403, "permission"),
        ("error_503", 503, "Something went wrong"),
    ],
)
def test_a_refusal_is_the_clients_own_error_after_one_attempt(
    client: Any, server: SerpApiServer, kind: str, status: int, text: str
) -> None:
    server.faults.add(Fault(kind=kind))
    with pytest.raises(serpapi.HTTPError) as caught:
        client.search(engine=LIST, advertiser_id=ACME)
    assert caught.value.status_code == status
    assert text in caught.value.error
    assert len(server.requests) == 1


def test_a_bad_key_is_a_401_with_the_vendors_text(client: Any) -> None:
    client.api_key = "wrong"
    with pytest.raises(serpapi.HTTPError) as caught:
        client.search(engine=LIST, advertiser_id=ACME)
    assert caught.value.status_code == 401
    assert caught.value.error == "Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key"


def test_a_bad_parameter_is_a_400(client: Any) -> None:
    with pytest.raises(serpapi.HTTPError) as caught:
        client.search(engine=LIST, advertiser_id=ACME, region="US")
    assert (caught.value.status_code, caught.value.error) == (400, "Unsupported `US` region parameter.")


def test_an_async_search_is_fetched_from_the_archive(client: Any) -> None:
    submitted = client.search({"engine": LIST, "advertiser_id": ACME, "async": "true"})
    assert submitted["search_metadata"]["status"] == "Processing"
    done = client.search_archive(search_id=submitted["search_metadata"]["id"])
    assert len(done["ad_creatives"]) == 13


def test_the_account_is_free_and_counts(client: Any) -> None:
    client.search(engine=LIST, advertiser_id=ACME)
    client.search(engine=LIST, advertiser_id=ACME)
    account = client.account()
    # The second was the first one's cached answer.
    assert (account["this_month_usage"], account["total_searches_left"]) == (1, 29_999)


def test_an_html_answer_comes_as_text(client: Any, server: SerpApiServer) -> None:
    server.faults.add(Fault(kind="html"))
    assert client.search(engine=LIST, advertiser_id=ACME).startswith("<!DOCTYPE html>")
