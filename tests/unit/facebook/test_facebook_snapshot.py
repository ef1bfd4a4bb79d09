from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adology_facebook.media import list_media
from adology_facebook.snapshot import BlockedError, read_snapshot

IMAGE = "https://scontent.xx.fbcdn.net/v/t39/1_n.jpg?oh=aa&oe=1"


def page(data: Any, *, around: str = "{}") -> str:
    text = json.dumps(data).replace("/", "\\/")
    return f"<!DOCTYPE html><html><body><script>{around.replace('{}', text)}</script></body></html>"


def test_the_right_one_of_several_ads_is_read() -> None:
    ads = [
        {"ad_archive_id": str(n), "snapshot": {"images": [{"original_image_url": f"https://x.test/{n}.jpg"}]}}
        for n in range(5)
    ]
    assert [media.url for media in read_snapshot(page({"results": ads}), "3").media] == ["https://x.test/3.jpg"]


def test_a_page_of_another_ad_is_not_taken_for_this_one() -> None:
    other = {"ad_archive_id": "2", "snapshot": {"images": [{"original_image_url": IMAGE}]}}
    found = read_snapshot(page(other), "1")
    assert (found.outcome, found.media) == ("unresolved", ())
    assert "another ad (2)" in found.reason


def test_ids_that_are_numbers_count() -> None:
    data = {"adArchiveID": 17, "snapshot": {"images": [{"original_image_url": IMAGE}]}}
    assert read_snapshot(page(data), "17").outcome == "media"


def test_the_best_rendition_is_taken_and_the_file_counts_once() -> None:
    snapshot = {
        "images": [
            {"original_image_url": IMAGE, "resized_image_url": "https://x.test/small.jpg"},
            {"original_image_url": IMAGE.replace("oh=aa", "oh=bb")},
            {"original_image_url": None, "resized_image_url": "https://x.test/only.jpg"},
        ],
        "videos": [{"video_hd_url": None, "video_sd_url": "https://x.test/sd.mp4"}],
    }
    assert [(m.url, m.kind, m.position) for m in list_media(snapshot)] == [
        ("https://x.test/sd.mp4", "video", 0),
        (IMAGE, "image", 1),
        ("https://x.test/only.jpg", "image", 2),
    ]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "data:image/png;base64,AA", 5, None, {}])
def test_only_web_addresses_are_media(url: Any) -> None:
    assert list_media({"images": [{"original_image_url": url}]}) == ()


def test_templates_of_dynamic_ads_say_nothing_and_cards_do() -> None:
    snapshot = {
        "body": {"text": "{{product.brand}}"},
        "link_url": "https://shop.test/{{product.id}}",
        "display_format": "DCO",
        "cards": [{"body": "Card words", "link_url": "https://shop.test/1", "original_image_url": IMAGE}],
    }
    found = read_snapshot(page({"ad_archive_id": "1", "snapshot": snapshot}), "1")
    assert (found.bodies, found.landing_url, found.format) == (("Card words",), "https://shop.test/1", "dco")


@pytest.mark.parametrize(
    "text",
    [
        "This content isn\N{RIGHT SINGLE QUOTATION MARK}t available right now",
        "This content isn&#039;t available right now",
        "THIS AD WAS REMOVED",
        "It was removed because it didn&rsquo;t follow our Advertising Standards",
    ],
)
def test_signs_of_removal_are_read_however_the_apostrophe_is_written(text: str) -> None:
    assert read_snapshot(f"<html><body><h2>{text}</h2></body></html>", "1").outcome == "removed"


def test_a_block_page_is_an_error_and_an_ad_that_mentions_the_words_is_not() -> None:
    with pytest.raises(BlockedError, match="temporarily blocked"):
        read_snapshot("<html><body>You\N{RIGHT SINGLE QUOTATION MARK}re Temporarily Blocked</body></html>", "1")
    data = {"ad_archive_id": "1", "snapshot": {"body": {"text": "Too many requests? Call us."}, "images": []}}
    assert read_snapshot(page(data), "1").outcome == "text_only"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html></html>",
        '{"snapshot"',
        '"snapshot":{"images":[',
        '{"snapshot":5}',
        "{" * 5000 + '"snapshot"',
        '\0\\"',
    ],
)
def test_garbage_is_unresolved_not_an_error(text: str) -> None:
    assert read_snapshot(text, "1").outcome == "unresolved"


# Real snapshots


def _real_items(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("snapshot"), dict):
            yield value
        else:
            for item in value.values():
                yield from _real_items(item)
    elif isinstance(value, list):
        for item in value:
            yield from _real_items(item)


def _creatives(snapshot: dict[str, Any]) -> int:
    """Distinct files among what should count, found in another way than the reader's."""
    entries = [*snapshot["cards"], *snapshot["images"], *snapshot["videos"]]
    keys = ("video_hd_url", "video_sd_url", "original_image_url", "resized_image_url")
    urls = [next((entry[key] for key in keys if entry.get(key)), None) for entry in entries]
    return len({url.partition("?")[0].split("/", 3)[3] for url in urls if url})


@pytest.mark.parametrize("embed", ["script", "attribute", "string"])
@pytest.mark.parametrize("name", ["camelcase_laptop_vn_2024", "camelcase_rollic_2021", "graphql_arogga_2026"])
def test_real_snapshots_give_each_creative_once(shared_data: Path, name: str, embed: str) -> None:
    items = list(_real_items(json.loads((shared_data / "meta" / "scraped" / f"dev_{name}.json").read_bytes())))
    assert items
    for item in items:
        ad_id = str(item.get("adArchiveID") or item["ad_archive_id"])
        text = json.dumps(item)
        shown = {
            "script": f"<script>{text}</script>",
            "attribute": f'<div data-store="{html.escape(text)}"></div>',
            "string": f"<script>JSON.parse({json.dumps(text)})</script>",
        }[embed]
        found = read_snapshot(f"<html><body>{shown}</body></html>", ad_id)
        creatives = [media for media in found.media if media.role == "creative"]
        assert found.outcome == "media"
        assert len(creatives) == _creatives(item["snapshot"]), ad_id
        assert [media.position for media in creatives] == list(range(len(creatives)))
        assert not any(item["snapshot"]["page_profile_picture_url"] == media.url for media in found.media)


def test_a_real_page_with_many_ads_gives_each_its_own(shared_data: Path) -> None:
    text = (shared_data / "meta" / "scraped" / "dev_graphql_arogga_2026.json").read_text("utf-8")
    items = list(_real_items(json.loads(text)))
    assert len(items) > 10
    for item in items:
        found = read_snapshot(text, str(item["ad_archive_id"]))
        assert sum(media.role == "creative" for media in found.media) == _creatives(item["snapshot"])


def test_an_address_that_nobody_can_read_does_not_hide_the_others() -> None:
    snapshot = {"images": [{"original_image_url": "https://[CDN]/a.jpg"}, {"original_image_url": IMAGE}]}
    assert [media.url for media in list_media(snapshot)] == ["https://[CDN]/a.jpg", IMAGE]
