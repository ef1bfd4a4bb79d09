"""The query parameters by which ads are filtered: what each takes, and what it means."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal, get_args

from litestar.params import QueryParameter

from adology_server.brandspaces.model import BrandRole

Status = Literal["running", "stopped", "not_looked", "unknown"]
Level = Literal["none", "low", "medium", "high"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
MOST: Final = 50
"""Values of one filter."""
LONGEST_RUN: Final = 100_000


def _parameter(name: str, text: str, **limits: Any) -> Any:
    return QueryParameter(name=name, description=text, **limits)


def _many(name: str, text: str) -> Any:
    return _parameter(name, text, max_items=MOST)


_STATUS = (
    "`running`: seen when its source was last read, and said to be active. `stopped`: the source says so, or did not"
    " show it although it shows all that runs. `not_looked`: its source was not read, or not lately. `unknown`: the"
    " source does not tell."
)

Texts = list[str] | None
Brands = Annotated[Texts, _many("brand", "Brands, by id.")]
Roles = Annotated[list[BrandRole] | None, _parameter("role", "What the brand is in the brandspace.")]
Sources = Annotated[Texts, _many("source", "Sources, by name.")]
Platforms = Annotated[Texts, _many("platform", "Platforms that the ad runs on.")]
Formats = Annotated[Texts, _many("format", "Formats, as sources name them.")]
Statuses = Annotated[list[Status] | None, _parameter("status", _STATUS)]
Languages = Annotated[Texts, _many("language", "ISO 639-1 codes.")]
Domains = Annotated[Texts, _many("domain", "Hosts of landing pages, without `www.`.")]
AnyLabel = Annotated[Texts, _many("label", "Any of these labels, as `taxonomy:id`.")]
AllLabels = Annotated[Texts, _many("label_all", "All of these labels.")]
NoLabel = Annotated[Texts, _many("label_none", "None of these labels.")]
Passed = Annotated[Texts, _many("passed", "All of these rules passed, as `pack:rule`.")]
Failed = Annotated[Texts, _many("failed", "Any of these rules failed.")]
FirstSeenFrom = Annotated[datetime | None, _parameter("first_seen_from", "First seen at or after.")]
FirstSeenTo = Annotated[datetime | None, _parameter("first_seen_to", "First seen before.")]
LastSeenFrom = Annotated[datetime | None, _parameter("last_seen_from", "Last seen at or after.")]
LastSeenTo = Annotated[datetime | None, _parameter("last_seen_to", "Last seen before.")]
RunDaysMin = Annotated[int | None, _parameter("run_days_min", "Ran at least so many days.", ge=0, le=LONGEST_RUN)]
RunDaysMax = Annotated[int | None, _parameter("run_days_max", "Ran at most so many days.", ge=0, le=LONGEST_RUN)]
SafetyMax = Annotated[
    Level | None, _parameter("safety_max", "Judged, by words and pictures, and at most this sensitive.")
]
SafetyScoreMax = Annotated[
    float | None,
    _parameter("safety_score_max", "Creatives judged, and at most so likely pornographic.", ge=0, le=1),
]
Words = Annotated[
    str, _parameter("q", "Words in copy or creative: quotes, `or` and `-` as in web searches.", max_length=500)
]
