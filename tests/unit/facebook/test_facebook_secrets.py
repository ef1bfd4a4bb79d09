"""The token goes to the vendor and nowhere else."""

from __future__ import annotations

import io

import msgspec
import pytest

from adology import AdologyError, ConfigError
from adology_facebook.convert import scrub, to_ad
from adology_facebook.error_table import read_error
from tests.unit.facebook.conftest import Rig
from tests.unit.upstreams.meta_world import TODAY, make_ads, make_world, varied_world
from upstreams.faults import FOREVER, Fault
from upstreams.meta import USER_TOKEN, MetaRules

pytestmark = pytest.mark.anyio


async def test_the_token_is_in_no_ad_no_page_and_no_log_line(rig: Rig, logged: io.StringIO) -> None:
    await rig.serve(varied_world(rig.folder))
    rig.meta.faults.add(Fault(kind="unknown"))
    rig.meta.faults.add(Fault(kind="skeleton_snapshot"))
    await rig.gather(limit=3)
    assert len(rig.ads) == 6
    for page in rig.pages:
        assert USER_TOKEN not in msgspec.json.encode(page).decode()
    text = logged.getvalue()
    assert text.count('"msg":"call"') >= 8
    assert USER_TOKEN not in text


async def test_the_api_gets_the_token_in_the_header_only(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(3)))
    await rig.gather(media="none")
    assert {call.credential for call in rig.calls} == {"header"}


@pytest.mark.parametrize(
    "kind",
    ["rate_limit_613", "token_expired", "not_confirmed", "html", "unknown", "truncate", "reset", "blocked_snapshot"],
)
async def test_the_token_is_in_no_error_and_no_log_line_of_a_failure(rig: Rig, logged: io.StringIO, kind: str) -> None:
    await rig.serve(make_world(make_ads(3)))
    rig.meta.faults.add(Fault(kind=kind, times=FOREVER))
    with pytest.raises(AdologyError) as caught:
        await rig.gather()
    chain: list[BaseException] = []
    error: BaseException | None = caught.value
    while error is not None:
        chain.append(error)
        error = error.__cause__
    assert all(USER_TOKEN not in f"{item} {item!r} {vars(item)}" for item in chain)
    assert USER_TOKEN not in logged.getvalue()


async def test_a_snapshot_that_gives_no_answer_shows_no_token(rig: Rig, logged: io.StringIO) -> None:
    await rig.serve(make_world(make_ads(1)))
    rig.meta.faults.add(Fault(kind="reset", path="/ads/", times=FOREVER))
    with pytest.raises(AdologyError, match="no answer from") as caught:
        await rig.gather()
    assert USER_TOKEN not in str(caught.value)
    assert USER_TOKEN not in logged.getvalue()


async def test_a_token_that_the_vendor_quotes_is_masked(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(1)))
    rig.context().secret("token")
    error = read_error({"error": {"code": 190, "message": f"Malformed access token {USER_TOKEN}x"}})
    assert error is not None
    assert USER_TOKEN not in error.message
    rig.meta.rules = MetaRules(tokens=())
    with pytest.raises(ConfigError):
        await rig.gather()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://x.test/?id=1&access_token=EAAsecret", "https://x.test/?id=1"),
        ("https://x.test/?access_token=EAAsecret&id=1", "https://x.test/?id=1"),
        ("https://x.test/?access_token=EAAsecret", "https://x.test/"),
        ("https://x.test/?a=%20b&appsecret_proof=ff00&c=d#top", "https://x.test/?a=%20b&c=d#top"),
        ("see https://x.test/?access_token=EAAsecret now", "see https://x.test/? now"),
        ("https://x.test/?next=https%3A%2F%2Fy.test%2F%3Faccess_token%3DEAAsecret", "https://x.test/?next=https%3A%2F%2Fy.test%2F%3F"),
        ("access_token=EAAsecret", ""),
        ("about access_tokens in general", "about access_tokens in general"),
        ("https://x.test/?id=1&b=2", "https://x.test/?id=1&b=2"),
    ],
)  # fmt: skip
def test_tokens_are_cut_from_texts_and_the_rest_stays_as_it_was(text: str, clean: str) -> None:
    assert scrub(text) == clean


def test_a_records_snapshot_address_becomes_the_public_link() -> None:
    record = {
        "id": "5",
        "ad_snapshot_url": "https://www.facebook.com/ads/archive/render_ad/?id=5&access_token=EAAsecret",
        "access_token": "EAAsecret",
        "nested": [{"next": "https://graph.facebook.com/v26.0/ads_archive?access_token=EAAsecret&limit=1"}],
    }
    ad = to_ad(record, today=TODAY, site_url="https://www.facebook.com")
    assert ad.raw == {
        "id": "5",
        "ad_snapshot_url": "https://www.facebook.com/ads/library/?id=5",
        "nested": [{"next": "https://graph.facebook.com/v26.0/ads_archive?limit=1"}],
    }
