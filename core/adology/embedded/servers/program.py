"""Services of ours (registry, steward, workers), run from plain command lines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from adology.embedded.home import Home
from adology.embedded.model import Program
from adology.embedded.servers.base import Server
from adology.embedded.servers.tcp import fetch_status, wait_listening

_OK = range(200, 300)


class ProgramServer(Server):
    """A `Program` as the supervisor sees it."""

    def __init__(self, program: Program, home: Home, port: int | None, servers: tuple[str, ...]) -> None:
        super().__init__(program.name, home, port)
        self.program = program
        self.grace_s = program.grace_s
        self.after = program.after or servers

    def command(self) -> list[str]:
        """The program's own, with its port filled in."""
        return [self._fill(part) for part in self.program.argv]

    def environment(self) -> Mapping[str, str]:
        """That of whoever started the stack, plus the program's own additions."""
        extra = {key: self._fill(value) for key, value in self.program.env.items()}
        return {**self.home.program_environment(), **extra}

    @property
    def cwd(self) -> Path:
        """Where the stack was started: relative paths in settings mean that folder."""
        return self.home.working_folder

    async def probe(self) -> None:
        """A 2xx answer of the health path, else an open port, else a little life."""
        if self.port is None:
            await asyncio.sleep(self.program.settle_s)
            return
        await wait_listening(self.port)
        if self.program.health:
            status = await fetch_status(self.port, self.program.health)
            if status not in _OK:
                raise ConnectionError(f"{self.program.health} answered {status}")

    def settings(self) -> dict[str, str]:
        """What the program says about where it is."""
        return {key: self._fill(value) for key, value in self.program.settings.items()}

    def _fill(self, text: str) -> str:
        return text.replace("{port}", str(self.port or 0)).replace("{home}", str(self.home.root))
