"""Settings of the customer database source."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, field

from adology import Secret, Settings

Column = Annotated[str, Meta(max_length=200)]


def _text(description: str, **limits: Any) -> Meta:
    return Meta(description=description, **limits)


class Columns(Settings, frozen=True, kw_only=True):
    """Which column of the query's answer fills which field of an ad; empty means none does.

    Fields in the plural take several columns, and each value may be a list: an array, a JSON
    array, or text that is split at `list_separator` (copy is never split).
    """

    id: Annotated[Column, _text("Stable id of the ad. Without one, ads are told apart by a hash of the row.")] = ""
    advertiser: Annotated[Column, _text("Name of the advertiser.")] = ""
    advertiser_id: Annotated[Column, _text("The customer's id of the advertiser.")] = ""
    bodies: Annotated[tuple[Column, ...], _text("Main texts.")] = ()
    titles: Annotated[tuple[Column, ...], _text("Headlines.")] = ()
    captions: Annotated[tuple[Column, ...], _text("Captions under the link.")] = ()
    descriptions: Annotated[tuple[Column, ...], _text("Descriptions.")] = ()
    cta: Annotated[Column, _text("Label of the button.")] = ""
    landing_url: Annotated[Column, _text("Where the ad leads.")] = ""
    link: Annotated[Column, _text("Where the ad itself can be seen.")] = ""
    format: Annotated[Column, _text("Format, in the customer's words.")] = ""
    platforms: Annotated[Column, _text("Where it runs (list).")] = ""
    languages: Annotated[Column, _text("Languages (list).")] = ""
    countries: Annotated[Column, _text("Countries (list).")] = ""
    status: Annotated[Column, _text("Whether it runs: words like active or paused, or a truth value.")] = ""
    started_on: Annotated[Column, _text("First day.")] = ""
    stopped_on: Annotated[Column, _text("Last day.")] = ""
    seen_at: Annotated[Column, _text("When the row was true, if not now.")] = ""
    reach: Annotated[Column, _text("People reached.")] = ""
    impressions: Annotated[Column, _text("Impressions.")] = ""
    spend: Annotated[Column, _text("Money spent.")] = ""
    currency: Annotated[Column, _text("Currency of `spend`.")] = ""
    images: Annotated[tuple[Column, ...], _text("Image URLs (each a list).")] = ()
    videos: Annotated[tuple[Column, ...], _text("Video URLs (each a list).")] = ()
    media: Annotated[tuple[Column, ...], _text("URLs of images or videos (each a list).")] = ()
    previews: Annotated[tuple[Column, ...], _text("URLs of pictures that stand for a video (each a list).")] = ()


class CustomerDbSettings(Settings, frozen=True, kw_only=True):
    """Whose database, what to ask, and how to read the answer."""

    url: Annotated[str, Secret(), _text("SQLAlchemy URL of the database, as a reference.")]
    owner_org_id: Annotated[str, _text("Organisation that owns the rows; nobody else sees them.", min_length=1)]
    query: Annotated[
        str, _text("One SELECT. It may use `:handle`, `:brand` and `:since` (NULL on the first gathering).")
    ]
    columns: Annotated[Columns, _text("Which column fills which field.")] = field(default_factory=Columns)
    cursor_column: Annotated[
        Column, _text("Column that only grows when a row is added or changed; empty reads all rows each time.")
    ] = ""
    lag_s: Annotated[
        float, _text("How far behind the cursor to read again, for rows that arrive late, seconds.", ge=0)
    ] = 3600.0
    lag_number: Annotated[float, _text("The same for a cursor column that holds numbers, in its unit.", ge=0)] = 0.0
    list_separator: Annotated[str, _text("Separates the entries of lists that are plain text.", min_length=1)] = ","
    media_base_url: Annotated[str, _text("Put before media URLs that are relative.")] = ""
    page_size: Annotated[int, _text("Most ads per page.", ge=1, le=5000)] = 500
    timeout_s: Annotated[float, _text("Longest wait for the database: to connect, for one page.", gt=0)] = 60.0
