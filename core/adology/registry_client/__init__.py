"""How workers reach the Active Brand Registry."""

from adology.registry_client.http import HttpRegistry, RegistryRefusedError
from adology.registry_client.protocol import (
    BrandActiveError,
    CommitLeaseLostError,
    Progress,
    Registry,
    StaleBatchError,
    SubmitAnswer,
    UnknownBrandError,
)

__all__ = [
    "BrandActiveError",
    "CommitLeaseLostError",
    "HttpRegistry",
    "Progress",
    "Registry",
    "RegistryRefusedError",
    "StaleBatchError",
    "SubmitAnswer",
    "UnknownBrandError",
]
