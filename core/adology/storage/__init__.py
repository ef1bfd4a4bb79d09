"""Objects in S3: creatives, what is derived from them, manifests."""

from adology.storage.s3 import S3Store

__all__ = ["S3Store"]
