"""Addresses of creatives and thumbnails: signed, for a short time, and served by the bucket itself."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from botocore.credentials import Credentials
from botocore.session import Session

from adology.errors import ConfigError
from adology.settings import resolve_secret
from adology.settings.model import AdologySettings, AwsSettings
from adology_server.presign import Presigner

SHOWN = frozenset(
    {"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "video/mp4", "video/webm", "video/quicktime"}
)
"""Types that browsers show and that hold no scripts; others are saved to a file."""
_MOST_KEPT = 50_000
WINDOWS = 3
"""An address is signed with the time at which a third of its life began: all replicas give the same one for a while, so
that answers that hold it have the same ETag, and what is given out is good for two thirds at least."""


class SignedUrls:
    """Signs in this process, without asking anybody. Safe to share between threads."""

    def __init__(self, settings: AdologySettings) -> None:
        own = settings.server
        self._life_s = own.signed_url_s
        self._window_s = own.signed_url_s / WINDOWS
        self._region = settings.aws.region
        self._base = _base(own.media_endpoint or settings.aws.endpoint_url, settings)
        self._aws = settings.aws
        self._credentials: Any = None
        self._signer: tuple[Any, Presigner] | None = None
        """With the credentials and window that it signs for."""
        self._kept: tuple[int, dict[tuple[str, str], str]] = (0, {})
        """Of one window."""

    def url(self, key: str, *, content_type: str = "", name: str = "") -> str:
        """An address at which exactly this object can be read, and nothing else, by GET.

        Args:
            key: of the object, as it is in the bucket.
            content_type: of the object; what browsers do not show is saved to a file.
            name: of that file.

        Raises:
            ConfigError: there are no credentials to sign with.
        """
        shown = not content_type or content_type in SHOWN
        disposition = "inline" if shown else f"attachment; filename*=UTF-8''{quote(name or key.rpartition('/')[2])}"
        window = int(time.time() // self._window_s)
        of, kept = self._kept
        if of != window:
            _, kept = self._kept = window, {}
        found = kept.get((key, disposition))
        if found is None:
            found = self._sign(key, disposition, int(window * self._window_s))
            if len(kept) < _MOST_KEPT:
                kept[key, disposition] = found
        return found

    def _sign(self, key: str, disposition: str, began: int) -> str:
        if self._credentials is None:
            self._credentials = _find_credentials(self._aws)
        # Those of a role change: the chain renews them when they are taken.
        credentials = self._credentials.get_frozen_credentials()
        signer, of = self._signer, (credentials, began)
        if signer is None or signer[0] != of:
            made = Presigner(credentials, self._region, self._base, life_s=self._life_s, began=began)
            signer = self._signer = (of, made)
        return signer[1].url(key, disposition)


def key_of(s3_path: str) -> str:
    """The key in ``s3://bucket/key``."""
    return s3_path.removeprefix("s3://").partition("/")[2]


def _base(endpoint: str, settings: AdologySettings) -> str:
    """Where the bucket is: by path at an endpoint of one's own, by name at AWS."""
    if endpoint:
        return f"{endpoint.rstrip('/')}/{settings.s3.bucket}"
    return f"https://{settings.s3.bucket}.s3.{settings.aws.region}.amazonaws.com"


def _find_credentials(aws: AwsSettings) -> Any:
    if aws.access_key_id:
        return Credentials(
            resolve_secret(aws.access_key_id, setting="aws.access_key_id"),
            resolve_secret(aws.secret_access_key, setting="aws.secret_access_key"),
        )
    found = Session().get_credentials()
    if found is None:
        hint = "Set it, or give the process a role."
        raise ConfigError("aws.access_key_id", "is not set, and the usual chain has no credentials", hint)
    return found
