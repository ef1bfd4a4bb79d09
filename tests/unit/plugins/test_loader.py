from __future__ import annotations

import io
import sys
import textwrap
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import msgspec
import pytest

from adology.errors import EngineError
from adology.log import setup_logging
from adology.plugins import PluginFailure, Plugins, load_plugins

GOOD = """
from adology import Analyzer, AdItem, Context, Struct, hookimpl

class Words(Struct, frozen=True, kw_only=True):
    words: int = 0

class Counter(Analyzer[None, Words]):
    name = "{name}"
    version = 1
    accepts = ("ad",)

    def analyze(self, ctx, item):
        return Words(words=len(item.ad.bodies))

@hookimpl
def adology_analyzers():
    return [Counter]
"""


class Shelf:
    """Modules that exist for one test, and their entry points."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.points: list[EntryPoint] = []

    def put(self, name: str, text: str) -> None:
        module = f"shelf_{name}"
        (self.folder / f"{module}.py").write_text(textwrap.dedent(text))
        self.points.append(EntryPoint(name=name, value=module, group="adology"))

    def load(
        self, *, only: tuple[str, ...] = (), without: tuple[str, ...] = (), strict: bool = False, trace: bool = False
    ) -> Plugins:
        return load_plugins(points=self.points, only=only, without=without, strict=strict, trace=trace)

    def failure(self) -> PluginFailure:
        (failure,) = self.load().failures
        return failure


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield Shelf(tmp_path)
    for name in set(sys.modules) - before:
        if name.startswith("shelf_"):
            del sys.modules[name]


def test_a_good_plugin_is_described_from_its_class(shelf: Shelf) -> None:
    shelf.put("counter", GOOD.format(name="counter"))
    plugin = shelf.load().find("analyzer", "counter")
    assert plugin is not None
    assert (plugin.kind, plugin.name, plugin.version, plugin.entry_point) == ("analyzer", "counter", 1, "counter")
    assert plugin.result_type.__name__ == "Words"
    assert plugin.settings_type.__name__ == "NoSettings"
    assert plugin.reference == "shelf_counter:Counter"
    assert len(plugin.source_hash) == 64


def test_a_broken_import_is_recorded_and_the_others_load(shelf: Shelf) -> None:
    shelf.put("broken", "import no_such_module_anywhere\n")
    shelf.put("counter", GOOD.format(name="counter"))
    plugins = shelf.load()
    assert [p.name for p in plugins.loaded] == ["counter"]
    (failure,) = plugins.failures
    assert (failure.entry_point, failure.stage) == ("broken", "import")
    assert failure.error == "ModuleNotFoundError: No module named 'no_such_module_anywhere'"


def test_a_module_that_exits_at_import_does_not_take_us_along(shelf: Shelf) -> None:
    shelf.put("quitter", "import sys\nsys.exit(7)\n")
    failure = shelf.failure()
    assert (failure.stage, failure.error) == ("import", "SystemExit: 7")


def test_a_syntax_error_is_an_import_failure(shelf: Shelf) -> None:
    shelf.put("garbled", "def (:\n")
    assert shelf.failure().stage == "import"


def test_a_hook_that_raises_fails_at_call(shelf: Shelf) -> None:
    shelf.put(
        "raiser",
        """
        from adology import hookimpl
        @hookimpl
        def adology_sources():
            raise RuntimeError("no licence")
        """,
    )
    failure = shelf.failure()
    assert (failure.stage, failure.error) == ("call", "RuntimeError: no licence")


def test_a_hook_without_its_marker_is_not_missed_in_silence(shelf: Shelf) -> None:
    shelf.put("plain", GOOD.format(name="plain").replace("@hookimpl\n", ""))
    failure = shelf.failure()
    assert failure.stage == "register"
    assert failure.error.startswith("TypeError: shelf_plain has no adology_sources() or ")
    assert failure.error.endswith("marked with @hookimpl")


def test_a_hook_of_another_shape_fails_at_register(shelf: Shelf) -> None:
    shelf.put(
        "odd",
        """
        from adology import hookimpl
        @hookimpl
        def adology_sources(surprise):
            return []
        """,
    )
    failure = shelf.failure()
    assert failure.stage == "register"
    assert "surprise" in failure.error


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version = 1", "version = 'one'", "version is 'one'; allowed: an integer from 1"),
        ("version = 1", "version = 0", "version is 0; allowed: an integer from 1"),
        ("version = 1", "version = True", "version is True; allowed: an integer from 1"),
        ("version = 1", "pass", "version is None; allowed: an integer from 1"),
        ('name = "counter"', 'name = "Counter!"', "name is 'Counter!'; allowed: 1 to 40 of a-z, 0-9 and _"),
        ('accepts = ("ad",)', 'accepts = ("audio",)', "accepts is ('audio',); allowed: a tuple of image, video, ad"),
        ('accepts = ("ad",)', 'accepts = "ad"', "accepts is 'ad'; allowed: a tuple"),
        ("Analyzer[None, Words]", "Analyzer", "does not say its types"),
        ("Analyzer[None, Words]", "Analyzer[None, dict]", "is not a msgspec.Struct"),
        ("Analyzer[None, Words]", "Analyzer[dict, Words]", "is not a subclass of adology.Settings"),
        ("return [Counter]", "return [Words]", "is not a subclass of adology.Analyzer"),
        ("return [Counter]", "return [Counter()]", "is not a subclass of adology.Analyzer"),
    ],
)
def test_a_class_that_breaks_the_contract_fails_at_validate(shelf: Shelf, old: str, new: str, words: str) -> None:
    text = GOOD.format(name="counter")
    assert old in text
    shelf.put("counter", text.replace(old, new))
    failure = shelf.failure()
    assert failure.stage == "validate"
    assert words in failure.error


def test_a_slip_in_the_isolation_of_an_analyzer_is_named(shelf: Shelf) -> None:
    text = GOOD.format(name="counter").replace("version = 1", 'version = 1\n    isolation = "proces"')
    shelf.put("counter", text)
    assert "Counter.isolation is 'proces'; allowed: inline, process" in shelf.failure().error


def test_a_slip_in_the_role_of_a_sink_is_named(shelf: Shelf) -> None:
    shelf.put(
        "keeper",
        """
        from adology import Sink, hookimpl

        class Keeper(Sink[None]):
            name = "keeper"
            version = 1
            role = "folower"

        @hookimpl
        def adology_sinks():
            return [Keeper]
        """,
    )
    assert "Keeper.role is 'folower'; allowed: archive, documents, commit, follower" in shelf.failure().error


def test_an_async_analyzer_cannot_be_isolated(shelf: Shelf) -> None:
    text = GOOD.format(name="counter").replace("    def analyze", "    async def analyze")
    shelf.put("counter", text.replace("version = 1", 'version = 1\n    isolation = "process"'))
    assert "analyze is async, which isolation = 'process' cannot run" in shelf.failure().error


def test_of_two_plugins_with_one_name_the_first_stays(shelf: Shelf) -> None:
    shelf.put("a_first", GOOD.format(name="counter"))
    shelf.put("b_second", GOOD.format(name="counter"))
    plugins = shelf.load()
    assert [p.entry_point for p in plugins.loaded] == ["a_first"]
    (failure,) = plugins.failures
    assert failure.entry_point == "b_second"
    assert "analyzer name 'counter' is already taken by entry point a_first" in failure.error


def test_a_failing_plugin_leaves_none_of_its_classes(shelf: Shelf) -> None:
    shelf.put("half", GOOD.format(name="half").replace("return [Counter]", "return [Counter, Words]"))
    assert shelf.load().loaded == ()


def test_only_limits_what_is_imported_at_all(shelf: Shelf) -> None:
    shelf.put("counter", GOOD.format(name="counter"))
    shelf.put("broken", "raise RuntimeError('imported')\n")
    plugins = shelf.load(only=("counter",))
    assert [p.name for p in plugins.loaded] == ["counter"]
    assert plugins.failures == ()


def test_what_is_left_out_is_not_imported_either(shelf: Shelf) -> None:
    shelf.put("counter", GOOD.format(name="counter"))
    shelf.put("broken", "raise RuntimeError('imported')\n")
    plugins = shelf.load(without=("broken",))
    assert ([p.name for p in plugins.loaded], plugins.failures) == (["counter"], ())


def test_strict_mode_raises_the_first_failure_with_stage_and_cause(shelf: Shelf) -> None:
    shelf.put("broken", "raise RuntimeError('no licence')\n")
    with pytest.raises(EngineError) as caught:
        shelf.load(strict=True)
    assert caught.value.code == "ADO-5301"
    assert "plugin broken" in str(caught.value)
    assert "failed at import: RuntimeError: no licence" in str(caught.value)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_each_failure_is_logged_with_plugin_and_stage(shelf: Shelf) -> None:
    shelf.put("broken", "raise RuntimeError('no licence')\n")
    out = io.StringIO()
    setup_logging(style="json", stream=out)
    shelf.load()
    line = msgspec.json.decode(out.getvalue())
    assert (line["level"], line["msg"]) == ("ERROR", "plugin failed to load")
    assert (line["plugin"], line["stage"], line["error"]) == ("broken", "import", "RuntimeError: no licence")


def test_trace_logs_every_hook_call(shelf: Shelf) -> None:
    shelf.put("counter", GOOD.format(name="counter"))
    out = io.StringIO()
    setup_logging(style="json", stream=out)
    shelf.load(trace=True)
    lines = [msgspec.json.decode(line) for line in out.getvalue().splitlines()]
    assert {"hook call", "hook returned"} == {line["msg"] for line in lines}
    assert lines[0]["plugins"] == ["counter"]


def test_plugins_are_listed_by_kind_and_name(shelf: Shelf) -> None:
    shelf.put("a", GOOD.format(name="zebra"))
    shelf.put("b", GOOD.format(name="ant"))
    plugins = shelf.load()
    assert [p.name for p in plugins.of_kind("analyzer")] == ["ant", "zebra"]
    assert plugins.of_kind("source") == ()
    assert plugins.find("source", "ant") is None


def test_our_own_plugins_all_load() -> None:
    plugins = load_plugins()
    assert plugins.failures == ()
    assert {"facebook", "serpapi", "customer_db", "files"} <= {p.name for p in plugins.of_kind("source")}


def test_what_an_analyzer_needs_is_asked_of_its_class(shelf: Shelf) -> None:
    text = GOOD.format(name="counter").replace(
        "    def analyze", "    def needs(self, settings):\n        return None\n\n    def analyze"
    )
    shelf.put("counter", text)
    assert "Counter.needs is no class method: it is asked before there is an instance" in shelf.failure().error
