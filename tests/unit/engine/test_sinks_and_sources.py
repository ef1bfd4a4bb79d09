"""Which sinks and sources an engine works with, and what it says when it cannot."""
# ruff: noqa: ARG002 - the interface's signatures

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adology import Ad, Brand, CommitBatch, Context, Media, Page, Settings, Sink, Source
from adology.engine.sinks import ReadySink, Sinks, prepare_sinks
from adology.errors import ConfigError
from adology.http import HttpClient
from adology.plugins import LoadedPlugin, Plugins
from adology.runtime.sources import BrokenSource, prepare_sources
from adology.settings import AdologySettings

LOG: list[str] = []


class Options(Settings, frozen=True, kw_only=True):
    size: int = 1


class Noted(Sink[Options]):
    """Notes what happens to it."""

    version = 1
    fault: Exception | None = None

    async def open(self, ctx: Context[Options]) -> None:
        LOG.append(f"open {ctx.plugin}")
        if self.fault is not None:
            raise self.fault

    async def close(self) -> None:
        LOG.append("close")
        if self.fault is not None:
            raise OSError("nor does it close")

    async def write(self, ctx: Context[Options], batch: CommitBatch) -> None:
        LOG.append(f"write {ctx.plugin}")
        if self.fault is not None:
            raise self.fault

    async def put(self, key: str, path: Path, content_type: str) -> bool:
        LOG.append(f"put {key}")
        return True


def make_sink(name: str, role: str, fault: Exception | None = None) -> ReadySink:
    sink = Noted()
    sink.fault = fault
    return ReadySink(name=name, role=role, sink=sink, context=Context(name, Options()))  # type: ignore[arg-type]  # a role


def make_plugin(kind: str, name: str, cls: type[Any], settings_type: type[Any] = Options) -> LoadedPlugin:
    return LoadedPlugin(
        kind=kind, name=name, version=1, cls=cls, entry_point=name, distribution="d",  # type: ignore[arg-type]  # a kind
        distribution_version="1", settings_type=settings_type, cursor_type=int,
    )  # fmt: skip


ALL = (("s3", "archive"), ("mongo", "documents"), ("postgres", "commit"), ("search", "follower"))


@pytest.fixture(autouse=True)
def log() -> list[str]:
    LOG.clear()
    return LOG


@pytest.mark.parametrize(
    ("sinks", "role", "found"),
    [
        ([("p", "commit")], "archive", "none"),
        ([("s", "archive")], "commit", "none"),
        ([("s", "archive"), ("p", "commit"), ("q", "commit")], "commit", "p, q"),
        ([("s", "archive"), ("t", "archive"), ("p", "commit")], "archive", "s, t"),
        ([], "archive", "none"),
    ],
)
def test_exactly_one_archive_and_one_commit_are_needed(sinks: list[tuple[str, str]], role: str, found: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Sinks(make_sink(name, its) for name, its in sinks)
    assert str(caught.value) == (
        f"setting plugins.only: exactly one sink of role '{role}' is needed, found {found}. See `adology plugins list`."
    )


def test_a_batch_meets_the_sinks_in_commit_order(log: list[str]) -> None:
    async def scenario() -> None:
        batch: Any = type("Batch", (), {"id": "b1"})
        async with Sinks(make_sink(name, role) for name, role in reversed(ALL)) as sinks:
            assert await sinks.archive("assets/a", Path("a"), "image/png")
            await sinks.write_documents(batch)
            await sinks.write_commit(batch)
            await sinks.tell_followers(batch)

    asyncio.run(scenario())
    assert [line for line in log if not line.startswith(("open", "close"))] == [
        "put assets/a",
        "write s3",
        "write mongo",
        "write postgres",
        "write search",
    ]


def test_a_follower_that_fails_undoes_nothing(log: list[str]) -> None:
    async def scenario() -> None:
        batch: Any = type("Batch", (), {"id": "b1"})
        sinks = Sinks(
            [make_sink("s3", "archive"), make_sink("p", "commit"), make_sink("f", "follower", ValueError("it")),
             make_sink("g", "follower")]
        )  # fmt: skip
        await sinks.tell_followers(batch)

    asyncio.run(scenario())
    assert log == ["write f", "write g"]


def test_sinks_that_were_opened_are_closed_when_a_later_one_does_not_open(log: list[str]) -> None:
    async def scenario() -> None:
        sinks = Sinks([make_sink("s3", "archive"), make_sink("p", "commit", ConfigError("sinks.p.url", "is wrong"))])
        async with sinks:
            raise AssertionError("not reached")

    with pytest.raises(ConfigError, match=r"sinks\.p\.url"):
        asyncio.run(scenario())
    assert log == ["open s3", "open p", "close", "close"]


def test_a_sinks_wrong_setting_is_named() -> None:
    plugins = [make_plugin("sink", "files", Noted)]
    with pytest.raises(ConfigError) as caught:
        prepare_sinks(plugins, AdologySettings(sinks={"files": {"sizes": 3}}))
    assert "sinks.files.sizes" in str(caught.value)
    assert "Did you mean" in str(caught.value)


class Library(Source[Options, int]):
    name, version = "library", 1

    async def pages(self, ctx: Context[Options], brand: Brand, since: int | None) -> AsyncIterator[Page[int]]:
        yield Page(ads=(Ad(id="1"),))


def prepared(**sources: dict[str, Any]) -> dict[str, Any]:
    plugins = Plugins([make_plugin("source", "library", Library), make_plugin("source", "unused", Library)], [])
    return dict(prepare_sources(plugins, AdologySettings(sources=sources), HttpClient()))


def problem_of(instance: Any) -> str:
    async def scenario() -> None:
        await instance.source.check(instance.context())

    with pytest.raises(ConfigError) as caught:
        asyncio.run(scenario())
    return str(caught.value)


def test_every_plugin_is_an_instance_under_its_own_name_and_settings_add_more() -> None:
    found = prepared(second={"plugin": "library", "size": 9})
    assert set(found) == {"library", "unused", "second"}
    assert (found["second"].settings, found["library"].settings) == (Options(size=9), Options(size=1))
    assert found["second"].context().plugin == "second"
    assert found["second"].context(resume="token").resume == "token"


def test_a_source_whose_plugin_is_not_installed_says_so_when_it_is_used() -> None:
    found = prepared(ghost={"plugin": "ghostly"})
    assert isinstance(found["ghost"].source, BrokenSource)
    assert problem_of(found["ghost"]) == (
        "setting sources.ghost.plugin: there is no source plugin 'ghostly' (installed: library, unused). "
        "See `adology plugins list` for plugins that failed to load."
    )


def test_a_source_with_a_wrong_setting_says_so_and_the_others_work() -> None:
    found = prepared(library={"size": "large"}, second={"plugin": "library"})
    assert "sources.library.size" in problem_of(found["library"])
    assert isinstance(found["second"].source, Library)


def test_a_broken_source_fails_its_gathering_and_resolves_nothing() -> None:
    broken = prepared(library={"sizes": 3})["library"]

    async def gather() -> None:
        async for _ in broken.source.pages(broken.context(), Brand(id="nike"), None):
            raise AssertionError("it has no pages")

    with pytest.raises(ConfigError, match=r"sources\.library\.sizes"):
        asyncio.run(gather())
    media = Media(url="https://x/1")
    assert asyncio.run(broken.source.resolve(broken.context(), Ad(id="1"), media)) is None
