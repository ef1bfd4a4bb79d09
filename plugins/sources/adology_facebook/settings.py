"""Settings of the Facebook source."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from adology import Secret, Settings

EU_AND_UK = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR",
    "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
"""Where the library shows commercial ads. Elsewhere it shows political ones or nothing."""

AdType = Literal[
    "ALL", "POLITICAL_AND_ISSUE_ADS", "HOUSING_ADS", "EMPLOYMENT_ADS", "FINANCIAL_PRODUCTS_AND_SERVICES_ADS"
]


def _text(description: str, **limits: Any) -> Meta:
    return Meta(description=description, **limits)


class FacebookSettings(Settings, frozen=True, kw_only=True):
    """How to ask the Ad Library, and how hard."""

    token: Annotated[str, Secret(), _text("User access token with Ad Library access, as a reference.")]
    api_version: Annotated[str, Meta(description="Graph API version.", pattern=r"^v\d+\.\d+$")] = "v26.0"
    base_url: Annotated[str, _text("Address of the Graph API.")] = "https://graph.facebook.com"
    site_url: Annotated[str, _text("Address of the site that serves ad snapshots.")] = "https://www.facebook.com"
    countries: Annotated[tuple[str, ...], _text("ISO codes that an ad must have reached, or ALL.", min_length=1)] = (
        EU_AND_UK
    )
    ad_active_status: Annotated[
        Literal["ALL", "ACTIVE", "INACTIVE"], _text("Which ads. The vendor's own default hides stopped ones.")
    ] = "ALL"
    ad_type: Annotated[AdType, _text("The vendor's category of ads.")] = "ALL"
    limit: Annotated[int, _text("Ads asked for per call to begin with.", ge=1, le=500)] = 100
    lookback_days: Annotated[int, _text("How far the first gathering looks back, days of delivery.", ge=1, le=2600)] = (
        365
    )
    max_pages: Annotated[int, _text("Calls per gathering; 0 for no limit.", ge=0)] = 0
    max_slice_rows: Annotated[int, _text("Rows after which a query is split: deep paging breaks.", ge=1)] = 20_000
    calls_per_hour: Annotated[
        int, _text("Calls per token in any hour; the vendor's limit is folklore of about 200.", ge=2)
    ] = 180
    burst: Annotated[int, _text("Calls of that hour that may go out at once.", ge=1)] = 40
    throttle_pause_s: Annotated[
        float, Meta(description="Pause after a rate limit that names no time, seconds.", gt=0)
    ] = 900.0
    backoff_s: Annotated[float, Meta(description="First wait after a passing error, seconds; doubles.", ge=0)] = 1.0
    media: Annotated[
        Literal["embedded", "browser", "none"],
        _text("How media is found: in the snapshot's embedded data, by a headless browser, or not at all."),
    ] = "embedded"
    snapshot_concurrency: Annotated[int, _text("Snapshots read at once.", ge=1, le=32)] = 4
    snapshot_interval_s: Annotated[float, Meta(description="Least time between two snapshot reads, seconds.", ge=0)] = (
        0.2
    )
    snapshot_pause_s: Annotated[float, Meta(description="Pause after the site blocks us, seconds.", gt=0)] = 300.0
    browser_path: Annotated[str, _text('Browser program for `media = "browser"`; empty for playwright\'s own.')] = ""

    @property
    def interval_s(self) -> float:
        """Spacing that keeps burst plus steady calls within `calls_per_hour`."""
        return 3600.0 / max(1, self.calls_per_hour - min(self.burst, self.calls_per_hour - 1))
