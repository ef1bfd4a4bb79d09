from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest

from adology import ConfigError, Secret, Settings, Sink, Source
from adology.testing import (
    Conformance,
    ConformanceError,
    SinkConformance,
    SourceConformance,
    check,
    list_checks,
    run_checks,
)
from adology.testing.checks import run_check
from tests.unit.testing.library import Library, LibraryKit


def verdict(name: str, plugin: type[Any], **own: Any) -> str:
    result = run_check(type("Kit", (Conformance,), {"kind": "source", "plugin": plugin, **own}), f"test_{name}")
    assert result.outcome != "skipped", result.problem
    assert not result.problem or result.fix, "a finding comes with a way to fix it"
    return result.problem


def make(settings: type[Any], **own: Any) -> type[Any]:
    body = {"name": "mutant", "version": 1, "__orig_bases__": (Source[settings, int],), **own}  # type: ignore[valid-type]
    return types.new_class("Mutant", (Source[settings, int],), exec_body=lambda ns: ns.update(body))  # type: ignore[valid-type]


class Plain(Settings, frozen=True, kw_only=True):
    pages: int = 3


class Lax(Plain, frozen=True, kw_only=True, forbid_unknown_fields=False):
    pass


class Vague(Settings, frozen=True, kw_only=True):
    address: str = ""

    def __post_init__(self) -> None:
        if not self.address:
            raise ValueError("bad settings")


class Odd:
    pass


class Unschemable(Settings, frozen=True, kw_only=True):
    odd: Odd | None = None


class OpenSecret(Settings, frozen=True, kw_only=True):
    api_key: str = ""


class Chatty(Settings, frozen=True, kw_only=True):
    token: Annotated[str, Secret()] = ""

    def __repr__(self) -> str:
        return f"Chatty({self.token})"


class Keys(Settings, frozen=True, kw_only=True):
    key: Annotated[str, Secret()] = ""


class Counted(Settings, frozen=True, kw_only=True):
    max_tokens: int = 100


def test_a_good_plugin_passes_what_every_kind_must_keep() -> None:
    results = list(
        run_checks(type("Kit", (Conformance,), {"kind": "source", "plugin": Library, "settings": {"token": "t"}}))
    )
    assert [r.check for r in results] == [
        "registers_alone",
        "settings_are_strict",
        "schema_exports",
        "secrets_stay_secret",
        "no_network_at_import",
    ]
    assert {r.outcome for r in results} == {"passed"}


def test_a_class_that_breaks_the_contract_is_found() -> None:
    assert "version is 0; allowed: an integer from 1" in verdict("registers_alone", make(Plain, version=0))


def test_an_installed_package_whose_hook_forgets_the_class_is_found() -> None:
    from adology_facebook import Facebook

    class Forgotten(Facebook):
        name = "forgotten"

    Forgotten.__module__ = "adology_facebook.source"
    found = verdict("registers_alone", Forgotten)
    assert found == "entry point facebook loads, but adology_sources() does not return Forgotten"


SHOP = """
from adology import Source, hookimpl

class Shop(Source[None, int]):
    name = "{name}"
    version = 1

@hookimpl
def adology_sources():
    return [Shop]
"""


def test_a_package_may_have_several_entry_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("first", "second")
    (tmp_path / "kit_shops").mkdir()
    for name in names:
        (tmp_path / "kit_shops" / f"{name}.py").write_text(SHOP.format(name=name))
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [EntryPoint(name=name, value=f"kit_shops.{name}", group="adology") for name in names]
    monkeypatch.setattr("adology.testing.base.entry_points", lambda **_: points)
    for point in points:
        assert verdict("registers_alone", point.load().Shop) == ""


def test_an_entry_point_that_does_not_load_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kit_broken.py").write_text(SHOP.format(name="broken").replace("@hookimpl", ""))
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint(name="broken", value="kit_broken", group="adology")
    monkeypatch.setattr("adology.testing.base.entry_points", lambda **_: [point])
    found = verdict("registers_alone", point.load().Shop)
    assert found.startswith("entry point broken fails at register: TypeError: kit_broken has no adology_sources()")


class Keeper(Sink[Keys]):
    name = "keeper"
    version = 1


def test_a_missing_secret_is_named_in_the_section_of_its_kind() -> None:
    class Kit(SinkConformance):
        plugin = Keeper

    with pytest.raises(ConfigError, match=r"setting sinks\.keeper\.key: is not set"):
        Kit().make_context().secret("key")


