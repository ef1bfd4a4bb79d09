"""What a vendor's moderation says. Stored as it is: fields are only ever added."""

from __future__ import annotations

from adology import Struct


class Judged(Struct, frozen=True, kw_only=True):
    """One category of the vendor: `score` in [0, 1], higher = more certain, and what it was judged by.

    `by` has "text", "image" or both. `time_s` is when the frame with that score is shown, seconds
    from the start; None for stills and texts.
    """

    category: str
    score: float
    by: tuple[str, ...]
    time_s: float | None = None


class Moderated(Struct, frozen=True, kw_only=True):
    """A vendor's verdict, by its own categories and its own limits.

    `flagged`: the vendor would act on it, by thresholds that it does not publish. `categories` have
    the highest score of the pictures that were looked at, the highest first; `unjudged` are those
    that the vendor does not look for in such an item: their scores would say nothing. `refused`
    pictures could not be judged. `truncated`: not the whole text was sent.
    """

    provider: str
    model: str
    flagged: bool
    looked_at: int
    categories: tuple[Judged, ...] = ()
    unjudged: tuple[str, ...] = ()
    refused: int = 0
    truncated: bool = False
