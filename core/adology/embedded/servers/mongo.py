"""A MongoDB-wire server on WiredTiger, always as a process of its own (its licence is the GPL)."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from adology.embedded.home import Home, write_private
from adology.embedded.logs import read_tail
from adology.embedded.ports import HOST, choose_port
from adology.embedded.processes import stop_child
from adology.embedded.servers.base import Server, check_installed
from adology.embedded.servers.tcp import wait_listening
from adology.embedded.spawn import server_environment, spawn
from adology.errors import StackError

_USER = "adology"
_FIRST_START_S = 40.0
_ALREADY_EXISTS = 51003


class MongoServer(Server):
    """Every commit is synced: without that, a killed server loses acknowledged writes."""

    package = "secantus"
    distribution = "secantusdb"
    grace_s = 15.0

    def __init__(self, name: str, home: Home, port: int | None) -> None:
        super().__init__(name, home, port)
        self.folder = home.root / "mongo"
        self.data = self.folder / "data"
        self._user_made = self.folder / "user-made"
        self._config = home.run / "mongo.toml"

    async def prepare(self) -> None:
        """Create the user when there is none: the server lets that happen only without ``--auth``."""
        check_installed(type(self), "mongo")
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        # An explicit file keeps the server from reading one that lies about in the system.
        write_private(self._config, b'[server]\nlog_level = "INFO"\n')
        if not self._user_made.exists():
            await self._create_user()
            self._user_made.touch(mode=0o600)

    def command(self) -> list[str]:
        """The server with password and synced commits."""
        return [*self._base_command(self.port or 0), "--auth"]

    async def probe(self) -> None:
        """A ping as the application's user."""
        await wait_listening(self.port or 0)
        client = _open(self.settings()["mongo.url"])
        try:
            await client.admin.command("ping")
            await client["adology"].command({"count": "probe"})
        finally:
            await client.close()

    def settings(self) -> dict[str, str]:
        """The application's address."""
        password = self.home.get_password("mongo")
        return {
            # directConnection: the server names itself a replica set under an address of its own.
            "mongo.url": f"mongodb://{_USER}:{password}@{HOST}:{self.port}/?authSource=admin&directConnection=true"
        }

    def _base_command(self, port: int) -> list[str]:
        return [
            sys.executable,
            "-P",
            "-m",
            "secantus",
            f"--config={self._config}",
            f"--host={HOST}",
            f"--port={port}",
            f"--storage-path={self.data}",
            "--cache-size=256M",
            "--sync-on-commit",
        ]

    async def _create_user(self) -> None:
        """Start once without password, on a port that nobody knows, and add the user."""
        port = choose_port({self.port or 0})
        log = self.home.log("mongo-init")
        process = await spawn(self._base_command(port), log=log, cwd=self.cwd, env=server_environment(self.home.root))
        ended = asyncio.create_task(process.wait())
        made = asyncio.create_task(self._add_user(port))
        try:
            await asyncio.wait({ended, made}, timeout=_FIRST_START_S, return_when=asyncio.FIRST_COMPLETED)
            if not made.done():
                raise StackError(
                    f"the embedded mongo server did not come up for its first start:\n{read_tail(log)}",
                    hint=f"The whole log is {log}.",
                    code="ADO-5506",
                )
            made.result()
        finally:
            made.cancel()
            await stop_child(process, self.stop_signal, self.grace_s)
            await asyncio.gather(ended, made, return_exceptions=True)

    async def _add_user(self, port: int) -> None:
        await wait_listening(port)
        client = _open(f"mongodb://{HOST}:{port}/?directConnection=true")
        password = self.home.get_password("mongo")
        try:
            with contextlib.suppress(_AlreadyThereError):
                await _create(client, password)
                return
            await client.admin.command({"updateUser": _USER, "pwd": password})
        finally:
            await client.close()


class _AlreadyThereError(Exception):
    pass


async def _create(client: AsyncMongoClient[dict[str, Any]], password: str) -> None:
    try:
        await client.admin.command({"createUser": _USER, "pwd": password, "roles": ["root"]})
    except OperationFailure as error:
        if error.code == _ALREADY_EXISTS or "already exists" in str(error):
            raise _AlreadyThereError from error
        raise


def _open(url: str) -> AsyncMongoClient[dict[str, Any]]:
    return AsyncMongoClient(url, serverSelectionTimeoutMS=3000, connectTimeoutMS=3000, socketTimeoutMS=5000)
