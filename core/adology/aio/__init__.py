"""Small pieces of asynchronous plumbing that more than one part of the engine needs."""

from adology.aio.coalesce import Coalescer
from adology.aio.limit import Limit
from adology.aio.periodic import every

__all__ = ["Coalescer", "Limit", "every"]
