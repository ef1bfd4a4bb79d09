"""``up``, ``down``, ``status``: the embedded servers and our own services on one machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adology.cli import output
from adology.cli.model import ServiceLine, StackStatus
from adology.cli.options import Json, answers, common, find_home, load
from adology.cli.stackview import StackView, show_status

if TYPE_CHECKING:
    from adology.embedded import Program, ServiceState, StackState
    from adology.settings.model import AdologySettings

SERVERS = ("postgres", "mongo", "aws")
WITH_PORT = (*SERVERS, "registry", "server")
DEFAULT_WORKERS = 2
_DRAIN_MARGIN_S = 10.0


@answers(StackStatus)
def up(
    *,
    only: Annotated[
        str, typer.Option(metavar="NAMES", help="Just these servers, by comma: postgres, mongo, aws. [default: all]")
    ] = "",
    workers: Annotated[int, typer.Option(min=0, max=64, help="Worker processes.")] = DEFAULT_WORKERS,
    port: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="Fixed port of a service; repeatable. [default: free ports, kept]"),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Longest wait until all is ready, seconds.")] = 120.0,
    json: Json = False,
) -> None:
    """Start the embedded servers and our processes: registry, REST server, steward, followers, task runner, workers.

    Returns when all are ready; they go on in the background, also after the terminal closes.
    Harmless when they already run. Data stays in the home folder.

    Example: `adology up --workers 4`
    """
    settings = load()
    names = _parse_only(only)
    ports = _parse_ports(port or [])
    state = start(settings, only=names, workers=workers, ports=ports, timeout=timeout)
    _warn_of_ports(state, ports)
    answer = describe_stack(state, Path(settings.home))
    if json:
        output.print_json(answer)
        return
    show_status(answer)
    if not only:
        output.hint("Next: adology ingest ./my-creatives --brand nike · adology status · adology down")


@answers(StackStatus)
def down(
    *,
    timeout: Annotated[float, typer.Option(min=1, help="Time for an orderly stop, seconds; then it is killed.")] = 60.0,
    json: Json = False,
) -> None:
    """Stop everything that `adology up` started, workers first; data stays.

    Example: `adology down`
    """
    from adology.embedded import read_state, stop_stack  # noqa: PLC0415 - commands import when they run

    home = find_home()
    was = read_state(home)
    with StackView("stopping", ends="stopped") as view:
        state = stop_stack(home, timeout=timeout, watch=view.show)
    if json:
        output.print_json(describe_stack(state, home))
    elif was.pid is None:
        output.hint(f"nothing runs in {home}")
    else:
        output.stdout().print(f"[green]stopped[/] {output.count(len(state.services), 'service')}; data is in {home}")


@answers(StackStatus)
def status(*, json: Json = False) -> None:
    """Show what runs: state, port, uptime and memory of each service.

    Exits with 0 when everything is ready and 1 otherwise.

    Example: `adology status --json`
    """
    from adology.embedded import read_state  # noqa: PLC0415 - commands import when they run

    home = find_home()
    state = read_state(home)
    answer = describe_stack(state, home)
    if json:
        output.print_json(answer)
    else:
        show_status(answer)
    if not state.is_ready:
        raise typer.Exit(1)


def start(
    settings: AdologySettings,
    *,
    only: tuple[str, ...] = (),
    workers: int = DEFAULT_WORKERS,
    ports: dict[str, int] | None = None,
    timeout: float = 120.0,
) -> StackState:
    """Start the stack with progress, and migrate its database. `only` means servers alone."""
    from adology.embedded import Options, start_stack  # noqa: PLC0415 - commands import when they run

    programs = [] if only else make_programs(settings, workers)
    with StackView("starting", ends="ready") as view:
        state = start_stack(
            Path(settings.home),
            only=only or SERVERS,
            programs=programs,
            options=Options(ports=ports or {}),
            timeout=timeout,
            watch=view.show,
        )
        if "postgres" in (only or SERVERS):
            _migrate()
    _warn_of_restarts(Path(settings.home))
    return state


def _warn_of_restarts(home: Path) -> None:
    """A worker that cannot live dies only after it counted as ready."""
    from adology.embedded import read_state  # noqa: PLC0415 - commands import when they run

    for service in read_state(home).services.values():
        if service.restarts or service.state == "restarting":
            output.warn(f"{service.name} died ({service.last_exit}) and is started again; its log is {service.log}")


def _warn_of_ports(state: StackState, ports: dict[str, int]) -> None:
    """A stack that runs already keeps its ports."""
    for name, number in ports.items():
        service = state.services.get(name)
        if service is None:
            output.warn(f"--port {name}={number} has no effect: {name} is not started")
        elif service.port != number:
            output.warn(f"{name} runs on port {service.port} already, not on {number}: `adology down` first")


def _migrate() -> None:
    """Settings are read anew: the addresses have only now been written."""
    from adology.migrations import migrate  # noqa: PLC0415 - commands import when they run
    from adology.settings import resolve_secret  # noqa: PLC0415 - as above

    migrate(resolve_secret(load().postgres.url, setting="postgres.url"))


def make_programs(settings: AdologySettings, workers: int) -> list[Program]:
    """Our services as the supervisor runs them; each migrates the database before it works."""
    from adology.embedded import Program  # noqa: PLC0415 - commands import when they run

    config = common().config
    env = {"ADOLOGY_CONFIG": str(config.absolute())} if config is not None else {}
    command = (sys.executable, "-m", "adology.cli")
    level = common().log_level
    tail = ("--log-level", level) if level else ()
    programs = [
        Program(
            name="registry",
            argv=(*command, "registry", "--host", "127.0.0.1", "--port", "{port}", *tail),
            env=env,
            port=0,
            health="/healthz",
            settings={"registry.url": "http://127.0.0.1:{port}"},
        )
    ]
    programs.append(
        Program(
            name="server",
            argv=(*command, "server", "--migrate", "--host", "127.0.0.1", "--port", "{port}", *tail),
            env=env,
            port=_server_port(settings),
            health="/healthz",
            grace_s=settings.server.drain_s + _DRAIN_MARGIN_S,
            settings={"server.public_url": "http://127.0.0.1:{port}"},
        )
    )
    after = (*SERVERS, "registry")
    grace_s = settings.worker.drain_s + _DRAIN_MARGIN_S
    for name in ("steward", "follow", "tasks", *(f"worker-{n}" for n in range(1, workers + 1))):
        role = name.partition("-")[0]
        argv = (*command, role, "--migrate", *tail)
        programs.append(Program(name=name, argv=argv, env=env, after=after, grace_s=grace_s))
    return programs


def _server_port(settings: AdologySettings) -> int:
    """The settings' port; 0, a free one that is kept, where somebody else has it."""
    from adology.embedded.ports import find_holder, is_free  # noqa: PLC0415 - commands import when they run

    port = settings.server.port
    if port == 0 or is_free(port):
        return port
    holder = find_holder(port)
    output.warn(f"port {port} is in use{f' by {holder}' if holder else ''}: the server takes a free one")
    return 0


