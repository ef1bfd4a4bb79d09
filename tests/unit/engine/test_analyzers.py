"""Analyzers in dependency order, under fingerprints that move with what results depend on."""

# ruff: noqa: ARG002 - the interface's signatures

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Annotated, Any, Literal

import pytest

from adology import Analyzer, Context, Needs, Operational, Secret, Settings
from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer, UnknownAnalyzerError, fingerprint, prepare
from adology.errors import ConfigError
from adology.log import logger
from adology.plugins import LoadedPlugin, missing
from adology.types import Struct
from tests.conftest import ROOT


class Result(Struct, frozen=True, kw_only=True):
    word: str = ""


class Limits(Settings, frozen=True, kw_only=True):
    size: int = 10


def make_plugin(name: str, *uses: str, version: int = 1, accepts: tuple[str, ...] = ("ad",)) -> LoadedPlugin:
    members = {"name": name, "version": version, "accepts": accepts, "uses": uses}
    return LoadedPlugin(
        kind="analyzer", name=name, version=version, cls=type(name, (Analyzer,), members), entry_point=name,
        distribution="d", distribution_version="1", settings_type=Limits, result_type=Result,
    )  # fmt: skip


def ready(*plugins: LoadedPlugin, **configured: dict[str, Any]) -> dict[str, ReadyAnalyzer]:
    return {analyzer.name: analyzer for analyzer in prepare(plugins, configured)}


def test_each_analyzer_comes_after_the_ones_it_uses() -> None:
    plugins = [make_plugin("c", "b", "a"), make_plugin("b", "a"), make_plugin("d", "c"), make_plugin("a")]
    assert list(ready(*plugins)) == ["a", "b", "c", "d"]


def test_only_those_that_accept_a_kind_run_on_it() -> None:
    found = prepare([make_plugin("pictures", accepts=("image", "video")), make_plugin("copy")], {})
    assert [a.name for a in found.accepting("video")] == ["pictures"]
    assert [a.name for a in found.accepting("ad")] == ["copy"]
    assert found.accepting("brand") == ()


def test_analyzers_that_use_each_other_in_a_circle_are_named() -> None:
    plugins = [make_plugin("a", "b"), make_plugin("b", "c"), make_plugin("c", "a")]
    with pytest.raises(ConfigError) as caught:
        prepare(plugins, {})
    assert str(caught.value).startswith("setting analyzers: use each other in a circle: ")
    assert set(str(caught.value).rpartition(": ")[2].split(" → ")) == {"a", "b", "c"}


def test_an_analyzer_whose_packages_are_not_installed_is_left_out_with_its_users() -> None:
    plugins = [make_plugin("a"), make_plugin("b", "a"), make_plugin("c")]
    plugins[0].cls.packages = ("json", "no_such_package_at_all")
    assert missing(plugins[0].cls.packages) == ["no_such_package_at_all"]
    assert list(ready(*plugins)) == ["c"]


@pytest.mark.parametrize("answer", [None, "a", 7, {"uses": "abc"}, Needs(packages="json"), Needs(packages=("", "..x"))])  # type: ignore[arg-type]
def test_an_analyzer_that_answers_nonsense_about_its_needs_is_left_out_alone(answer: Any) -> None:
    plugins = [make_plugin("a"), make_plugin("b", "a"), make_plugin("c")]
    plugins[0].cls.needs = classmethod(lambda *_: answer)
    assert list(ready(*plugins)) == ["c"]


def test_what_is_optional_comes_before_counts_when_it_is_there_and_is_missed_when_not() -> None:
    wishing = make_plugin("a")
    wishing.cls.optional = ("b", "absent")
    alone, both = ready(wishing), ready(wishing, make_plugin("b"))
    assert (list(alone), alone["a"].reads) == (["a"], frozenset())
    assert (list(both), both["a"].reads) == (["b", "a"], frozenset({"b"}))
    assert alone["a"].fingerprint != both["a"].fingerprint
    assert [one.name for one in prepare([wishing, make_plugin("b")], {}).only(["a"])] == ["b", "a"]
    broken = make_plugin("b")
    broken.cls.packages = ("no_such_package_at_all",)
    assert ready(wishing, broken)["a"].fingerprint == alone["a"].fingerprint


def test_of_analyzers_that_are_chosen_those_they_use_come_along() -> None:
    found = prepare([make_plugin("c", "b"), make_plugin("b", "a"), make_plugin("d"), make_plugin("a")], {})
    assert [one.name for one in found.only(["c"])] == ["a", "b", "c"]
    assert {one.name for one in found.only([])} == {"a", "b", "c", "d"}


