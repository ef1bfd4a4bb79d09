"""Meta's Ad Library as a stand-in: `MetaServer` serves a world, `MetaRules` say how strictly."""

from upstreams.meta.server import (
    EXPIRED_TOKEN,
    FORBIDDEN_TOKEN,
    UNCONFIRMED_TOKEN,
    USER_TOKEN,
    MetaRules,
    MetaServer,
)

__all__ = [
    "EXPIRED_TOKEN",
    "FORBIDDEN_TOKEN",
    "UNCONFIRMED_TOKEN",
    "USER_TOKEN",
    "MetaRules",
    "MetaServer",
]
