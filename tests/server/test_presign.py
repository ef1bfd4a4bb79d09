"""Addresses as botocore signs them, for any key, disposition, credentials and endpoint."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from botocore.auth import SIGV4_TIMESTAMP, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from adology_server.presign import Presigner

LIFE_S = 900
BASES = (
    "http://127.0.0.1:4566/ads",
    "https://ads.s3.eu-west-1.amazonaws.com",
    "https://minio.example:9000/a-b.c",
    "https://s3.example:443/ads",
    "http://[::1]:4566/ads",
)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)


class AtMoment(S3SigV4QueryAuth):  # type: ignore[misc]  # botocore has no types
    """botocore, at a moment that is given."""

    def __init__(self, *given: Any, began: int) -> None:
        super().__init__(*given, expires=LIFE_S)
        self._began = began

    def _modify_request_before_signing(self, request: Any) -> None:
        request.context["timestamp"] = datetime.fromtimestamp(self._began, UTC).strftime(SIGV4_TIMESTAMP)
        super()._modify_request_before_signing(request)


@pytest.mark.parametrize("base", BASES)
@given(key=texts, disposition=texts, token=st.one_of(st.none(), texts), began=st.integers(0, 2**32))
def test_addresses_are_those_that_botocore_signs(
    base: str, key: str, disposition: str, token: str | None, began: int
) -> None:
    credentials = ReadOnlyCredentials("AKIA/EXAMPLE+1", "secret/with+signs", token)
    request = AWSRequest(
        method="GET", url=f"{base}/{quote(key, safe='/~')}", params={"response-content-disposition": disposition}
    )
    AtMoment(credentials, "s3", "eu-west-1", began=began).add_auth(request)
    ours = urlsplit(Presigner(credentials, "eu-west-1", base, life_s=LIFE_S, began=began).url(key, disposition))
    theirs = urlsplit(request.url)
    assert ours[:3] == theirs[:3]
    # The order of parameters in an address says nothing.
    assert sorted(parse_qsl(ours.query, strict_parsing=True)) == sorted(parse_qsl(theirs.query, strict_parsing=True))


def test_an_address_holds_for_one_key_one_moment_and_one_secret() -> None:
    credentials = ReadOnlyCredentials("AKIA", "secret", None)
    made = {
        Presigner(one, region, BASES[0], life_s=life, began=began).url(key, "inline").rpartition("Signature=")[2]
        for one, region, life, began, key in (
            (credentials, "eu-west-1", 900, 0, "a"),
            (credentials, "eu-west-1", 900, 0, "b"),
            (credentials, "eu-west-1", 900, 300, "a"),
            (credentials, "eu-west-1", 60, 0, "a"),
            (credentials, "us-east-1", 900, 0, "a"),
            (ReadOnlyCredentials("AKIA", "other", None), "eu-west-1", 900, 0, "a"),
        )
    }
    assert len(made) == 6
