"""The loaded sinks, in the order in which a batch meets them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from adology.abc.sink import CommitBatch, Role, Sink
from adology.context import Context
from adology.errors import ConfigError, describe
from adology.log import external_call, logger
from adology.plugins import LoadedPlugin
from adology.settings import AdologySettings, convert
from adology.types import Struct


class ReadySink(Struct, frozen=True, kw_only=True):
    """One sink with its context."""

    name: str
    role: Role
    sink: Sink[Any]
    context: Context[Any]


class Sinks:
    """Archive, documents, commit, followers. Use `async with`: it opens and closes the sinks."""

    def __init__(self, ready: Iterable[ReadySink]) -> None:
        self._ready = tuple(ready)
        self._opened: list[ReadySink] = []
        for role in ("archive", "commit"):
            names = [sink.name for sink in self._ready if sink.role == role]
            if len(names) != 1:
                raise ConfigError(
                    "plugins.only",
                    f"exactly one sink of role {role!r} is needed, found {', '.join(names) or 'none'}.",
                    "See `adology plugins list`.",
                )

    async def __aenter__(self) -> Self:
        try:
            for ready in self._ready:
                self._opened.append(ready)
                await ready.sink.open(ready.context)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._opened:
            ready = self._opened.pop()
            try:
                await ready.sink.close()
            except Exception as error:  # noqa: BLE001 - the others still want to be closed
                logger.bind(sink=ready.name, error=describe(error)).warning("sink did not close")

    async def archive(self, key: str, path: Path, content_type: str) -> bool:
        """Archive a file. True if stored now, False if the key was there already."""
        return await self._of("archive")[0].sink.put(key, path, content_type)

    async def write_documents(self, batch: CommitBatch) -> None:
        """Write what is reachable only through the commit."""
        await self._write("archive", batch)
        await self._write("documents", batch)

    async def write_commit(self, batch: CommitBatch) -> None:
        """Make the batch visible."""
        await self._write("commit", batch)

    async def tell_followers(self, batch: CommitBatch) -> None:
        """Tell sinks that only follow; their faults do not undo a commit."""
        for ready in self._of("follower"):
            try:
                async with external_call("sink", ready.name, batch=batch.id):
                    await ready.sink.write(ready.context, batch)
            except Exception as error:  # noqa: BLE001 - the batch is committed; the sink catches up by itself
                logger.bind(sink=ready.name, error=describe(error)).error("follower failed")

    async def _write(self, role: Role, batch: CommitBatch) -> None:
        for ready in self._of(role):
            async with external_call("sink", ready.name, batch=batch.id):
                await ready.sink.write(ready.context, batch)

    def _of(self, role: Role) -> list[ReadySink]:
        return [ready for ready in self._ready if ready.role == role]


def prepare_sinks(plugins: Iterable[LoadedPlugin], settings: AdologySettings) -> Sinks:
    """The sinks as a batch meets them.

    Raises:
        ConfigError: a sink's settings are wrong, or there is not exactly one archive and one commit.
    """
    return Sinks(ready_sinks(plugins, settings))


def ready_sinks(plugins: Iterable[LoadedPlugin], settings: AdologySettings) -> list[ReadySink]:
    """Instantiate sinks with their settings.

    Raises:
        ConfigError: a sink's settings are wrong.
    """
    ready = []
    for plugin in plugins:
        own = convert(
            settings.sinks.get(plugin.name, {}),
            plugin.settings_type,
            where="the settings",
            prefix=f"sinks.{plugin.name}.",
        )
        context = Context(plugin.name, own, engine=settings, section="sinks")
        ready.append(ReadySink(name=plugin.name, role=plugin.cls.role, sink=plugin.cls(), context=context))
    return ready
