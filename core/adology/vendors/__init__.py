"""Thin clients for vendors that are paid per call: `adology.vendors.openai` and `adology.vendors.bedrock`.

They are made from a `Context` and hold what every paid analyzer needs: one owner of retries (the
engine), limits shared by all who use a credential, a line in the ledger per call, and errors that
say what is to be done. Importing this package loads no SDK.

::

    from adology.vendors import openai

    answer = await openai.ask_json(ctx, "gpt-5-mini", RULES, [copy, picture], schema=Labels)
    answer.value  # a Labels
"""

from adology.vendors.clients import close_clients
from adology.vendors.errors import IncompleteError, RefusedError, UnusableAnswerError
from adology.vendors.settings import BedrockSettings, CloudSettings, OpenAISettings

__all__ = [
    "BedrockSettings",
    "CloudSettings",
    "IncompleteError",
    "OpenAISettings",
    "RefusedError",
    "UnusableAnswerError",
    "close_clients",
]
