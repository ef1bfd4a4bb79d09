"""OpenAI's moderation, asked about pictures and texts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from adology import Context, Retry, Terminal
from adology_safety.moderation_model import Judged, Moderated

if TYPE_CHECKING:
    from adology.vendors.openai import Moderation

MODEL = "omni-moderation-latest"
MOST_CHARS = 8000
"""Of one text. The vendor names no limit; longer ones are cut and say so."""
ASKING_S = 100.0
"""Longest time of all calls about one item; then it is put off, not given up."""
DIGITS = 4

Verdict = tuple["Moderation", float | None]
"""What the vendor said, and when the picture is shown."""


async def moderate_pictures(ctx: Context[Any], model: str, pictures: Sequence[tuple[bytes, float | None]]) -> Moderated:
    """The verdict on a creative's pictures, each with the time at which it is shown.

    A picture that the vendor cannot judge is counted, and the others are asked about.

    Raises:
        Deferred, Retry, ConfigError: as the vendor's client raises them; what was said till then is dropped.
    """
    from adology.vendors import openai  # noqa: PLC0415 - HTTP and SDK, which the local model does without

    found: list[Verdict] = []
    refused = 0
    async with _patience():
        for data, time_s in pictures:
            try:
                found.append((await openai.moderate(ctx, picture=data, model=model or MODEL), time_s))
            except Terminal as error:
                refused += 1
                ctx.log.bind(error=str(error)).info("a picture was not moderated")
    return _gathered(found, model, refused=refused)


async def moderate_text(ctx: Context[Any], model: str, text: str) -> Moderated:
    """The verdict on a text.

    Raises:
        Deferred, Retry, ConfigError: as the vendor's client raises them.
    """
    from adology.vendors import openai  # noqa: PLC0415 - as above

    found: list[Verdict] = []
    async with _patience():
        try:
            found.append((await openai.moderate(ctx, text=text[:MOST_CHARS], model=model or MODEL), None))
        except Terminal as error:
            ctx.log.bind(error=str(error)).info("a text was not moderated")
    return _gathered(found, model, refused=1 - len(found), truncated=len(text) > MOST_CHARS)


@contextlib.asynccontextmanager
async def _patience() -> AsyncIterator[None]:
    """Turns a long wait into a reason to try again later."""
    try:
        async with asyncio.timeout(ASKING_S):
            yield
    except TimeoutError:
        raise Retry(f"openai: moderation took longer than {ASKING_S:g} s", code="ADO-3205") from None


def _gathered(found: Sequence[Verdict], model: str, *, refused: int, truncated: bool = False) -> Moderated:
    best: dict[str, Judged] = {}
    seen: set[str] = set()
    for verdict, time_s in found:
        seen.update(verdict.scores)
        for category, score in verdict.scores.items():
            by = verdict.applied.get(category, ())
            rounded = round(score, DIGITS)
            if by and (category not in best or rounded > best[category].score):
                best[category] = Judged(category=category, score=rounded, by=tuple(sorted(by)), time_s=time_s)
    return Moderated(
        provider="openai",
        model=found[0][0].model if found else model or MODEL,
        flagged=any(verdict.flagged for verdict, _ in found),
        looked_at=len(found),
        categories=tuple(sorted(best.values(), key=lambda judged: (-judged.score, judged.category))),
        unjudged=tuple(sorted(seen - best.keys())),
        refused=refused,
        truncated=truncated,
    )
