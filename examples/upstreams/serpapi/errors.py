"""SerpApi's refusals: every one is a status and ``{"error": text}``."""

from __future__ import annotations

from http import HTTPStatus

BAD_KEY = "Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key"
FORBIDDEN = "The account associated with this API key doesn't have permission to perform the request."
THROUGHPUT = "You are sending requests too fast, you've exceeded the hourly throughput limit."
OUT_OF_SEARCHES = "Your account has run out of searches."
UNAVAILABLE = "Something went wrong on SerpApi's end. Please contact support@serpapi.com for assistance."
NO_VALID_RESULTS = "We couldn't get valid results for this search. Please try again later."
STALE_PAGE = "Invalid or expired `next_page_token` parameter."
POLITICAL_ALONE = "`political_ads` parameter can only be used alongside with the `region` parameter."
LIST_EMPTY = "Google Ads Transparency Center hasn't returned any results for this query."
DETAILS_EMPTY = "Google Ads Transparency Center Ad Details hasn't returned any results for this query."


class Refusal(Exception):  # noqa: N818 - an answer, not a fault of ours
    """Ends a request with `status` and `text`."""

    def __init__(self, text: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


def missing(parameter: str) -> Refusal:
    """A required parameter is not there."""
    return Refusal(f"Missing query `{parameter}` parameter.")


def unsupported(value: str, parameter: str) -> Refusal:
    """A value outside a parameter's list."""
    return Refusal(f"Unsupported `{value}` {parameter} parameter.")
