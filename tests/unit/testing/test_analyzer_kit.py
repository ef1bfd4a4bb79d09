from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from PIL import Image

from adology import AdItem, Analyzer, BrandItem, Context, MediaItem, Retry, Settings, Skip, Struct, Terminal
from adology.errors import AdologyError
from adology.testing import AnalyzerConformance, list_checks
from adology.testing.checks import run_check
from adology.testing.items import Sample


class Words(Struct, frozen=True, kw_only=True):
    words: int = 0
    longest: str = ""


class WordSettings(Settings, frozen=True, kw_only=True):
    least: int = 1


class Counter(Analyzer[WordSettings, Words]):
    name = "counter"
    version = 1
    accepts = ("ad",)

    def analyze(self, ctx: Context[WordSettings], item: AdItem) -> Any:
        words = [w for body in item.ad.bodies for w in body.split() if len(w) >= ctx.settings.least]
        return Words(words=len(words), longest=max(words, key=len, default=""))


class ManyCounter(Counter):
    async def analyze_many(self, ctx: Context[WordSettings], items: Sequence[Any]) -> Sequence[Any]:
        return [self.analyze(ctx, item) for item in items]


class Size(Struct, frozen=True, kw_only=True):
    width: int
    height: int


class Measure(Analyzer[None, Size]):
    name = "measure"
    version = 1
    accepts = ("image",)
    isolation = "process"

    def analyze(self, ctx: Context[None], item: MediaItem) -> Size:
        del ctx
        try:
            with Image.open(item.path) as image:
                image.load()
                return Size(width=image.width, height=image.height)
        except OSError as error:
            raise Terminal(f"not a picture: {error}") from error


class Length(Struct, frozen=True, kw_only=True):
    size_bytes: int


class FileSize(Analyzer[None, Length]):
    name = "filesize"
    version = 1
    accepts = ("video",)

    async def analyze(self, ctx: Context[None], item: MediaItem) -> Length:
        del ctx
        return Length(size_bytes=item.size_bytes)


class Pulse(Struct, frozen=True, kw_only=True):
    ads: int
    new: int


class CountAds(Analyzer[None, Pulse]):
    name = "countads"
    version = 1
    accepts = ("brand",)

    async def analyze(self, ctx: Context[None], item: BrandItem) -> Pulse:
        del ctx
        ads = [ad async for ad in item.ads()]
        return Pulse(ads=len(ads), new=sum(ad.first_batch == item.batch for ad in ads))


class TestCounter(AnalyzerConformance):
    plugin = Counter


class TestMany(AnalyzerConformance):
    plugin = ManyCounter


class TestMeasure(AnalyzerConformance):
    plugin = Measure


class TestFileSize(AnalyzerConformance):
    plugin = FileSize


class TestCountAds(AnalyzerConformance):
    plugin = CountAds


def verdict(check: str, plugin: type[Any], **own: Any) -> str:
    result = run_check(type("Kit", (AnalyzerConformance,), {"plugin": plugin, **own}), f"test_{check}")
    assert result.outcome != "skipped", result.problem
    assert not result.problem or result.fix, "a finding comes with a way to fix it"
    return result.problem


@pytest.mark.parametrize("check", list_checks(AnalyzerConformance))
def test_every_check_applies_to_a_good_analyzer(check: str) -> None:
    name = check.removeprefix("test_")
    good = (
        ManyCounter
        if "alone" in name and "bad" in name
        else Measure
        if "file" in name or "isolated" in name
        else Counter
    )
    assert verdict(name, good) == ""


class WrongType(Counter):
    def analyze(self, ctx: Context[WordSettings], item: AdItem) -> Any:
        return {"words": super().analyze(ctx, item).words}


class WrongField(Counter):
    def analyze(self, ctx: Context[WordSettings], item: AdItem) -> Any:
        del ctx, item
        return Words(words="three")  # type: ignore[arg-type]  # what the mutant does wrong


class Unstorable(Counter):
    def analyze(self, ctx: Context[WordSettings], item: AdItem) -> Any:
        del ctx, item
        return Words(longest=Path("here"))  # type: ignore[arg-type]  # what the mutant does wrong


class NeverAnything(Counter):
    def analyze(self, ctx: Context[WordSettings], item: AdItem) -> Any:
        del ctx, item
        raise Skip("not today")


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (WrongType, "ordinary: the result is a dict, not a Words"),
        (WrongField, "ordinary: the result does not survive storage: Expected `int`, got `str`"),
        (Unstorable, "ordinary: the result does not survive storage"),
        (NeverAnything, "every ordinary input is declined with Skip: nothing is ever analysed"),
    ],
)
def test_a_result_of_another_type_is_found(plugin: type[Any], words: str) -> None:
    assert words in verdict("results_match_their_type", plugin)


class Moody(Counter):
    numbers = itertools.count()

    def analyze(self, ctx: Context[WordSettings], item: AdItem) -> Any:
        del ctx, item
        return Words(words=next(self.numbers))


def test_a_result_that_changes_is_found() -> None:
    found = verdict("results_are_repeatable", Moody)
    assert found.startswith("ordinary: two results of the same input differ: Words(")


class MovingSettings(Settings, frozen=True, kw_only=True):
    seed: int = msgspec.field(default_factory=time.perf_counter_ns)


class Moving(Analyzer[MovingSettings, Words]):
    name = "moving"
    version = 1
    accepts = ("ad",)


class TextUses(Counter):
    uses = "media"  # type: ignore[assignment]  # what the mutant does wrong


def test_a_fingerprint_that_moves_is_found() -> None:
    found = verdict("fingerprint_follows_version_and_settings_only", Moving)
    assert found == "the fingerprint differs from start to start: a default of the settings is not constant"
    assert (
        verdict("fingerprint_follows_version_and_settings_only", TextUses)
        == "uses is 'media'; allowed: a tuple of names"
    )


