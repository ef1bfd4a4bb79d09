"""A vendor that is away in the middle of a batch: the batch commits, and what was put off is made later."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adology import AdItem, Analyzer, Context, MediaItem, RetryLater, Struct
from adology.errors import Retry
from adology.plugins import LoadedPlugin, Plugins
from adology.plugins.validate import NoSettings
from adology.settings import AdologySettings
from tests.system import rig

DUE_S = 2.0


class Said(Struct, frozen=True, kw_only=True):
    bytes_read: int = 0
    about: str = ""


class Vendor:
    """Whether it answers, and how often it was asked with success for each subject."""

    def __init__(self) -> None:
        self.answer: Exception | None = None
        self.paid: dict[str, int] = {}

    def ask(self, subject: str) -> None:
        if self.answer is not None:
            raise self.answer
        self.paid[subject] = self.paid.get(subject, 0) + 1


VENDOR = Vendor()


class PaidMedia(Analyzer[None, Said]):
    name, version, accepts = "paid_media", 1, ("image",)

    def analyze(self, ctx: Context[None], item: MediaItem) -> Said:  # noqa: ARG002 - the interface's
        VENDOR.ask(item.sha256)
        return Said(bytes_read=len(item.path.read_bytes()))


class PaidCopy(Analyzer[None, Said]):
    name, version, accepts, uses = "paid_copy", 1, ("ad",), ("copy",)

    async def analyze(self, ctx: Context[None], item: AdItem) -> Said:  # noqa: ARG002 - the interface's
        VENDOR.ask(item.ad.copy_hash())
        return Said(about=",".join(item.results))


def with_paid() -> Plugins:
    own = [
        LoadedPlugin(
            kind="analyzer", name=cls.name, version=1, cls=cls, entry_point=cls.name, distribution="tests",
            distribution_version="1", settings_type=NoSettings, result_type=Said,
        )
        for cls in (PaidMedia, PaidCopy)
    ]  # fmt: skip
    return Plugins([*rig.plugins().loaded, *own], ())


@pytest.fixture(autouse=True)
def _fresh_vendor() -> None:
    VENDOR.answer = None
    VENDOR.paid = {}


def states(settings: AdologySettings) -> dict[tuple[str, str], int]:
    """How many analyses of the paid analyzers are in which state."""
    found = rig.rows(settings, "select analyzer, state, count(*) from analyses where analyzer ~ '^paid' group by 1, 2")
    return {(analyzer, state): count for analyzer, state, count in found}


def links(settings: AdologySettings) -> tuple[int, int]:
    """Assets and ads that have the result of a paid analyzer."""
    (assets,) = rig.rows(settings, "select count(*) from asset_analyses where analyzer = 'paid_media'")
    (ads,) = rig.rows(settings, "select count(*) from ad_analyses where analyzer = 'paid_copy'")
    return assets[0], ads[0]


@pytest.mark.parametrize("fault", [RetryLater(DUE_S, "429: slow down"), Retry("503: no answer", after=DUE_S)])
def test_the_batch_commits_without_it_and_it_is_made_by_itself_when_the_vendor_is_back(
    settings: AdologySettings, tmp_path: Path, fault: Exception
) -> None:
    async def scenario() -> None:
        files = rig.draw_ads(tmp_path / "ads", 8)
        VENDOR.answer = fault
        async with rig.living(settings, loaded=with_paid()) as engine:
            await rig.add_brand(engine, tmp_path / "ads")
            await rig.ask(engine, "first")
            batch = await rig.wait_ended(engine, "first")
            await rig.check_promises(engine, batch, {path.as_uri() for path in files})
            assert batch.counts["assets"] == 8
            assert VENDOR.paid == {}
            assert {state for _, state in states(settings)} <= {"deferred", "pending"}
            assert links(settings) == (0, 0)
            VENDOR.answer = None
            await rig.wait_until(
                lambda: states(settings) == {("paid_media", "done"): 8, ("paid_copy", "done"): 1},
                "all analyses made",
                timeout_s=40,
            )
            await rig.wait_until(lambda: links(settings) == (8, 9), "all results linked")
            assert list(VENDOR.paid.values()) == [1] * 9, "eight pictures, and one copy that all ads have: none"

    asyncio.run(scenario())
