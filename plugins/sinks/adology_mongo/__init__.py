"""Raw payloads and full analysis documents in MongoDB: what does not fit columns."""

from __future__ import annotations

from adology import Sink, hookimpl
from adology_mongo.sink import MongoSink

__all__ = ["MongoSink", "adology_sinks"]


@hookimpl
def adology_sinks() -> list[type[Sink[None]]]:
    """The Mongo sink."""
    return [MongoSink]
