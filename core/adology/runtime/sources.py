"""Configured sources: a name in the settings, a plugin, its own settings, shared HTTP and pacing."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any, ClassVar, NoReturn

from adology.abc.source import Source
from adology.context import Context
from adology.errors import ConfigError
from adology.http import HttpClient, Pacers
from adology.log import logger
from adology.money.calls import Payer, Purse
from adology.plugins import Plugins
from adology.plugins.validate import NoSettings
from adology.settings import AdologySettings, convert
from adology.types import Ad, Advertiser, Brand, Media, Page


class ReadySource:
    """One source instance; implements `adology.engine.ports.SourceInstance`."""

    def __init__(
        self, name: str, source: Source[Any, Any], settings: Any, cursor_type: Any, http: HttpClient, pacers: Pacers
    ) -> None:
        self.name = name
        self.source = source
        self.settings = settings
        self.cursor_type = cursor_type
        self._http = http
        self._pacers = pacers

    def context(
        self, *, resume: str | None = None, purse: Purse | None = None, payer: Payer | None = None
    ) -> Context[Any]:
        """A context for one gathering or look-up; pacing is shared with every other one of this process."""
        return Context(
            self.name,
            self.settings,
            http=self._http,
            pacers=self._pacers,
            resume=resume,
            purse=purse,
            payer=payer,
        )


class BrokenSource(Source[None, None]):
    """Stands where a source cannot be set up: its brands' batches then say why."""

    name: ClassVar[str] = "broken"
    version: ClassVar[int] = 1

    def __init__(self, problem: ConfigError) -> None:
        self._problem = problem

    async def check(self, ctx: Context[None]) -> None:  # noqa: ARG002 - the interface's
        """Raise the problem."""
        self._fail()

    async def pages(self, ctx: Context[None], brand: Brand, since: None) -> AsyncIterator[Page[None]]:  # noqa: ARG002
        """Raise the problem."""
        self._fail()
        yield Page(ads=())

    async def resolve(self, ctx: Context[None], ad: Ad, media: Media) -> Media | None:  # noqa: ARG002
        """Nothing can be resolved."""
        return None

    async def find_handles(self, ctx: Context[None], name: str, domain: str) -> tuple[Advertiser, ...] | None:  # noqa: ARG002
        """Raise the problem."""
        self._fail()

    def _fail(self) -> NoReturn:
        raise self._problem


def prepare_sources(plugins: Plugins, settings: AdologySettings, http: HttpClient) -> dict[str, ReadySource]:
    """The instances that `settings.sources` names, and every plugin under its own name.

    One whose settings are wrong, or whose plugin is not there, becomes a `BrokenSource`: gathering
    it fails with the reason, and the others work.
    """
    pacers = Pacers(time.monotonic)
    names = {**{plugin.name: {} for plugin in plugins.of_kind("source")}, **settings.sources}
    ready: dict[str, ReadySource] = {}
    for name, fields in names.items():
        own = {key: value for key, value in fields.items() if key != "plugin"}
        wanted = str(fields.get("plugin", name))
        try:
            plugin = plugins.find("source", wanted)
            if plugin is None:
                known = ", ".join(p.name for p in plugins.of_kind("source")) or "none"
                raise ConfigError(  # noqa: TRY301 - one way out for both faults
                    f"sources.{name}.plugin",
                    f"there is no source plugin {wanted!r} (installed: {known}).",
                    "See `adology plugins list` for plugins that failed to load.",
                    code="ADO-1006",
                )
            converted = convert(own, plugin.settings_type, where="the settings", prefix=f"sources.{name}.")
            ready[name] = ReadySource(name, plugin.cls(), converted, plugin.cursor_type, http, pacers)
        except ConfigError as error:
            if name in settings.sources:
                logger.bind(source=name, error=str(error)).error("source cannot be used")
            ready[name] = ReadySource(name, BrokenSource(error), NoSettings(), None, http, pacers)
    return ready
