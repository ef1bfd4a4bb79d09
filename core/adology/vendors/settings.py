"""Settings that an analyzer inherits to use a vendor; the clients read them from `ctx.settings`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from adology.settings.base import Operational, Secret, Settings

ApiKey = Annotated[str, Secret(), Meta(description="OpenAI API key, as a reference.")]
BaseUrl = Annotated[str, Operational(), Meta(description="Address of the API, with `/v1`; empty: OpenAI's own.")]
TimeoutS = Annotated[float, Operational(), Meta(description="Longest time of one call, seconds.", gt=0, le=600)]
PerMinute = Annotated[
    int, Operational(), Meta(description="Most calls a minute in this process; 0: as the vendor's headers allow.", ge=0)
]
Region = Annotated[str, Operational(), Meta(description="AWS region of Bedrock.", min_length=1)]
Endpoint = Annotated[str, Operational(), Meta(description="Address of Bedrock's runtime; empty: the region's own.")]
AccessKeyId = Annotated[str, Secret(), Meta(description="AWS access key id; empty: the role or environment decides.")]
SecretKey = Annotated[str, Secret(), Meta(description="AWS secret access key, as a reference.")]

KEY = "env:OPENAI_API_KEY"
REGION = "us-east-1"


class OpenAISettings(Settings, frozen=True, kw_only=True):
    """How to reach OpenAI."""

    openai_api_key: ApiKey = KEY
    openai_base_url: BaseUrl = ""
    openai_timeout_s: TimeoutS = 60.0
    openai_calls_per_minute: PerMinute = 0


class BedrockSettings(Settings, frozen=True, kw_only=True):
    """How to reach Amazon Bedrock."""

    bedrock_region: Region = REGION
    bedrock_endpoint_url: Endpoint = ""
    bedrock_access_key_id: AccessKeyId = ""
    bedrock_secret_access_key: SecretKey = ""
    bedrock_timeout_s: TimeoutS = 60.0
    bedrock_calls_per_minute: PerMinute = 0


class CloudSettings(OpenAISettings, frozen=True, kw_only=True):
    """Both, for analyzers that can use either: a struct cannot inherit from two others."""

    bedrock_region: Region = REGION
    bedrock_endpoint_url: Endpoint = ""
    bedrock_access_key_id: AccessKeyId = ""
    bedrock_secret_access_key: SecretKey = ""
    bedrock_timeout_s: TimeoutS = 60.0
    bedrock_calls_per_minute: PerMinute = 0
