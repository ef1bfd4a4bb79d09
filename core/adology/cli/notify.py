"""``notify``: what a worker of somebody else's did, told to the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, get_args

import msgspec
import typer

from adology.cli.options import load

if TYPE_CHECKING:
    from adology.notify import Notifier, Status


def notify(
    request_id: Annotated[str | None, typer.Argument(metavar="[REQUEST_ID]", help="Of the task.")] = None,
    status: Annotated[str | None, typer.Argument(metavar="[STATUS]", help="processing, completed or failed.")] = None,
    *,
    result: Annotated[str | None, typer.Option(metavar="JSON", help="What came of it, 32 KiB at most.")] = None,
    progress: Annotated[str | None, typer.Option(metavar="JSON", help="How far it is, an object.")] = None,
    error: Annotated[str | None, typer.Option(metavar="TEXT", help="Why it failed.")] = None,
    brand: Annotated[str | None, typer.Option(metavar="ID", help="Instead of a task: a brand has new ads.")] = None,
    batch: Annotated[str | None, typer.Option(metavar="ID", help="What brought them; each is told once.")] = None,
    ads: Annotated[int | None, typer.Option(min=1, help="How many new public ads.")] = None,
) -> None:
    """Tell the server how a task stands, or that a brand has new ads.

    For workers that do not write into the server's database. `server.notify_url` and `server.notify_key` say
    where and by which key; the server's absence is waited out for a minute.

    Example: `adology notify 2f1c9a52-3a0e-4a53-9c39-5a1d8a9f7b10 completed --result '{"ads": 40}'`
    """
    from adology.notify import Notifier, Status  # noqa: PLC0415 - commands import when they run

    about_task, about_brand = (request_id, status), (brand, batch, ads)
    if None not in about_brand and not any((*about_task, result, progress, error)):
        asyncio.run(_new_ads(Notifier.of(load()), *about_brand))  # type: ignore[arg-type]  # none is None
        return
    if None in about_task or any(about_brand):
        raise typer.BadParameter("give REQUEST_ID and STATUS, or --brand, --batch and --ads")
    if status not in get_args(Status):
        raise typer.BadParameter(f"STATUS {status!r} is none of {', '.join(get_args(Status))}")
    more = {"result": _json("--result", result), "progress": _json("--progress", progress), "error": error}
    asyncio.run(_task(Notifier.of(load()), str(request_id), status, more))  # type: ignore[arg-type]  # checked


async def _task(notifier: Notifier, request_id: str, status: Status, more: dict[str, Any]) -> None:
    async with notifier as server:
        await server.task(request_id, status, **more)


async def _new_ads(notifier: Notifier, brand: str, batch: str, ads: int) -> None:
    async with notifier as server:
        await server.new_ads(brand, batch, ads)


def _json(option: str, text: str | None) -> Any:
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"{option} is no JSON: {error}") from error
