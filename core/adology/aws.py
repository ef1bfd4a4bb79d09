"""AWS clients from settings: the same code for AWS and for the embedded emulator."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import aioboto3
from aiobotocore.session import get_session
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from adology.settings import resolve_secret
from adology.settings.model import AwsSettings

POOL = 64
_LOADER: Loader = create_loader()
"""Of the vendor's own files, which say what its services are: each session would parse megabytes of them anew."""


def open_client(settings: AwsSettings, service: str) -> AbstractAsyncContextManager[Any]:
    """An aioboto3 client for `service`, to be entered.

    botocore retries passing faults three times in all; the engine's own retries come on top, as
    hidden messages.
    """
    options: dict[str, Any] = {"region_name": settings.region}
    if settings.endpoint_url:
        options["endpoint_url"] = settings.endpoint_url
        if settings.endpoint_url.startswith("http://"):
            options["verify"] = False  # there is no TLS: the certificates of all authorities are not loaded for it
    if settings.access_key_id:
        options["aws_access_key_id"] = resolve_secret(settings.access_key_id, setting="aws.access_key_id")
        options["aws_secret_access_key"] = resolve_secret(settings.secret_access_key, setting="aws.secret_access_key")
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 3},
        connect_timeout=5,
        read_timeout=60,
        max_pool_connections=POOL,
        signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "path"} if settings.endpoint_url else None,
    )
    session = get_session()
    session.register_component("data_loader", _LOADER)
    client: AbstractAsyncContextManager[Any] = aioboto3.Session(botocore_session=session).client(
        service, config=config, **options
    )
    return client
