"""The archive of creatives in S3."""

from __future__ import annotations

from adology import Sink, hookimpl
from adology_s3.sink import S3Sink

__all__ = ["S3Sink", "adology_sinks"]


@hookimpl
def adology_sinks() -> list[type[Sink[None]]]:
    """The S3 sink."""
    return [S3Sink]
