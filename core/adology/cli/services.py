"""The processes that do the work, one command each: registry, worker, steward, follow, server, tasks."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adology.cli.options import common, load
from adology.settings.model import QUEUE_ROLES

if TYPE_CHECKING:
    from adology.settings.model import AdologySettings

Migrate = Annotated[bool, typer.Option("--migrate", help="Bring the database to the newest revision first.")]


def registry(
    *,
    host: Annotated[str | None, typer.Option(help="Interface to listen on. [default: registry.host]")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one. [default: registry.port]"),
    ] = None,
) -> None:
    """Run the Active Brand Registry until SIGTERM.

    Example: `adology registry --port 8700`
    """
    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = _prepare("registry", migrate=False, **({"registry": given} if given else {}))
    from adology_registry.service import serve  # noqa: PLC0415 - this process alone needs it

    # `serve` listens to signals itself, and logs its address.
    with _runner() as runner:
        runner.run(serve(settings))


def worker(
    *,
    queues: Annotated[str, typer.Option(metavar="NAMES", help="Queues to serve, by comma.")] = ",".join(QUEUE_ROLES),
    processes: Annotated[int, typer.Option(min=1, max=256, help="Worker processes; a crashed one is restarted.")] = 1,
    migrate: Migrate = False,
) -> None:
    """Run a worker until SIGTERM; what is in work is finished or handed back.

    Exits with 1 when something had to be abandoned.

    Example: `adology worker --queues gather,acquire --processes 4`
    """
    names = _parse_queues(queues)
    settings = _prepare("worker", migrate=migrate)
    if processes > 1:
        from adology.cli.processes import supervise  # noqa: PLC0415 - one process needs no supervisor

        arguments = ["worker", "--queues", ",".join(names), *_pass_on()]

        async def watch(stop: asyncio.Event) -> None:
            if await supervise(arguments, processes, stop, grace_s=settings.worker.drain_s + 10.0):
                raise typer.Exit(1)

        run_service(watch)
        return
    from adology.runtime.worker import run_worker  # noqa: PLC0415 - this process alone needs it

    async def work(stop: asyncio.Event) -> None:
        if await run_worker(settings, names, stop):
            raise typer.Exit(1)

    run_service(work)


def steward(*, migrate: Migrate = False) -> None:
    """Run the steward until SIGTERM: due refreshes, repair of stalled batches, unsent messages.

    Example: `adology steward`
    """
    settings = _prepare("steward", migrate=migrate)
    from adology.runtime.steward import run_steward  # noqa: PLC0415 - this process alone needs it

    run_service(lambda stop: run_steward(settings, stop))


def follow(*, migrate: Migrate = False) -> None:
    """Keep what is derived from commits in step with them, until SIGTERM: indexes for similarity.

    Example: `adology follow`
    """
    settings = _prepare("follow", migrate=migrate)
    from adology.runtime.followers import run_followers  # noqa: PLC0415 - this process alone needs it

    run_service(lambda stop: run_followers(settings, stop))


def server(
    *,
    host: Annotated[str | None, typer.Option(help="Interface to listen on. [default: server.host]")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one. [default: server.port]"),
    ] = None,
    roles: Annotated[
        str | None, typer.Option(metavar="NAMES", help="What to serve, by comma: api, live. [default: server.roles]")
    ] = None,
    migrate: Migrate = False,
) -> None:
    """Run the REST and WebSocket server until SIGTERM; requests and sockets under way are ended in order.

    Example: `adology server --port 8000 --roles api`
    """
    given: dict[str, Any] = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    if roles is not None:
        given["roles"] = [part.strip() for part in roles.split(",") if part.strip()]
    settings = _prepare("server", migrate=migrate, **({"server": given} if given else {}))
    from adology_server.service import serve  # noqa: PLC0415 - this process alone needs it

    # `serve` listens to signals itself, and logs its address.
    with _runner() as runner:
        runner.run(serve(settings))


def tasks(*, migrate: Migrate = False) -> None:
    """Do what the server's clients have asked for and takes long, until SIGTERM; tell news of brands.

    Exits with 1 when something had to be abandoned.

    Example: `adology tasks`
    """
    settings = _prepare("tasks", migrate=migrate)
    from adology_server.tasks.runner import run_tasks  # noqa: PLC0415 - this process alone needs it

    async def work(stop: asyncio.Event) -> None:
        if await run_tasks(settings, stop):
            raise typer.Exit(1)

    run_service(work)


def run_service(work: Callable[[asyncio.Event], Awaitable[Any]]) -> None:
    """Run `work` on its own loop; SIGTERM and SIGINT set its stop event."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, stop.set)
        await work(stop)

    with _runner() as runner:
        runner.run(main())


def _runner() -> asyncio.Runner:
    import uvloop  # noqa: PLC0415 - commands import when they run

    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def _prepare(service: str, *, migrate: bool, **overrides: Any) -> AdologySettings:
    from adology.log import setup_logging  # noqa: PLC0415 - commands import when they run
    from adology.settings import resolve_secret  # noqa: PLC0415 - as above

    settings = load(**overrides)
    setup_logging(level=common().log_level or settings.log.level, style=settings.log.format, service=service)
    if migrate:
        from adology.migrations import migrate as bring_up  # noqa: PLC0415 - SQLAlchemy is for migrations alone

        bring_up(resolve_secret(settings.postgres.url, setting="postgres.url"))
    return settings


def _parse_queues(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [name for name in names if name not in QUEUE_ROLES]
    if unknown or not names:
        raise typer.BadParameter(f"--queues {text!r} is not one or more of {', '.join(QUEUE_ROLES)}, by comma")
    return names


def _pass_on() -> list[str]:
    """The common options for our own children."""
    given = common()
    options = {"--config": given.config, "--home": given.home, "--log-level": given.log_level}
    return [part for name, value in options.items() if value is not None for part in (name, str(value))]