def test_settings_that_take_anything_are_found() -> None:
    assert "Lax takes the unknown field 'surely_no_such_setting'" in verdict("settings_are_strict", make(Lax))


def test_settings_that_do_not_name_what_is_missing_are_found() -> None:
    found = verdict("settings_are_strict", make(Vague), settings={"address": "x"})
    assert found.startswith("without address, the error does not name it: setting settings: bad settings")


def test_example_settings_that_are_not_valid_are_found() -> None:
    assert "the example settings are not valid" in verdict("settings_are_strict", make(Plain), settings={"pages": "x"})


def test_settings_without_a_schema_are_found() -> None:
    assert "Unschemable has no JSON Schema" in verdict("schema_exports", make(Unschemable))


def test_a_secret_that_is_not_marked_is_found() -> None:
    found = verdict("secrets_stay_secret", make(OpenSecret))
    assert found == "OpenSecret.api_key looks like a secret but is not marked Secret()"


def test_a_number_of_tokens_is_no_secret() -> None:
    assert verdict("secrets_stay_secret", make(Counted)) == ""


def test_a_repr_that_shows_a_secret_is_found() -> None:
    found = verdict("secrets_stay_secret", make(Chatty), settings={"token": "env:X"})
    assert found == "repr of Chatty shows the secret token"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "uses the network: "),
        (
            "import socket\nsocket.getaddrinfo('vendor.example', 443)",
            "uses the network: socket.getaddrinfo ('vendor.exam",
        ),
        ("import os\nos.environ['NO_SUCH_VARIABLE_AT_ALL']", "in a process of its own fails: KeyError"),
    ],
)
def test_a_module_that_talks_at_import_is_found(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "talker.py").write_text(f"{text}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = types.ModuleType("talker")
    module.__file__ = str(tmp_path / "talker.py")
    monkeypatch.setitem(sys.modules, "talker", module)
    plugin = make(Plain)
    plugin.__module__ = "talker"
    assert words in verdict("no_network_at_import", plugin)


def test_a_check_of_the_authors_own_runs_with_the_others() -> None:
    class Own(LibraryKit):
        def test_mine(self) -> None:
            """The author's own."""
            raise AssertionError("mine fails")

        @check("Do it right.")
        async def test_mine_async(self) -> None:
            """Another one."""
            raise ConformanceError("async one fails")

    assert list(list_checks(Own))[-2:] == ["test_mine", "test_mine_async"]
    plain, other = run_check(Own, "test_mine"), run_check(Own, "test_mine_async")
    assert (plain.outcome, plain.problem) == ("failed", "AssertionError: mine fails")
    assert (other.outcome, other.problem, other.fix) == ("failed", "async one fails", "Do it right.")


def test_under_pytest_a_finding_shows_problem_and_fix() -> None:
    class Broken(LibraryKit):
        settings: ClassVar = {}

    with pytest.raises(ConformanceError) as caught:
        Broken().test_settings_are_strict()
    assert "the example settings are not valid" in str(caught.value)
    assert "How to fix: Derive settings from adology.Settings" in str(caught.value)


def test_an_exception_of_the_plugin_is_a_finding_not_a_crash() -> None:
    class Breaks(Library):
        def __init__(self) -> None:
            raise RuntimeError("no licence")

    result = run_check(type("Kit", (LibraryKit,), {"plugin": Breaks}), "test_cursor_is_storable")
    assert result.outcome == "failed"
    assert "RuntimeError: no licence" in result.problem


def test_every_check_has_a_title_and_a_fix() -> None:
    for kit in (LibraryKit, SourceConformance):
        for name in list_checks(kit):
            method = getattr(kit, name)
            assert method.__doc__.endswith("."), name
            assert method.fix.endswith("."), name


def test_the_kit_needs_no_pytest() -> None:
    import subprocess

    code = "import sys; sys.modules['pytest'] = None; import adology.testing; print('ok')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "ok\n"


class Quiet(Sink[None]):
    name = "quiet"
    version = 1


def test_a_sink_is_checked_as_a_sink() -> None:
    kit = type("Kit", (Conformance,), {"kind": "sink", "plugin": Quiet})
    assert run_check(kit, "test_registers_alone").outcome == "passed"
    wrong = type("Kit", (Conformance,), {"kind": "source", "plugin": Quiet})
    assert "is not a subclass of adology.Source" in run_check(wrong, "test_registers_alone").problem
