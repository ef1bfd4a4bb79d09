"""One source, one brand: pages into the manifest, going on where an earlier attempt stopped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any, cast

import msgspec

from adology.engine.clean import clean_ad
from adology.engine.manifest import Manifest, Outcome, SourceDone, SourceState
from adology.engine.ports import CataloguePort, SourceInstance
from adology.errors import (
    ConfigError,
    LeaseLostError,
    Retry,
    RetryLater,
    Skip,
    Terminal,
    UnavailableError,
    code_of,
    describe,
)
from adology.log import logger
from adology.store.naming import clean_text
from adology.types import Ad, Brand, Page

Note = Callable[[int, int], Awaitable[None]]
MAX_CURSOR_BYTES = 64 * 1024
LONGEST_REASON = 2000


class Discovery:
    """Runs a source's `pages` to its end, whatever happens on the way.

    `give_up` turns a passing fault into the source's failure (this delivery is its last try), and so
    does a vendor's wish to slow down without `wait`; `poisoned` does not run the source at all: it
    killed its worker too often.
    """

    def __init__(
        self,
        instance: SourceInstance,
        manifest: Manifest,
        catalogue: CataloguePort,
        *,
        now: Callable[[], datetime],
        give_up: bool = False,
        wait: bool = True,
        poisoned: bool = False,
    ) -> None:
        self._instance = instance
        self._manifest = manifest
        self._catalogue = catalogue
        self._now = now
        self._give_up = give_up
        self._wait = wait
        self._poisoned = poisoned
        self._whole = False

    async def run(self, brand: Brand, note: Note) -> SourceDone:
        """How the source ended; everything it found is in the manifest.

        Raises:
            RetryLater: the vendor or another worker asked this credential to pause.
            Retry: a passing fault; the next attempt goes on after the last stored page.
        """
        name = self._instance.name
        state = await self._manifest.load_source(name)
        if state.done is not None:
            return state.done
        if self._poisoned:
            reason = "gathering this source ended its worker again and again; see the worker's log"
            return await self._finish(state, "failed", reason, "ADO-2090")
        credential = self._instance.context().credential_id()
        paused_s = await self._catalogue.paused_s(credential)
        progress = _Progress(state)
        if paused_s > 0:
            error = RetryLater(paused_s, f"{name}: its credential pauses for {paused_s:.0f} s more")
            return await self._put_off(progress, error)
        if state.pages:
            await note(state.pages, len(state.ad_ids))
        try:
            await self._read_pages(brand, state, progress, note)
        except RetryLater as error:
            await self._catalogue.pause_credential(
                credential, error.seconds, clean_text(describe(error), LONGEST_REASON)
            )
            return await self._put_off(progress, error)
        except (LeaseLostError, UnavailableError):
            raise
        except (Terminal, Skip, ConfigError) as error:
            return await self._finish_failed(progress, error)
        except Exception as error:
            if not self._give_up:
                raise error if isinstance(error, Retry) else Retry(f"{name}: {describe(error)}") from error
            logger.opt(exception=True).error("source failed for good")
            return await self._finish_failed(progress, error)
        outcome: Outcome = "ok" if progress.ads else "empty"
        return await self._finish(progress, outcome, "", "")

    async def _read_pages(self, brand: Brand, state: SourceState, progress: _Progress, note: Note) -> None:
        context = self._instance.context(resume=state.resume)
        since = await self._since(brand)
        self._whole = since is None or self._instance.source.shows_running
        pages = self._instance.source.pages(context, brand, since)
        # A source's `pages` is an async generator; closing it releases what it holds.
        async with aclosing(cast("Any", pages)):
            async for page in pages:
                fresh = progress.drop_seen(page)
                if not await self._manifest.add_page(
                    self._instance.name, progress.pages, fresh, gathered_at=self._now()
                ):
                    raise LeaseLostError(
                        f"part {progress.pages} of source {self._instance.name} was written by another gatherer"
                    )
                progress.add(fresh)
                await note(1, len(fresh.ads))
                logger.bind(page=progress.pages, ads=len(fresh.ads)).info("page gathered")

    async def _since(self, brand: Brand) -> Any:
        stored = await self._catalogue.find_cursor(brand.id, self._instance.name)
        if stored is None:
            return None
        try:
            return msgspec.msgpack.decode(stored, type=self._instance.cursor_type or Any)
        except msgspec.DecodeError as error:
            # A changed cursor type: start over rather than fail; ads are upserted.
            logger.bind(error=str(error)).warning("stored cursor does not decode; gathering from the start")
            return None

    async def _put_off(self, progress: _Progress, error: RetryLater) -> SourceDone:
        """Let the vendor have its pause, unless it had too many."""
        if self._wait:
            raise error
        return await self._finish_failed(progress, error)

    async def _finish_failed(self, progress: _Progress, error: Exception) -> SourceDone:
        outcome: Outcome = "partial" if progress.ads else "failed"
        logger.bind(outcome=outcome, reason=describe(error), code=code_of(error)).error("source ended early")
        return await self._finish(progress, outcome, describe(error), code_of(error))

    async def _finish(self, progress: SourceState | _Progress, outcome: Outcome, reason: str, code: str) -> SourceDone:
        read = outcome in ("ok", "empty")
        keep = read or self._instance.source.ordered
        done = SourceDone(
            outcome=outcome,
            reason=clean_text(reason, LONGEST_REASON),
            code=code,
            pages=progress.pages,
            ads=len(progress.ad_ids),
            cursor=progress.cursor if keep else None,
            whole=read and self._whole,
        )
        await self._manifest.finish_source(self._instance.name, done)
        return done


class _Progress:
    """What of the source is in the manifest by now."""

    def __init__(self, state: SourceState) -> None:
        self.pages = state.pages
        self.ad_ids = set(state.ad_ids)
        self.cursor = state.cursor

    @property
    def ads(self) -> int:
        return len(self.ad_ids)

    def drop_seen(self, page: Page[Any]) -> Page[Any]:
        """The page as stores take it, without ads that an earlier page or attempt brought.

        Raises:
            Terminal: its cursor is too large, or an ad has values of wrong types.
        """
        if page.cursor is not None and len(msgspec.msgpack.encode(page.cursor)) > MAX_CURSOR_BYTES:
            raise Terminal(f"the source's cursor is larger than {MAX_CURSOR_BYTES} bytes", code="ADO-2091")
        fresh: dict[str, Ad] = {}
        for ad in map(clean_ad, page.ads):
            if ad.id not in self.ad_ids and ad.id not in fresh:
                fresh[ad.id] = ad
        return msgspec.structs.replace(page, ads=tuple(fresh.values()))

    def add(self, page: Page[Any]) -> None:
        self.pages += 1
        self.ad_ids.update(ad.id for ad in page.ads)
        if page.cursor is not None:
            self.cursor = msgspec.msgpack.encode(page.cursor)
