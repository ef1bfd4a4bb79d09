"""Run something every so often while something else runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable


@contextlib.asynccontextmanager
async def every(seconds: float, action: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `action` every `seconds` inside the block; an exception of it cancels the block.

    The exception replaces the cancellation: the block's owner sees what went wrong.
    """
    owner = asyncio.current_task()
    failure: list[BaseException] = []

    async def tick() -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await action()
            except Exception as error:  # noqa: BLE001 - handed to the owner below
                failure.append(error)
                if owner is not None:
                    owner.cancel()
                return

    task = asyncio.create_task(tick())
    try:
        yield
    except asyncio.CancelledError:
        if not failure:
            raise
    finally:
        task.cancel()
        try:
            # Not `await task`: its cancellation and ours could not be told apart.
            await asyncio.wait({task})
        except asyncio.CancelledError:
            if not failure:
                raise
        # Ours is taken back; if one is left, somebody else wants the owner to end as well.
        also_cancelled = bool(failure) and owner is not None and owner.uncancel() > 0
    if also_cancelled:
        raise asyncio.CancelledError
    if failure:
        raise failure[0]
