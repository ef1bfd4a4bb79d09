"""How the Bedrock stand-in behaves."""

from __future__ import annotations

import msgspec

ACCESS_KEY_ID = "AKIASTANDIN000000001"
SECRET_ACCESS_KEY = "standin/secret/access/key/000000000000Yw8v"  # noqa: S105 - made up, as its name says
TITAN = "amazon.titan-embed-image-v1"
NOVA = "amazon.nova-2-multimodal-embeddings-v1:0"


class BedrockRules(msgspec.Struct, frozen=True, kw_only=True):
    """Who may ask for what. Signatures are looked at, not verified: the key id decides."""

    access_keys: frozenset[str] = frozenset({ACCESS_KEY_ID})
    bearer_tokens: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset({TITAN, NOVA})
    denied_models: frozenset[str] = frozenset()
    """Models that exist and that this account was not given access to."""
