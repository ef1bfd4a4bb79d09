"""What every kind of plugin must keep, and how the kit makes contexts for it."""

from __future__ import annotations

import contextlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from adology.context import Context
from adology.errors import ConfigError
from adology.http import Pacers
from adology.log import REDACTOR, logger
from adology.plugins import Kind, load_plugins
from adology.plugins.specs import PROJECT
from adology.plugins.validate import check_class
from adology.settings import convert
from adology.settings.base import Settings, secret_fields
from adology.testing.checks import check, fail, skip
from adology.testing.http import FaultyHttp, SteppingClock

SECRET_NAMES = re.compile(r"token|secret|password|passwd|api_?key|credential", re.IGNORECASE)
IMPORT_TIMEOUT_S = 30
_UNKNOWN = "surely_no_such_setting"

_IMPORT_WATCHED = """
import importlib, json, sys
sys.path[:] = json.loads(sys.argv[2])
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        sys.stdout.write("network: %s %r" % (event, arguments[1:] if event == "socket.connect" else arguments))
        sys.stdout.flush()
        import os
        os._exit(3)
sys.addaudithook(watch)
importlib.import_module(sys.argv[1])
"""


class Conformance:
    """Base of the kits. Fill in `plugin`, and `settings` where some are required.

    `settings` are as in the settings file; `secrets` is the environment that ``env:NAME``
    references are looked up in.
    """

    kind: ClassVar[Kind]
    plugin: ClassVar[type[Any]]
    settings: ClassVar[Mapping[str, Any]] = {}
    secrets: ClassVar[Mapping[str, str]] = {}

    def vendor(self) -> AbstractAsyncContextManager[Mapping[str, Any]]:
        """The other side, where there is one: yields settings to add, such as its address."""
        return _no_vendor()

    @property
    def settings_type(self) -> type[Settings]:
        """The settings struct, from the class's generic arguments."""
        return check_class(self.kind, self.plugin)[0]

    def make_settings(self, more: Mapping[str, Any] | None = None) -> Any:
        """The validated settings, with those of the vendor."""
        return convert(
            {**self.settings, **(more or {})}, self.settings_type, where="the test", prefix=f"{self.plugin.name}."
        )

    def make_context(self, more: Mapping[str, Any] | None = None, **options: Any) -> Context[Any]:
        """A context whose pacing takes no time; `options` as for `Context`."""
        clock = SteppingClock()
        options.setdefault("pacers", Pacers(clock, clock.sleep))
        section: Any = f"{self.kind}s"  # Any: one of three names, which no checker follows
        return Context(self.plugin.name, self.make_settings(more), env=self.secrets, section=section, **options)

    @contextlib.asynccontextmanager
    async def http(self, http: FaultyHttp | None = None) -> AsyncIterator[FaultyHttp]:
        """An HTTP client that is closed afterwards."""
        async with http or FaultyHttp() as client:
            yield client

    @check("Return the class from the hook of its kind, and give it a name, a version from 1 and its types.")
    def test_registers_alone(self) -> None:
        """It loads and validates with no other plugin there."""
        try:
            check_class(self.kind, self.plugin)
        except TypeError as error:
            fail(str(error), cause=error)
        package = self.plugin.__module__.partition(".")[0]
        points = [p for p in entry_points(group=PROJECT) if p.module.partition(".")[0] == package]
        if not points:
            return
        loaded = load_plugins(points=points)
        for failure in loaded.failures:
            fail(f"entry point {failure.entry_point} fails at {failure.stage}: {failure.error}")
        if all(plugin.cls is not self.plugin for plugin in loaded.loaded):
            names = ", ".join(point.name for point in points)
            fail(f"entry point {names} loads, but adology_{self.kind}s() does not return {self.plugin.__name__}")

    @check("Derive settings from adology.Settings as it is, and let messages about a setting begin with its name.")
    def test_settings_are_strict(self) -> None:
        """Settings refuse unknown fields and name a missing one."""
        cls = self.settings_type
        values = dict(self.settings)
        try:
            convert(values, cls, where="the test")
        except ConfigError as error:
            fail(f"the example settings are not valid: {error}", cause=error)
        with contextlib.suppress(msgspec.ValidationError):
            msgspec.convert({**values, _UNKNOWN: 1}, cls, strict=False)
            fail(f"{cls.__name__} takes the unknown field {_UNKNOWN!r}: a slip in a settings file would go unnoticed")
        for name in values:
            try:
                convert({k: v for k, v in values.items() if k != name}, cls, where="the test")
            except ConfigError as error:
                if name not in str(error):
                    fail(f"without {name}, the error does not name it: {error}", cause=error)

    @check("Use types that msgspec knows (str, int, float, bool, tuples, Structs, Literal) in settings and results.")
    def test_schema_exports(self) -> None:
        """Settings, and the result of an analyzer, have a JSON Schema."""
        _, second = check_class(self.kind, self.plugin)
        for kind in (self.settings_type, second if self.kind == "analyzer" else None):
            if kind is None:
                continue
            try:
                msgspec.json.schema(kind)
            except Exception as error:  # noqa: BLE001 - msgspec raises several types here
                fail(f"{kind.__name__} has no JSON Schema: {error}", cause=error)

    @check("Mark the field as Annotated[str, Secret()] and read it with ctx.secret(…); never log or format its value.")
    def test_secrets_stay_secret(self) -> None:
        """No secret in the repr of settings; fields that look like secrets are marked."""
        cls = self.settings_type
        for name in cls.__struct_fields__:
            hint = str(inspect.get_annotations(cls).get(name, ""))
            if SECRET_NAMES.search(name) and name not in secret_fields(cls) and ("str" in hint or not hint):
                fail(f"{cls.__name__}.{name} looks like a secret but is not marked Secret()")
        marked = secret_fields(cls)
        probe = {name: f"probe-{name}-5f3a" for name in marked}
        try:
            shown = repr(msgspec.convert({**self.settings, **probe}, cls, strict=False))
        except msgspec.ValidationError:
            shown = repr(self.make_settings())
            probe = {name: str(self.settings[name]) for name in marked if self.settings.get(name)}
        for name, value in probe.items():
            if value in shown:
                fail(f"repr of {cls.__name__} shows the secret {name}")

    @check("Move what talks to the outside from module level into `check`, `pages`, `open` or `analyze`.")
    def test_no_network_at_import(self) -> None:
        """Importing the plugin's module opens no connection and asks no name server."""
        module = self.plugin.__module__
        if module == "__main__" or not _is_importable(module):
            skip(f"module {module} cannot be imported by name in another process")
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", _IMPORT_WATCHED, module, json.dumps(sys.path)],
            capture_output=True,
            text=True,
            timeout=IMPORT_TIMEOUT_S,
            check=False,
        )
        if done.stdout.startswith("network: "):
            fail(f"importing {module} uses the network: {done.stdout.removeprefix('network: ')}")
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            fail(f"importing {module} in a process of its own fails: {last}")

    def find_secret(self, text: str) -> str:
        """The name of a secret whose value is in `text`; empty when none is."""
        return next((name for name, value in self.secrets.items() if value and value in text), "")


@contextlib.asynccontextmanager
async def _no_vendor() -> AsyncIterator[Mapping[str, Any]]:
    yield {}


@contextlib.contextmanager
def captured_log() -> Iterator[list[str]]:
    """Every line that is logged inside, whole, as a sink would write it: known secrets masked."""
    lines: list[str] = []

    def write(message: Any) -> None:
        lines.append(REDACTOR.redact(str(message)))

    handler = logger.add(write, level="TRACE", format="{message} {extra}")
    try:
        yield lines
    finally:
        logger.remove(handler)


def _is_importable(module: str) -> bool:
    return getattr(sys.modules.get(module), "__file__", None) is not None and _top_is_on_path(module)


def _top_is_on_path(module: str) -> bool:
    top = module.partition(".")[0]
    file = getattr(sys.modules.get(top), "__file__", None)
    if file is None:
        return bool(getattr(sys.modules.get(top), "__path__", None))
    folder = Path(file).parent.parent if file.endswith("__init__.py") else Path(file).parent
    return any(Path(entry or ".").resolve() == folder.resolve() for entry in sys.path)
