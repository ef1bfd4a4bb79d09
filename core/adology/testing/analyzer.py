"""The kit for analyzers: typed, repeatable, calm about hostile input."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from adology.engine.analyzers import fingerprint
from adology.errors import AdologyError, ConfigError, Skip, Terminal
from adology.log import REDACTOR
from adology.plugins import Kind
from adology.plugins.validate import check_class
from adology.testing.base import Conformance
from adology.testing.checks import ConformanceError, check, fail, skip
from adology.testing.items import Sample, ad_samples, brand_samples, image_samples, video_samples

JUDGE = "Raise Skip (nothing to say) or Terminal (cannot be read, with the reason) for inputs you cannot use."


class AnalyzerConformance(Conformance):
    """Fill in `plugin`, and `settings` where some are required.

    `results` is what the analyzers in `uses` would have said. The kit makes inputs of every
    kind that the analyzer accepts; override `samples` to give others.
    """

    kind: ClassVar[Kind] = "analyzer"
    results: ClassVar[Mapping[str, Any]] = {}

    def samples(self, folder: Path) -> Sequence[Sample]:
        """Inputs of every kind that the analyzer accepts, files below `folder`."""
        accepts = self.plugin.accepts
        found: list[Sample] = []
        if "image" in accepts:
            found += image_samples(folder, self.results)
        if "video" in accepts:
            found += video_samples(folder, self.results)
        if "ad" in accepts:
            found += ad_samples(self.results)
        if "brand" in accepts:
            found += brand_samples()
        return found

    async def analyze(self, more: Mapping[str, Any], item: Any) -> Any:
        """The result for one item, as the engine gets it; errors of ours pass through."""
        analyzer = self.plugin()
        with tempfile.TemporaryDirectory() as scratch:
            async with self.http() as http:
                context = self.make_context(more, scratch=Path(scratch), http=http)
                if inspect.iscoroutinefunction(analyzer.analyze):
                    return await asyncio.wait_for(analyzer.analyze(context, item), self.plugin.deadline_s)
                call = asyncio.to_thread(analyzer.analyze, context, item)
                answer = await asyncio.wait_for(call, self.plugin.deadline_s)
                return await answer if inspect.isawaitable(answer) else answer

    @contextlib.contextmanager
    def sampled(self) -> Iterator[Sequence[Sample]]:
        """The samples, as long as their files are there."""
        with tempfile.TemporaryDirectory() as folder:
            yield self.samples(Path(folder))

    async def _result_of(self, more: Mapping[str, Any], sample: Sample) -> Any:
        """The result; None where the analyzer declines with Skip. What it raises by mistake ends any check alike."""
        try:
            return await self.analyze(more, sample.item)
        except Skip:
            return None
        except AdologyError:
            raise
        except TimeoutError:
            fail(f"{sample.name}: no result within deadline_s = {self.plugin.deadline_s:g}")
        except Exception as error:
            problem = REDACTOR.redact(f"{sample.name}: raises {type(error).__name__}: {error}")
            raise ConformanceError(problem, JUDGE) from error

    @check("Return an instance of the R in Analyzer[S, R], holding plain data of the declared types.")
    async def test_results_match_their_type(self) -> None:
        """Every result is an R, and comes back unchanged from storage as JSON."""
        result_type = check_class("analyzer", self.plugin)[1]
        some = False
        async with self.vendor() as more:
            with self.sampled() as samples:
                for sample in [s for s in samples if not s.hostile]:
                    result = await self._result_of(more, sample)
                    if result is None:
                        continue
                    some = True
                    _check_stored(result, result_type, sample.name)
        if not some:
            fail("every ordinary input is declined with Skip: nothing is ever analysed")

    @check("Depend on nothing but the item and the settings: no clock, no random numbers, no order of a set.")
    async def test_results_are_repeatable(self) -> None:
        """The same input gives the same result."""
        async with self.vendor() as more:
            with self.sampled() as samples:
                for sample in [s for s in samples if not s.hostile]:
                    first, second = await self._result_of(more, sample), await self._result_of(more, sample)
                    if msgspec.to_builtins(first) != msgspec.to_builtins(second):
                        fail(f"{sample.name}: two results of the same input differ: {first!r} and {second!r}")

    @check("Give settings constant defaults, and raise `version` when results change.")
    def test_fingerprint_follows_version_and_settings_only(self) -> None:
        """The fingerprint is the same at every start: no default of a setting moves."""
        prints = {self._fingerprint() for _ in range(3)}
        if len(prints) > 1:
            fail("the fingerprint differs from start to start: a default of the settings is not constant")
        needs = self.plugin.needs(self.make_settings())
        for where, names in (("needs(…)", needs), ("", self.plugin)):
            for field in ("uses", "packages", "pays"):
                value = getattr(names, field)
                if isinstance(value, str) or any(not isinstance(name, str) for name in value):
                    fail(f"{where}{'.' if where else ''}{field} is {value!r}; allowed: a tuple of names")

    def _fingerprint(self) -> str:
        settings = self.make_settings()
        return fingerprint(self.plugin.name, self.plugin.version, settings, self.plugin.needs(settings).uses)

    @check(JUDGE)
    async def test_hostile_input_is_judged(self) -> None:
        """Empty, cut-off, huge, non-Latin and mislabelled inputs give a result, Skip or Terminal."""
        async with self.vendor() as more:
            with self.sampled() as samples:
                for sample in samples:
                    try:
                        await self._result_of(more, sample)
                    except (Terminal, ConfigError):
                        if not sample.hostile:
                            raise
                    except AdologyError as error:
                        fail(f"{sample.name}: {type(error).__name__} says try again, which cannot help: {error}")

    @check("Open the file for reading only; write to ctx.derive(name, content_type).")
    async def test_input_files_are_left_alone(self) -> None:
        """The creative's file is the same afterwards, and nothing is put beside it."""
        async with self.vendor() as more:
            with tempfile.TemporaryDirectory() as folder:
                samples = [s for s in self.samples(Path(folder)) if hasattr(s.item, "path") and not s.hostile]
                if not samples:
                    skip("the analyzer reads no files")
                before = _read_all(Path(folder))
                for sample in samples:
                    await self._result_of(more, sample)
                after = _read_all(Path(folder))
        if changed := sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)):
            fail(f"the analyzer changed {changed[0]} in the folder of its input")

    @check("Return one entry per item in order; put an AdologyError in the place of an item that fails.")
    async def test_one_bad_item_fails_alone(self) -> None:
        """analyze_many gives a result or an error per item, in order, whatever one of them is."""
        analyzer = self.plugin()
        async with self.vendor() as more:
            with self.sampled() as samples, tempfile.TemporaryDirectory() as scratch:
                items = [sample.item for sample in samples]
                answers = await analyzer.analyze_many(self.make_context(more, scratch=Path(scratch)), items)
                if answers is None:
                    skip("analyze_many declines: items come one by one")
                if len(answers) != len(items):
                    fail(f"analyze_many answers {len(answers)} of {len(items)} items")
                for sample, answer in zip(samples, answers, strict=True):
                    await self._check_many(more, sample, answer)

    async def _check_many(self, more: Mapping[str, Any], sample: Sample, answer: Any) -> None:
        if isinstance(answer, AdologyError):
            if not sample.hostile and not isinstance(answer, Skip):
                fail(f"analyze_many: a bad item takes {sample.name} down with it: {answer}")
            return
        if sample.hostile:
            return
        alone = await self._result_of(more, sample)
        if msgspec.to_builtins(alone) != msgspec.to_builtins(answer):
            fail(f"analyze_many answers {answer!r} in the place of {sample.name}, alone it is {alone!r}")

    @check("Define the class at the top level of a module that can be imported by name.")
    def test_an_isolated_analyzer_is_found_again(self) -> None:
        """With isolation = "process", the child process finds the class by its name."""
        if self.plugin.isolation != "process":
            skip("isolation = inline: it runs in the worker itself")
        module, name = self.plugin.__module__, self.plugin.__qualname__
        try:
            found = attrgetter(name)(importlib.import_module(module))
        except (ImportError, AttributeError) as error:
            fail(f"{module}:{name} cannot be imported, so a child process cannot run it", cause=error)
        if found is not self.plugin:
            fail(f"{module}:{name} is another class than the one that is registered")


def _check_stored(result: Any, result_type: Any, name: str) -> None:
    if not isinstance(result, result_type):
        fail(f"{name}: the result is a {type(result).__name__}, not a {result_type.__name__}")
    try:
        stored = msgspec.json.encode(result)
        back = msgspec.json.decode(stored, type=result_type)
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        fail(f"{name}: the result does not survive storage: {error}", cause=error)
    if msgspec.json.encode(back) != stored:
        fail(f"{name}: the result comes back from storage as {back!r}")


def _read_all(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
