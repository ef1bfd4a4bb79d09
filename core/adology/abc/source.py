"""Sources: where ads come from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from adology.types import Ad, Advertiser, Brand, Media, Page

if TYPE_CHECKING:
    from adology.context import Context

S = TypeVar("S")
C = TypeVar("C")


class Source(Generic[S, C]):
    """Implement `pages`; everything else has a default.

    `S` is the settings struct (available as `ctx.settings`), `C` the cursor: an orderable,
    msgspec-encodable value of at most 64 KiB that says where the next gathering may start.

    Raise `RetryLater(seconds)` when the vendor says to slow down, `Retry` for passing faults,
    `Terminal` when this brand cannot be gathered here, `ConfigError` for credentials.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    ordered: ClassVar[bool] = False
    """True: pages come oldest first, so the cursor of a page is good even if the run ends there."""
    lag: ClassVar[timedelta] = timedelta(0)
    """How far behind the cursor to read again, for rows that arrive late."""
    shows_running: ClassVar[bool] = False
    """True: also a gathering that begins at a cursor shows every ad that still runs: an absent one has stopped."""

    async def check(self, ctx: Context[S]) -> None:
        """Test the credentials as cheaply as the vendor allows. Raise ConfigError if they fail."""

    def pages(self, ctx: Context[S], brand: Brand, since: C | None) -> AsyncIterator[Page[C]]:
        """Yield the brand's ads page by page.

        Called by the gathering worker, once per gathering and again after a crash, then with
        `ctx.resume` set to the last stored page's `resume` token. You may yield an ad twice;
        the first one counts. Do not fetch media here.
        """
        raise NotImplementedError

    async def resolve(self, ctx: Context[S], ad: Ad, media: Media) -> Media | None:
        """Find a fresh address for media whose URL has expired; None when there is none.

        Called at most once per media file, by the worker that met the 403 or 410. `ad` carries
        the ad's id and what the message brought along, not its raw record.
        """
        return None

    async def find_handles(self, ctx: Context[S], name: str, domain: str) -> tuple[Advertiser, ...] | None:
        """Advertisers that may be the brand of this name, the likeliest first; None: this source cannot look for any.

        Called by the server while somebody waits: a call or two, no more. `domain` is a bare host, or
        empty. Calls that are charged for go through `ctx.paid`. `adology.advertisers.rank` makes
        candidates from ads that were found.
        """
        return None
