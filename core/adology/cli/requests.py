"""What the commands that touch the stores share: open them, check brands, send requests."""

from __future__ import annotations

import contextlib
import difflib
import math
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from adology.cli.model import GatherRequested
from adology.cli.options import common
from adology.errors import EngineError, StackError, UnknownBrandError

if TYPE_CHECKING:
    from adology.plugins import Plugins
    from adology.settings.model import AdologySettings
    from adology.store import Catalogue, Database

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@contextlib.asynccontextmanager
async def open_database(settings: AdologySettings) -> AsyncIterator[Database]:
    """The database of the settings.

    Raises:
        StackError: it is the embedded one, and that does not run.
        EngineError: it does not answer.
    """
    from adology.store import Database  # noqa: PLC0415 - commands import when they run

    check_running(settings)
    await _check_reachable(settings)
    async with Database(settings.postgres) as database:
        yield database


def check_running(settings: AdologySettings) -> None:
    """Raise unless the servers that the settings name can be expected to answer.

    Raises:
        StackError: they are the embedded ones, and those do not run.
    """
    if is_embedded(settings) and not is_running(settings):
        raise StackError(f"the stack of {settings.home} does not run.", hint="Run `adology up` first.", code="ADO-5515")


async def _check_reachable(settings: AdologySettings) -> None:
    """Raise what the database says to one connection: the pool would try for long, and say only that it waited.

    Raises:
        EngineError: it cannot be reached, with the reason.
    """
    import psycopg  # noqa: PLC0415 - commands import when they run

    from adology.settings import resolve_secret  # noqa: PLC0415 - as above

    url = resolve_secret(settings.postgres.url, setting="postgres.url")
    try:
        connection = await psycopg.AsyncConnection.connect(url, connect_timeout=math.ceil(settings.postgres.timeout_s))
    except psycopg.Error as error:
        hint = "Check postgres.url; `adology status` shows the embedded one."
        raise EngineError(f"the database cannot be reached: {error}", hint=hint) from error
    await connection.close()


def is_embedded(settings: AdologySettings) -> bool:
    """Whether the database is the embedded one, or none was named at all."""
    import tomllib  # noqa: PLC0415 - commands import when they run

    if not settings.postgres.url:
        return True
    file = Path(settings.home) / "stack.toml"
    if not file.is_file():
        return False
    return bool(tomllib.loads(file.read_text("utf-8")).get("postgres", {}).get("url") == settings.postgres.url)


def is_running(settings: AdologySettings) -> bool:
    """Whether a supervisor is at work on the home."""
    from adology.embedded import read_state  # noqa: PLC0415 - commands import when they run

    return read_state(Path(settings.home)).pid is not None


async def check_brand(catalogue: Catalogue, brand: str) -> None:
    """Raise unless the catalogue has the brand.

    Raises:
        UnknownBrandError: naming the nearest brand that it has.
    """
    if await catalogue.find_brand(brand) is not None:
        return
    known = [row.id for row in await catalogue.list_brands()]
    near = difflib.get_close_matches(brand, known, n=1, cutoff=0.6)
    if near:
        hint = f"Did you mean {near[0]}?"
    elif known:
        hint = f"Known: {', '.join(known[:10])}{', …' if len(known) > 10 else ''}."  # noqa: PLR2004 - a line's worth
    else:
        hint = "There are none yet: see `adology brand add --help`."
    raise UnknownBrandError(f"brand {brand!r} is not in the catalogue.", hint=hint)


async def request_gathering(settings: AdologySettings, brands: Sequence[str]) -> list[GatherRequested]:
    """Send one request per brand to the gather queue."""
    from adology.aws import open_client  # noqa: PLC0415 - commands import when they run
    from adology.queues import GatherMessage, Sqs, encode  # noqa: PLC0415 - as above
    from adology.queues.admin import queue_names  # noqa: PLC0415 - as above

    made = [GatherRequested(brand=brand, request_id=f"cli:{brand}:{uuid.uuid4().hex}") for brand in brands]
    bodies = [encode(GatherMessage(brand=each.brand, request_id=each.request_id)) for each in made]
    async with open_client(settings.aws, "sqs") as client:
        await Sqs(client).send(queue_names(settings.queues)["gather"], bodies)
    return made


def load_quietly(settings: AdologySettings) -> Plugins:
    """The plugins. Failures are for the command to show; they are logged where a level was asked for."""
    from adology.log import logger, setup_logging  # noqa: PLC0415 - commands import when they run
    from adology.plugins import load_plugins  # noqa: PLC0415 - as above

    level = common().log_level
    if level is None:
        logger.remove()
    try:
        return load_plugins(only=settings.plugins.only, without=settings.plugins.without, trace=settings.plugins.trace)
    finally:
        setup_logging(level=level or "WARNING", style="text")


def parse_every(text: str) -> timedelta:
    """A length of time such as ``90s``, ``30m``, ``6h``, ``1d``.

    Raises:
        ValueError: it is none, or not above zero.
    """
    number, unit = text[:-1], text[-1:].lower()
    try:
        seconds = float(number) * UNITS[unit]
    except (KeyError, ValueError):
        seconds = 0.0
    if not 0 < seconds < timedelta.max.total_seconds():
        raise ValueError(f"{text!r} is no length of time; allowed: a number and s, m, h or d, such as 6h")
    return timedelta(seconds=seconds)
