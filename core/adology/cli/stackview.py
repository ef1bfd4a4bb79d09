"""How a stack looks: live while it starts or stops, as a table afterwards."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from adology.cli import output
from adology.cli.model import StackStatus

if TYPE_CHECKING:
    from adology.embedded import StackState

_DONE = {"ready": ("✓", "green"), "failed": ("✗", "bold red"), "stopped": ("✓", "green")}


class StackView:
    """Shows each state it is given: redrawn on a terminal, else a line when a service is done."""

    def __init__(self, verb: str, *, ends: str) -> None:
        self._verb = verb
        self._ends = ends
        self._console = output.stderr()
        self._started = time.monotonic()
        self._done: dict[str, float] = {}
        self._live = Live(console=self._console, refresh_per_second=10, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, state: StackState) -> None:
        """Draw the state."""
        for service in state.services.values():
            if service.state in (self._ends, "failed") and service.name not in self._done:
                self._done[service.name] = time.monotonic() - self._started
                if not self._console.is_terminal:
                    port = f" on port {service.port}" if service.port and service.state == "ready" else ""
                    self._console.print(
                        f"{self._done[service.name]:5.1f} s  {service.name} is {service.state}{port}", markup=False
                    )
            elif service.state not in (self._ends, "failed"):
                self._done.pop(service.name, None)
        if self._console.is_terminal:
            self._live.update(self._draw(state))

    def _draw(self, state: StackState) -> Group:
        rows = Table.grid(padding=(0, 2))
        for service in state.services.values():
            done = self._done.get(service.name)
            mark, style = _DONE.get(service.state, ("", "cyan")) if done is not None else ("", "cyan")
            port = f":{service.port}" if service.port else ""
            rows.add_row(
                Text(mark, style=style) if mark else Spinner("dots", style="cyan"),
                output.cell(service.name),
                output.state(service.state),
                output.cell(port, "dim"),
                output.cell(output.span(done) if done is not None else service.error, "dim"),
            )
        elapsed = output.span(time.monotonic() - self._started)
        return Group(Text.assemble((f"{self._verb} ", "bold"), (elapsed, "dim")), rows)


def show_status(answer: StackStatus) -> None:
    """Print the table of services."""
    console = output.stdout()
    title = Text.assemble(("Adology ", "bold"), output.state(answer.state), (f"  {answer.home}", "dim"))
    console.print(title, soft_wrap=True)
    if not answer.services:
        console.print(output.cell("Nothing was started here yet. Run `adology up`.", "dim"))
        return
    numbers = ("port", "pid", "restarts", "up", "memory")
    made = output.table("service", "state", *numbers, right=numbers)
    for service in answer.services:
        made.add_row(
            output.cell(service.name),
            output.state(service.state),
            output.cell(service.port or ""),
            output.cell(service.pid or "", "dim"),
            output.cell(service.restarts or "", "yellow"),
            output.cell(output.span(service.up_s) if service.up_s is not None else ""),
            output.cell(output.amount(service.memory_bytes) if service.memory_bytes else ""),
        )
    console.print(made)
    for service in answer.services:
        if service.error:
            console.print(output.cell(f"{service.name}: {service.error} (log {service.log})", "red"), soft_wrap=True)
    for warning in answer.warnings:
        output.warn(warning)
