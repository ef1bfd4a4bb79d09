"""Programs in the place of a child that do not speak its language: each is killed and described."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from adology.errors import AnalyzerCrashedError, Retry
from adology.isolation import IsolatedPool, process, wire
from tests.unit.isolation.conftest import Asker

pytestmark = pytest.mark.anyio


def impostor(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """From now on a child is a program that writes what `body` says."""
    program = folder / "python"
    lines = ("import os, signal, struct, sys, time", "say = lambda data: os.write(1, data)", body)
    program.write_text("\n".join((f"#!{sys.executable}", *lines, "")))
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))


def framed(*messages: wire.FromChild) -> bytes:
    return b"".join(wire.HEADER.pack(len(data)) + data for data in map(wire.encode, messages))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("say(struct.pack('>I', 3) + b'no!')", "wrote nonsense into its pipe and was killed"),
        ("say(struct.pack('>I', 1 << 30))", "sent a message of 1073741824 bytes and was killed"),
        (f"say({framed(wire.Started())!r})", "it began with Started"),
        ("os.close(1); time.sleep(30)", "closed its pipe and was killed"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "died of SIGKILL"),
        ("os.kill(os.getpid(), 40)", "died of signal 40"),
    ],
)
async def test_child_that_begins_wrong_is_told_how(
    body: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_REAP_S", 0.2)
    impostor(tmp_path, monkeypatch, body)
    async with IsolatedPool(1) as pool:
        with pytest.raises(Retry, match=f"could be started: {words}"):
            await Asker(pool, tmp_path)("well")


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ((), "took longer than 0.2 s to load and was killed"),
        ((wire.Started(), wire.Started()), "sent Started out of turn and was killed"),
        ((wire.Started(), wire.Hello()), "sent Hello out of turn and was killed"),
    ],
)
async def test_child_that_answers_wrong_is_told_how(
    answers: tuple[wire.FromChild, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOAD_S", 0.2)
    impostor(tmp_path, monkeypatch, f"say({framed(wire.Hello(), *answers)!r}); time.sleep(30)")
    async with IsolatedPool(1) as pool:
        with pytest.raises(AnalyzerCrashedError, match=rf"Behave on abababababab: its process {words}\."):
            await Asker(pool, tmp_path)("well")
