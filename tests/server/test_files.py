"""Signed addresses: for one object, one method and a short time, and cheap to give out again."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
import boto3
import pytest
from botocore.config import Config
from yarl import URL

from adology.aws import open_client
from adology.settings import AdologySettings
from adology.settings.model import AwsSettings, ServerSettings
from adology_server.files import SignedUrls, key_of

KEY = "assets/ab/ab c+ü~.png"


def made_by(**server: Any) -> SignedUrls:
    aws = AwsSettings(access_key_id="AKIDEXAMPLE", secret_access_key="made-up-access-key", region="eu-west-1")
    return SignedUrls(AdologySettings(aws=aws, server=ServerSettings(**server)))


def test_the_signature_is_the_one_that_the_vendors_own_client_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 11, 1, 12, tzinfo=UTC)  # where a window begins
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment.replace(tzinfo=None))
    monkeypatch.setattr("adology_server.files.time.time", lambda: moment.timestamp() + 299)
    client = boto3.client(
        "s3", region_name="eu-west-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="made-up-access-key",
        endpoint_url="https://media.example", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )  # fmt: skip
    expected = client.generate_presigned_url(
        "get_object",
        Params={"Bucket": "adology", "Key": KEY, "ResponseContentDisposition": "inline"},
        ExpiresIn=900,
    )
    ours = made_by(media_endpoint="https://media.example/").url(KEY)
    assert _parts(ours) == _parts(expected)
    assert _parts(ours)[2]["X-Amz-Date"] == ["20261101T120000Z"]


def _parts(url: str) -> tuple[str, str, dict[str, list[str]]]:
    split = urlsplit(url)
    query = parse_qs(split.query, strict_parsing=True)
    return split.netloc, split.path, query


def test_each_object_has_its_own_signature() -> None:
    urls = made_by(signed_url_s=60)
    one, other = _parts(urls.url("a/one")), _parts(urls.url("a/two"))
    assert one[2]["X-Amz-Signature"] != other[2]["X-Amz-Signature"]
    assert one[2]["X-Amz-Expires"] == ["60"]
    assert one[0] == "adology.s3.eu-west-1.amazonaws.com"
    assert one[1] == "/a/one"


def test_what_browsers_do_not_show_is_saved_to_a_file() -> None:
    urls = made_by()

    def disposition(content_type: str) -> str:
        return _parts(urls.url("assets/x.svg", content_type=content_type))[2]["response-content-disposition"][0]

    assert disposition("image/png") == "inline"
    assert disposition("image/svg+xml") == disposition("text/html") == "attachment; filename*=UTF-8''x.svg"


def test_an_address_is_that_of_a_third_of_its_life_on_all_replicas(monkeypatch: pytest.MonkeyPatch) -> None:
    urls, signed = made_by(signed_url_s=900), []
    real = SignedUrls._sign

    def counting(self: SignedUrls, key: str, disposition: str, began: int) -> str:
        signed.append(key)
        return real(self, key, disposition, began)

    monkeypatch.setattr(SignedUrls, "_sign", counting)
    began = 1_800_000_000 // 300 * 300
    seen = []
    for moment, count in ((began, 1), (began + 299, 1), (began + 300, 2), (began + 599, 2)):
        monkeypatch.setattr("adology_server.files.time.time", lambda moment=moment: moment)
        seen.append(urls.url("a"))
        assert len(signed) == count, moment
        signed_at = datetime.strptime(_parts(seen[-1])[2]["X-Amz-Date"][0], "%Y%m%dT%H%M%S%z").timestamp()
        assert moment - 300 < signed_at <= moment  # good for two thirds of its life at least
        with monkeypatch.context() as other:
            other.setattr(SignedUrls, "_sign", real)
            assert made_by(signed_url_s=900).url("a") == seen[-1]
    assert seen[0] == seen[1] != seen[2] == seen[3]


def test_a_page_of_addresses_is_cheap() -> None:
    urls = made_by()
    keys = [f"derived/{number}/thumbnail.jpg" for number in range(50)]
    for key in keys:
        urls.url(key)
    began = time.perf_counter()
    for key in keys:
        urls.url(key)
    assert time.perf_counter() - began < 0.005


def test_keys_are_told_from_their_bucket() -> None:
    assert key_of("s3://bucket/a/b.png") == "a/b.png"


def test_the_bucket_gives_one_object_by_one_method_for_a_short_time(
    settings: AdologySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a bucket refuses of a signed address that was changed, or is too old.

    The emulator checks signature, method, key and time as S3 does. It knows no rights: an address without any
    signature is served by it. That a private bucket refuses such a one, and that the signer's role may read no
    more than it should, is shown by AWS alone.
    """

    async def ask(http: aiohttp.ClientSession, method: str, url: str) -> tuple[int, bytes]:
        # As it is: quoting it anew would break the signature by itself.
        async with http.request(method, URL(url, encoded=True)) as answer:
            return answer.status, await answer.read()

    async def scenario() -> None:
        urls = SignedUrls(settings)
        async with open_client(settings.aws, "s3") as client, aiohttp.ClientSession() as http:
            for key in (KEY, "exports/rival/t/1.csv"):
                await client.put_object(Bucket=settings.s3.bucket, Key=key, Body=f"content of {key}".encode())
            good = urls.url(KEY, content_type="image/png")
            assert await ask(http, "GET", good) == (200, f"content of {KEY}".encode())
            for method in ("PUT", "DELETE", "POST", "HEAD"):
                status, _ = await ask(http, method, good)
                assert status == 403, method
            quoted = quote(KEY, safe="/~")
            for what, wrong in (
                ("key", good.replace(quoted, "exports/rival/t/1.csv")),
                ("longer", good.replace("X-Amz-Expires=900", "X-Amz-Expires=90000")),
                ("shown", good.replace("inline", "attachment")),
                ("signature", good[:-4] + ("0000" if not good.endswith("0000") else "1111")),
            ):
                assert wrong != good, what
                status, said = await ask(http, "GET", wrong)
                assert (status, b"content of" in said) == (403, False), what
            now = time.time()
            monkeypatch.setattr("adology_server.files.time.time", lambda: now - 1300)
            late = SignedUrls(settings).url(KEY, content_type="image/png")
            assert (await ask(http, "GET", late))[0] == 403
            monkeypatch.setattr("adology_server.files.time.time", lambda: now - 500)
            still = SignedUrls(settings).url(KEY, content_type="image/png")
            assert (await ask(http, "GET", still))[0] == 200
            assert (await ask(http, "GET", good))[1] == f"content of {KEY}".encode()  # nothing was written or removed

    asyncio.run(scenario())