def describe_stack(state: StackState, home: Path) -> StackStatus:
    """The state as it is printed, with what the living processes say about themselves."""
    import time  # noqa: PLC0415 - commands import when they run

    lines = [
        ServiceLine(
            name=service.name,
            state=service.state,
            pid=service.pid,
            port=service.port if service.pid is not None else None,
            restarts=service.restarts,
            up_s=round(time.time() - service.ready_at, 1) if service.ready_at and service.state == "ready" else None,
            memory_bytes=_memory(service.pid) if service.pid is not None else None,
            error=service.error or ("" if service.state == "ready" or _is_clean(service) else service.last_exit),
            log=service.log,
        )
        for service in state.services.values()
    ]
    return StackStatus(state=state.state, home=str(home), pid=state.pid, services=lines, warnings=state.warnings)


def _is_clean(service: ServiceState) -> bool:
    """Whether the service ended as it was told to."""
    return service.state == "stopped" and service.last_exit == "stopped"


def _memory(pid: int) -> int | None:
    """Resident bytes of a process and its children."""
    import psutil  # noqa: PLC0415 - commands import when they run

    try:
        process = psutil.Process(pid)
        return sum(int(p.memory_info().rss) for p in (process, *process.children(recursive=True)))
    except psutil.Error:
        return None


def _parse_only(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [name for name in names if name not in SERVERS]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is no embedded server; allowed: {', '.join(SERVERS)}")
    return names


def _parse_ports(given: list[str]) -> dict[str, int]:
    ports: dict[str, int] = {}
    for text in given:
        name, _, number = text.partition("=")
        if not name or not number.isdigit() or not 0 < int(number) < 2**16:
            raise typer.BadParameter(f"--port {text!r} is not NAME=NUMBER, such as postgres=5433")
        if name not in WITH_PORT:
            raise typer.BadParameter(
                f"--port {text!r}: no service {name!r} has a port; allowed: {', '.join(WITH_PORT)}"
            )
        ports[name] = int(number)
    return ports
