"""OpenAI as a stand-in: responses, embeddings, moderations, files and batches, by `OpenAiRules`."""

from upstreams.openai.rules import API_KEY, OpenAiRules
from upstreams.openai.server import OpenAiServer

__all__ = ["API_KEY", "OpenAiRules", "OpenAiServer"]
