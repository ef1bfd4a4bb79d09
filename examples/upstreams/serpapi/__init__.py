"""SerpApi's Ads Transparency engines as a stand-in: `SerpApiServer` serves a world by `SerpApiRules`."""

from upstreams.serpapi.rules import API_KEY, SerpApiRules
from upstreams.serpapi.server import SerpApiServer

__all__ = ["API_KEY", "SerpApiRules", "SerpApiServer"]
