"""Analyzers that behave badly in every way, for child processes to import."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from adology import Analyzer, ConfigError, Context, MediaItem, Retry, RetryLater, Settings, Skip, Struct, Terminal
from adology.errors import MediaUnusableError


class OwnError(Terminal):
    """A plugin's own class, unknown to the worker."""

    code: ClassVar[str] = "ADO-3999"


class OddError(Terminal):
    """A class that forgets its base's constructor."""

    def __init__(self, number: int) -> None:
        self.number = number


class Knobs(Settings, frozen=True, kw_only=True):
    mode: str = ""
    amount: int = 0


class Said(Struct, frozen=True, kw_only=True):
    pid: int
    mode: str = ""
    data: Any = None


class Behave(Analyzer[Knobs, Said]):
    """Does what `mode` names: one class, so that one child can be led through many moods."""

    name = "behave"
    version = 1
    accepts = ("image",)
    isolation = "process"

    def analyze(self, ctx: Context[Knobs], item: MediaItem) -> Said:
        data = getattr(self, f"do_{ctx.settings.mode}")(ctx, item)
        return Said(pid=os.getpid(), mode=ctx.settings.mode, data=data)

    def do_well(self, ctx: Context[Knobs], item: MediaItem) -> dict[str, Any]:
        left = (ctx.deadline or 0) - time.monotonic()
        return {"read": item.path.read_bytes(), "item": [item.sha256, item.kind, item.results], "left": left}

    def do_derive(self, ctx: Context[Knobs], item: MediaItem) -> None:
        ctx.derive("small.jpg", "image/jpeg").write_bytes(item.path.read_bytes()[:10])

    def do_derive_nothing(self, ctx: Context[Knobs], _: MediaItem) -> None:
        ctx.derive("small.jpg", "image/jpeg")

    def do_derive_link(self, ctx: Context[Knobs], _: MediaItem) -> None:
        ctx.derive("small.jpg", "image/jpeg").symlink_to("/etc/passwd")

    def do_derive_outside(self, ctx: Context[Knobs], _: MediaItem) -> None:
        ctx.derive("small.jpg", "image/jpeg")
        ctx.derived[0] = type(ctx.derived[0])(name="../x", content_type="image/jpeg", path=Path("/etc/passwd"))

    def do_exit(self, ctx: Context[Knobs], _: MediaItem) -> NoReturn:
        os._exit(ctx.settings.amount)

    def do_segfault(self, _ctx: Context[Knobs], _: MediaItem) -> None:
        ctypes.string_at(0)

    def do_abort(self, _ctx: Context[Knobs], _: MediaItem) -> None:
        os.abort()

    def do_die_of(self, ctx: Context[Knobs], _: MediaItem) -> None:
        os.kill(os.getpid(), ctx.settings.amount)

    def do_loop(self, ctx: Context[Knobs], _: MediaItem) -> NoReturn:
        (ctx.scratch or Path()).joinpath("looping").write_text(str(os.getpid()))
        while True:
            pass

    def do_sleep_deaf(self, ctx: Context[Knobs], _: MediaItem) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        (ctx.scratch or Path()).joinpath("looping").write_text(str(os.getpid()))
        time.sleep(600)

    def do_helper(self, ctx: Context[Knobs], _: MediaItem) -> None:
        helper = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
        (ctx.scratch or Path()).joinpath("looping").write_text(str(helper.pid))
        time.sleep(600)

    def do_allocate(self, ctx: Context[Knobs], _: MediaItem) -> int:
        return len(bytearray(ctx.settings.amount))

    def do_skip(self, _ctx: Context[Knobs], _: MediaItem) -> None:
        raise Skip("no faces", hint="Try a portrait.")

    def do_terminal(self, _ctx: Context[Knobs], _: MediaItem) -> None:
        raise Terminal("never", code="ADO-3777")

    def do_unusable(self, _ctx: Context[Knobs], _: MediaItem) -> None:
        raise MediaUnusableError("broken \ud800 file")

    def do_retry(self, _ctx: Context[Knobs], _: MediaItem) -> None:
        raise Retry("busy", after=7.5)

    def do_retry_later(self, _ctx: Context[Knobs], _: MediaItem) -> None:
        raise RetryLater(30)

    def do_config(self, _ctx: Context[Knobs], _: MediaItem) -> None:
        raise ConfigError("behave.model", "is unknown", "Use another.")

    def do_own(self, _ctx: Context[Knobs], _: MediaItem) -> None:
        raise OwnError("of the plugin")

    def do_odd(self, _ctx: Context[Knobs], _: MediaItem) -> None:
        raise OddError(10**30)

    def do_value_error(self, _ctx: Context[Knobs], _: MediaItem) -> None:
        raise ValueError("not a\n\ud800 number")

    def do_system_exit(self, _ctx: Context[Knobs], _: MediaItem) -> None:
        sys.exit("goodbye")

    def do_recurse(self, ctx: Context[Knobs], item: MediaItem) -> None:
        self.do_recurse(ctx, item)

    def do_large(self, ctx: Context[Knobs], _: MediaItem) -> str:
        return "x" * ctx.settings.amount

    def do_unspeakable(self, _ctx: Context[Knobs], _: MediaItem) -> object:
        return object()

    def do_noise(self, _ctx: Context[Knobs], _: MediaItem) -> str:
        print("on standard output")  # noqa: T201 - the noise
        sys.stdout.flush()
        os.write(1, b"\xff\xff\xff\xff straight into number one" * 4000)
        os.write(2, b"on standard error")
        ctypes.CDLL(None).puts(b"from C")
        ctypes.CDLL(None).fflush(None)
        return sys.stdin.read()

    def do_log(self, ctx: Context[Knobs], _: MediaItem) -> None:
        for number in range(ctx.settings.amount):
            ctx.log.bind(number=number).warning("a line {with braces}")

    def do_log_late(self, ctx: Context[Knobs], _: MediaItem) -> None:
        def talk() -> None:
            while True:
                ctx.log.info("still here")
                time.sleep(0.001)

        threading.Thread(target=talk, daemon=True).start()

    def do_look(self, _ctx: Context[Knobs], _: MediaItem) -> dict[str, Any]:
        return {
            "env": dict(os.environ),
            "path": sys.path,
            "session": os.getsid(0) == os.getpid() == os.getpgid(0),
            "memory": resource.getrlimit(resource.RLIMIT_AS)[0],
            "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
            "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        }

    def do_wait(self, ctx: Context[Knobs], _: MediaItem) -> list[float]:
        began = time.monotonic()
        time.sleep(ctx.settings.amount / 1000)
        return [began, time.monotonic()]


class Unloadable(Analyzer[None, Said]):
    name = "unloadable"
    version = 1
    accepts = ("image",)

    def __init__(self) -> None:
        raise RuntimeError("no model file")


class Outer:
    class Inner(Behave):
        name = "inner"