def test_an_analyzer_with_wrong_settings_is_left_out_and_the_others_work() -> None:
    found = ready(make_plugin("a"), make_plugin("b"), a={"size": "large"}, b={"size": 3})
    assert list(found) == ["b"]
    assert found["b"].settings == Limits(size=3)
    assert found["b"].settings_fields == {"size": 3}


def test_whoever_uses_an_analyzer_that_was_left_out_is_left_out_as_well() -> None:
    plugins = [make_plugin("a"), make_plugin("b", "a"), make_plugin("c", "b"), make_plugin("d")]
    assert list(ready(*plugins, a={"size": "large"})) == ["d"]


def test_who_was_left_out_is_known_with_the_reason() -> None:
    found = prepare([make_plugin("a"), make_plugin("b", "a"), make_plugin("c")], {"a": {"size": "large"}})
    assert "expected `int`" in found.left_out["a"]
    assert found.left_out["b"] == f"it uses a, which cannot work: {found.left_out['a']}"
    assert found.only(["c"]).left_out == found.left_out
    with pytest.raises(UnknownAnalyzerError, match="analyzer b cannot work: it uses a, which cannot work: setting"):
        found.check_names(["c", "b"], ("ad",), "ads")
    with pytest.raises(UnknownAnalyzerError, match=r"no analyzer of pictures is called 'c'; there are $"):
        found.check_names(["c"], ("image",), "pictures")


@pytest.mark.parametrize(
    ("section", "told"),
    [("lables", "Did you mean analyzers.labels?"), ("labels_copy", ""), ("weather", ""), ("labels", "")],
)
def test_settings_under_a_mistyped_name_are_told_of(section: str, told: str) -> None:
    """A section may be for plugins that this process does not load: only near names are mistakes."""
    lines: list[str] = []
    handler = logger.add(lambda line: lines.append(line.record["message"]), level="WARNING")
    try:
        prepare([make_plugin("labels")], {section: {"size": 3}})
    finally:
        logger.remove(handler)
    assert bool(lines) == bool(told)
    assert told in " ".join(lines)