class RaisesRaw(Measure):
    def analyze(self, ctx: Context[None], item: MediaItem) -> Size:
        del ctx
        with Image.open(item.path) as image:
            image.load()
            return Size(width=image.width, height=image.height)


class TriesAgain(Measure):
    def analyze(self, ctx: Context[None], item: MediaItem) -> Size:
        try:
            return super().analyze(ctx, item)
        except Terminal as error:
            raise Retry(str(error)) from error


class RefusesAll(Counter):
    def analyze(self, ctx: Context[WordSettings], item: AdItem) -> Any:
        if not item.ad.bodies:
            raise Terminal("no copy")
        return super().analyze(ctx, item)


class Slow(Counter):
    deadline_s = 0.05

    async def analyze(self, ctx: Context[WordSettings], item: AdItem) -> Any:
        await asyncio.sleep(30)
        return super().analyze(ctx, item)


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (RaisesRaw, "cut-off.png: raises OSError: "),
        (TriesAgain, "cut-off.png: Retry says try again, which cannot help: not a picture"),
        (RefusesAll, "no copy"),
        (Slow, "ordinary: no result within deadline_s = 0.05"),
    ],
)
def test_an_analyzer_that_cannot_take_odd_input_is_found(plugin: type[Any], words: str) -> None:
    assert words in verdict("hostile_input_is_judged", plugin)


class DividesByZero(Counter):
    def analyze(self, ctx: Context[WordSettings], item: AdItem) -> Any:
        return Words(words=len(item.ad.titles) // (0 * ctx.settings.least))


@pytest.mark.parametrize("check", ["results_match_their_type", "results_are_repeatable", "hostile_input_is_judged"])
def test_what_is_raised_by_mistake_is_told_alike_by_every_check(check: str) -> None:
    """With the input, and with a fix for exceptions: it has nothing to do with types or repetition."""
    found = run_check(type("Kit", (AnalyzerConformance,), {"plugin": DividesByZero}), f"test_{check}")
    assert found.problem == "ordinary: raises ZeroDivisionError: integer division or modulo by zero"
    assert found.fix.startswith("Raise Skip (nothing to say) or Terminal")


class Overwrites(Measure):
    def analyze(self, ctx: Context[None], item: MediaItem) -> Size:
        found = super().analyze(ctx, item)
        item.path.write_bytes(item.path.read_bytes() + b"\0")
        return found


class Litters(Measure):
    def analyze(self, ctx: Context[None], item: MediaItem) -> Size:
        item.path.with_suffix(".thumb").write_bytes(b"x")
        return super().analyze(ctx, item)


def test_an_input_file_that_is_changed_is_found() -> None:
    assert "the analyzer changed one-pixel.png in the folder" in verdict("input_files_are_left_alone", Overwrites)
    assert "the analyzer changed one-pixel.thumb in the folder" in verdict("input_files_are_left_alone", Litters)


class DropsItems(ManyCounter):
    async def analyze_many(self, ctx: Context[WordSettings], items: Sequence[Any]) -> Sequence[Any]:
        return (await super().analyze_many(ctx, items))[1:]


class MixesOrder(ManyCounter):
    async def analyze_many(self, ctx: Context[WordSettings], items: Sequence[Any]) -> Sequence[Any]:
        return list(reversed(await super().analyze_many(ctx, items)))


class FailsTogether(ManyCounter):
    async def analyze_many(self, ctx: Context[WordSettings], items: Sequence[Any]) -> Sequence[Any]:
        del ctx
        problem: AdologyError = Terminal("one of them was bad")
        return [problem for _ in items]


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (DropsItems, "analyze_many answers 5 of 6 items"),
        (MixesOrder, "in the place of ordinary, alone it is Words("),
        (FailsTogether, "analyze_many: a bad item takes ordinary down with it: one of them was bad"),
    ],
)
def test_items_that_do_not_fail_alone_are_found(plugin: type[Any], words: str) -> None:
    assert words in verdict("one_bad_item_fails_alone", plugin)


def test_an_isolated_class_that_no_child_finds_is_found() -> None:
    class Hidden(Measure):
        pass

    assert "cannot be imported, so a child process cannot run it" in verdict(
        "an_isolated_analyzer_is_found_again", Hidden
    )


def test_an_author_may_give_samples_and_results() -> None:
    seen: list[Any] = []

    class Reads(Counter):
        def analyze(self, ctx: Context[WordSettings], item: AdItem) -> Any:
            seen.append(item.results)
            return super().analyze(ctx, item)

    class Own(AnalyzerConformance):
        plugin = Reads
        results: ClassVar = {"ocr": {"text": "SALE"}}

        def samples(self, folder: Path) -> Sequence[Sample]:
            return super().samples(folder)[:1]

    assert run_check(Own, "test_results_are_repeatable").outcome == "passed"
    assert seen == [{"ocr": {"text": "SALE"}}] * 2


class Share(Struct, frozen=True, kw_only=True):
    share: float


class Rounds(Counter):
    __orig_bases__ = (Analyzer[WordSettings, Share],)

    def analyze(self, ctx: Context[WordSettings], item: AdItem) -> Any:
        del ctx, item
        return Share(share=1)


def test_a_result_that_storing_changes_is_found() -> None:
    found = verdict("results_match_their_type", Rounds)
    assert found == "ordinary: the result comes back from storage as Share(share=1.0)"


class Twin(Measure):
    __qualname__ = "Measure"


def test_an_isolated_analyzer_that_is_found_as_another_is_found() -> None:
    found = verdict("an_isolated_analyzer_is_found_again", Twin)
    assert found == f"{__name__}:Measure is another class than the one that is registered"
