"""Amazon Bedrock's runtime as a stand-in: InvokeModel of two embedding models, by `BedrockRules`."""

from upstreams.bedrock.rules import ACCESS_KEY_ID, NOVA, SECRET_ACCESS_KEY, TITAN, BedrockRules
from upstreams.bedrock.server import BedrockServer

__all__ = ["ACCESS_KEY_ID", "NOVA", "SECRET_ACCESS_KEY", "TITAN", "BedrockRules", "BedrockServer"]