def test_the_order_is_the_same_at_every_start() -> None:
    """Not that of a set of names, which differs from process to process."""
    program = (
        "from tests.unit.engine.test_analyzers import make_plugin, prepare\n"
        "names = ['x', 'k', 'q', 'b', 'm', 'd', 'z']\n"
        "plugins = [make_plugin('a', *names), *(make_plugin(n) for n in names)]\n"
        "print([one.name for one in prepare(plugins, {})])\n"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, timeout=30, check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(seen) == 1


def test_a_dependency_that_is_not_there_does_not_keep_its_user_away() -> None:
    assert list(ready(make_plugin("a", "some-model-2026-01"))) == ["a"]


def test_the_fingerprint_moves_with_version_settings_and_uses() -> None:
    base = ready(make_plugin("a"))["a"].fingerprint
    assert ready(make_plugin("a"))["a"].fingerprint == base
    assert ready(make_plugin("a", version=2))["a"].fingerprint != base
    assert ready(make_plugin("a"), a={"size": 11})["a"].fingerprint != base
    assert ready(make_plugin("a", "model-2"))["a"].fingerprint != base
    assert ready(make_plugin("other"))["other"].fingerprint != base


def test_the_fingerprint_does_not_move_with_anything_else() -> None:
    base = ready(make_plugin("a"))["a"].fingerprint
    assert ready(make_plugin("a"), a={"size": 10})["a"].fingerprint == base, "the default, written out"
    assert ready(make_plugin("a"), make_plugin("b"), b={"size": 5})["a"].fingerprint == base
    assert ready(make_plugin("a", accepts=("ad", "image")))["a"].fingerprint == base
    assert fingerprint("a", 1, Limits(), ["x", "y"]) == fingerprint("a", 1, Limits(), ["y", "x"])


def test_a_change_of_a_used_analyzer_reaches_its_users_and_nobody_else() -> None:
    plugins = [make_plugin("a"), make_plugin("b", "a"), make_plugin("c", "b"), make_plugin("apart")]
    before, after = ready(*plugins), ready(*plugins, a={"size": 99})
    moved = {name for name in before if before[name].fingerprint != after[name].fingerprint}
    assert moved == {"a", "b", "c"}


def test_a_claim_is_known_by_fingerprint_kind_and_subject() -> None:
    analyzer = ready(make_plugin("a"))["a"]
    claims = [analyzer.claim("asset", "x"), analyzer.claim("ad", "x"), analyzer.claim("asset", "y")]
    claims.append(ready(make_plugin("a", version=2))["a"].claim("asset", "x"))
    assert len({claim.key for claim in claims}) == 4
    assert analyzer.claim("asset", "x") == claims[0]
    assert [claim.subject_kind for claim in claims] == ["asset", "ad", "asset", "asset"]


def test_plain_async_and_half_async_functions_all_answer() -> None:
    class Plain(Analyzer[Limits, Result]):
        name, version, accepts = "plain", 1, ("ad",)

        def analyze(self, ctx: Context[Limits], item: Any) -> Result:
            return Result(word=f"{item}!")

    class Async(Plain):
        async def analyze(self, ctx: Context[Limits], item: Any) -> Result:  # type: ignore[override]  # either way
            return Result(word=f"{item}!")

    class Half(Plain):
        def analyze(self, ctx: Context[Limits], item: Any) -> Any:
            return Async().analyze(ctx, item)

    async def scenario() -> None:
        for kind in (Plain, Async, Half):
            (analyzer,) = prepare([make_plugin("a")], {})
            analyzer = ReadyAnalyzer(
                **{**{f: getattr(analyzer, f) for f in analyzer.__struct_fields__}, "analyzer": kind()}
            )
            assert await analyzer.call(Context("a", Limits()), "hello") == Result(word="hello!")

    asyncio.run(scenario())


def test_an_empty_set_accepts_nothing() -> None:
    assert AnalyzerSet([]).accepting("ad") == ()


class Reach(Settings, frozen=True, kw_only=True):
    size: int = 10
    threads: Annotated[int, Operational()] = 1
    key: Annotated[str, Secret()] = "env:KEY"


def test_threads_addresses_and_keys_make_no_result_stale_and_everything_else_does() -> None:
    first = fingerprint("a", 1, Reach(), ())
    assert fingerprint("a", 1, Reach(threads=8, key="env:ANOTHER"), ()) == first
    assert len({first, fingerprint("a", 1, Reach(size=11), ()), fingerprint("a", 2, Reach(), ())}) == 3


class Choice(Settings, frozen=True, kw_only=True):
    provider: Literal["local", "cloud", "broken", "none"] = "local"


class Choosing(Analyzer[Choice, Result]):
    """What it needs depends on a setting."""

    name, version, accepts = "choosing", 1, ("ad",)

    @classmethod
    def needs(cls, settings: Choice) -> Needs:
        if settings.provider == "broken":
            raise ConfigError("analyzers.choosing.provider", "is broken")
        if settings.provider == "cloud":
            return Needs(uses=("cloud-model",), pays=("cloud",))
        if settings.provider == "none":
            return Needs(uses=("base",))
        return Needs(uses=("local-model/1",), packages=("no_such_package_at_all",))


def choosing(provider: str, *others: LoadedPlugin) -> dict[str, ReadyAnalyzer]:
    plugin = LoadedPlugin(
        kind="analyzer", name="choosing", version=1, cls=Choosing, entry_point="choosing", distribution="d",
        distribution_version="1", settings_type=Choice, result_type=Result,
    )  # fmt: skip
    return ready(plugin, *others, choosing={"provider": provider})


def test_what_an_analyzer_needs_depends_on_its_settings() -> None:
    assert choosing("local") == {}, "the package of the local model is not installed"
    found = choosing("cloud")["choosing"]
    assert found.needs == Needs(uses=("cloud-model",), pays=("cloud",))
    assert found.fingerprint == fingerprint("choosing", 1, Choice(provider="cloud"), ["cloud-model"])


def test_whom_it_uses_depends_on_its_settings_as_well() -> None:
    assert list(choosing("none", make_plugin("base"))) == ["base", "choosing"]
    before, after = choosing("none", make_plugin("base")), choosing("none", make_plugin("base", version=2))
    assert before["choosing"].fingerprint != after["choosing"].fingerprint


def test_an_analyzer_that_cannot_say_what_it_needs_is_left_out_and_the_others_work() -> None:
    assert list(choosing("broken", make_plugin("a"))) == ["a"]


def test_by_default_the_class_says_what_it_needs() -> None:
    plugin = make_plugin("a", "model-1")
    plugin.cls.pays = ("openai",)
    assert ready(plugin)["a"].needs == Needs(uses=("model-1",), pays=("openai",))


def test_of_a_package_that_is_not_installed_no_part_is_looked_for() -> None:
    assert missing(("json", "json.decoder", "no_such_package.part")) == ["no_such_package.part"]
