"""Settings of the SerpApi source."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from adology import Secret, Settings

Platform = Literal["PLAY", "MAPS", "SEARCH", "SHOPPING", "YOUTUBE"]
Format = Literal["text", "image", "video"]


def _text(description: str, **limits: Any) -> Meta:
    return Meta(description=description, **limits)


class SerpApiSettings(Settings, frozen=True, kw_only=True):
    """What to ask of the Ads Transparency Center, and what it may cost."""

    api_key: Annotated[str, Secret(), _text("SerpApi key, as a reference.")]
    base_url: Annotated[str, _text("Address of the API.")] = "https://serpapi.com"
    regions: Annotated[
        tuple[int, ...],
        _text("Google's numeric regions (2000 + ISO number: 2840 US, 2276 DE), one query each; empty for anywhere."),
    ] = ()
    platforms: Annotated[
        tuple[Platform, ...],
        _text("Platforms, one query each. Only then does an ad say its platform; empty asks for all at once."),
    ] = ()
    creative_format: Annotated[Format | None, _text("Only ads of this format; none for all.")] = None
    political_ads: Annotated[bool, _text("Political ads only; needs `regions`.")] = False
    lookback_days: Annotated[
        int, _text("How far the first gathering looks back, days; 0 for everything there is.", ge=0)
    ] = 365
    num: Annotated[int, _text("Ads asked for per list search.", ge=1, le=100)] = 100
    advertisers_per_search: Annotated[int, _text("Advertiser ids put together into one list search.", ge=1, le=20)] = 10
    details: Annotated[
        Literal["never", "needed", "always"],
        _text("Which ads get a details search (one paid search each): `needed` are videos and ads without a picture."),
    ] = "needed"
    details_concurrency: Annotated[int, _text("Details searches at once.", ge=1, le=16)] = 4
    max_pages: Annotated[int, _text("List searches per gathering; 0 for no limit.", ge=0)] = 0
    max_searches: Annotated[
        int, _text("Searches of both kinds per gathering; 0 for no limit. What is left out makes it partial.", ge=0)
    ] = 1000
    searches_per_hour: Annotated[
        int, _text("Searches per key in any hour; 0 takes the account's own limit, asked for once.", ge=0)
    ] = 0
    burst: Annotated[int, _text("Searches of that hour that may go out at once.", ge=1)] = 20
    throttle_pause_s: Annotated[float, Meta(description="Pause after the hourly limit is reached, seconds.", gt=0)] = (
        300.0
    )
    backoff_s: Annotated[float, Meta(description="First wait after a passing error, seconds; doubles.", ge=0)] = 1.0
    youtube_thumbnail_url: Annotated[
        str,
        _text("Address of a YouTube video's picture with {id} in it, taken as a preview; empty for none."),
    ] = ""

    def interval_s(self, per_hour: int) -> float:
        """Spacing that keeps burst plus steady searches within `per_hour`."""
        return 3600.0 / max(1, per_hour - min(self.burst, per_hour - 1))
