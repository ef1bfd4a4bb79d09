from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from tests.unit.upstreams.meta_world import Clock, draw_image, draw_video
from upstreams.faults import Fault
from upstreams.media import MediaServer, Signer
from upstreams.preview import preview_of
from upstreams.world import MEDIA_FOLDER

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def media(tmp_path: Path, clock: Clock) -> AsyncIterator[MediaServer]:
    draw_image(tmp_path, "pic")
    async with MediaServer(tmp_path / MEDIA_FOLDER, ttl_s=60, clock=clock) as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_signed_address_serves_the_files_bytes_and_type(
    media: MediaServer, client: aiohttp.ClientSession
) -> None:
    async with client.get(media.url_for("pic.jpg")) as answer:
        body = await answer.read()
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
    assert hashlib.sha256(body).digest() == hashlib.sha256((media.folder / "pic.jpg").read_bytes()).digest()


async def test_an_address_expires_and_a_fresh_one_works(
    media: MediaServer, client: aiohttp.ClientSession, clock: Clock
) -> None:
    url = media.url_for("pic.jpg")
    clock.move(61)
    async with client.get(url) as answer:
        assert (answer.status, await answer.text()) == (403, "URL signature expired")
    async with client.get(media.url_for("pic.jpg")) as answer:
        assert answer.status == 200
    assert media.url_for("pic.jpg") != url


@pytest.mark.parametrize("change", [("sig=", "sig=0"), ("exp=", "exp=9"), ("pic.jpg", "other.jpg"), ("&sig=", "&gis=")])
async def test_a_changed_address_is_refused(
    media: MediaServer, client: aiohttp.ClientSession, change: tuple[str, str]
) -> None:
    async with client.get(media.url_for("pic.jpg").replace(*change)) as answer:
        assert (answer.status, await answer.text()) == (403, "URL signature mismatch")


async def test_another_signers_addresses_are_refused(media: MediaServer, client: aiohttp.ClientSession) -> None:
    stranger = Signer(key=b"another key")
    expires_at = int(media.clock()) + 60
    url = f"{media.origin}/m/pic.jpg?exp={expires_at}&sig={stranger.sign('pic.jpg', expires_at)}"
    async with client.get(url) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("file", ["gone.jpg", "../secret.txt", "gone.mp4.preview.jpg", "pic.jpg/x"])
async def test_files_that_are_not_there_and_files_outside_answer_404(
    media: MediaServer, client: aiohttp.ClientSession, file: str
) -> None:
    (media.folder.parent / "secret.txt").write_text("secret")
    url = media.url_for(file)
    async with client.get(url.replace("../", "..%2F")) as answer:
        assert answer.status == 404


async def test_ranges_are_served(media: MediaServer, client: aiohttp.ClientSession) -> None:
    whole = (media.folder / "pic.jpg").read_bytes()
    async with client.get(media.url_for("pic.jpg"), headers={"Range": "bytes=10-29"}) as answer:
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes 10-29/{len(whole)}"
        assert await answer.read() == whole[10:30]


async def test_a_videos_preview_is_a_picture_of_it(
    media: MediaServer, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    video = draw_video(tmp_path, "clip")
    async with client.get(media.url_for(preview_of(video.file))) as answer:
        assert answer.content_type == "image/jpeg"
        picture = Image.open(io.BytesIO(await answer.read()))
    assert picture.size == (64, 48)


async def test_a_broken_video_has_a_preview_all_the_same(media: MediaServer, client: aiohttp.ClientSession) -> None:
    (media.folder / "broken.mp4").write_bytes(b"not a video")
    async with client.get(media.url_for(preview_of("broken.mp4"))) as answer:
        assert Image.open(io.BytesIO(await answer.read())).size == (320, 180)


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("expired", 403, "text/plain"),
        ("http_404", 404, "text/html"),
        ("http_410", 410, "text/html"),
        ("html", 200, "text/html"),
        ("wrong_type", 200, "text/plain"),
        ("redirect", 200, "image/jpeg"),
    ],
)
async def test_media_fail_in_the_ways_of_a_cdn(
    media: MediaServer, client: aiohttp.ClientSession, kind: str, status: int, content_type: str
) -> None:
    media.faults.add(Fault(kind=kind, path="/m/"))
    async with client.get(media.url_for("pic.jpg")) as answer:
        await answer.read()
        assert (answer.status, answer.content_type) == (status, content_type)


async def test_a_truncated_file_promises_more_than_it_sends(media: MediaServer, client: aiohttp.ClientSession) -> None:
    media.faults.add(Fault(kind="truncate"))
    size = (media.folder / "pic.jpg").stat().st_size
    async with client.get(media.url_for("pic.jpg")) as answer:
        assert answer.content_length == size
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


async def test_a_redirect_leads_where_the_fault_says(media: MediaServer, client: aiohttp.ClientSession) -> None:
    media.faults.add(Fault(kind="redirect", detail="http://169.254.169.254/latest/meta-data/"))
    async with client.get(media.url_for("pic.jpg"), allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "http://169.254.169.254/latest/meta-data/")
