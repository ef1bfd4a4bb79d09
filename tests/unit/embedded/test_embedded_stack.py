"""The supervisor with small programs in place of servers: starting, failing, being killed, ending."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adology.embedded import Options, StackState, read_state, start_stack, stop_stack, supervisor
from adology.embedded.processes import is_alive
from adology.embedded.servers.tcp import fetch_status
from adology.errors import StackError
from tests.unit.embedded.conftest import CRASHING, IDLE, STUBBORN, WEB, make_program, processes_of, wait_for

SETTINGS = {"registry.url": "http://127.0.0.1:{port}"}
WEB_PROGRAM = make_program("web", WEB, port=0, health="/", settings=SETTINGS)
IDLE_PROGRAM = make_program("idle", IDLE, after=("web",))


def start(home: Path, *programs: object, timeout: float = 30.0, **options: object) -> StackState:
    return start_stack(
        home,
        only=(),
        programs=programs or (WEB_PROGRAM, IDLE_PROGRAM),  # type: ignore[arg-type]  # programs, told loosely
        options=Options(**options),  # type: ignore[arg-type]  # as above
        timeout=timeout,
    )


def test_up_returns_when_everything_answers_and_down_leaves_no_process(home: Path) -> None:
    seen: list[str] = []
    state = start_stack(
        home, only=(), programs=(IDLE_PROGRAM, WEB_PROGRAM), watch=lambda s: seen.append(s.services["idle"].state)
    )

    url = tomllib.loads((home / "stack.toml").read_text("utf-8"))["registry"]["url"]
    assert asyncio.run(fetch_status(int(url.rpartition(":")[2]), "/")) == 200
    assert seen[0] == "waiting"
    assert seen[-1] == "ready"
    assert "web says hello" in (home / "logs" / "web.log").read_text("utf-8")
    for path in (home / "stack.toml", home / "state.json", home / "logs" / "web.log", home / "run" / "options.json"):
        assert path.stat().st_mode & 0o077 == 0, path

    last = stop_stack(home)
    assert {name: s.last_exit for name, s in last.services.items()} == {"web": "stopped", "idle": "stopped"}
    assert [p for p in processes_of(state) if is_alive(*p)] == []
    assert stop_stack(home).state == "stopped"


def test_up_is_harmless_while_it_runs_and_refuses_what_does_not_run(home: Path) -> None:
    first = start(home)
    again = start(home)
    assert (again.token, again.pid) == (first.token, first.pid)

    with pytest.raises(StackError, match=r"a stack without extra already runs in .*\(supervisor pid \d+\).*down"):
        start(home, WEB_PROGRAM, make_program("extra", IDLE))
    assert read_state(home).is_ready


def test_two_ups_at_once_make_one_stack(home: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: start(home), range(2))
    assert first.token == second.token
    assert read_state(home).is_ready


def test_an_up_right_after_a_down_that_is_not_over_waits_for_it(home: Path) -> None:
    """GIVEN a stack on its way out WHEN up asks for something else THEN it waits instead of failing."""
    state = start(home, make_program("slow", IDLE.replace("sys.exit(0)", "(time.sleep(1), sys.exit(0))")))
    os.kill(state.pid or 0, signal.SIGTERM)
    wait_for(lambda: read_state(home).state == "stopping")
    again = start(home, IDLE_PROGRAM)
    assert again.is_ready
    assert again.token != state.token


def test_a_dead_program_is_started_again_and_keeps_its_port(home: Path) -> None:
    before = start(home).services["web"]
    os.kill(before.pid or 0, signal.SIGKILL)
    wait_for(lambda: read_state(home).services["web"].restarts == 1 and read_state(home).is_ready)

    after = read_state(home).services["web"]
    assert (after.port, after.last_exit) == (before.port, "killed by SIGKILL")
    assert after.pid != before.pid


def test_children_do_not_outlive_a_killed_supervisor_and_up_works_again(home: Path) -> None:
    killed = start(home, WEB_PROGRAM, IDLE_PROGRAM)
    os.kill(killed.pid or 0, signal.SIGKILL)
    wait_for(lambda: not any(is_alive(*p) for p in processes_of(killed)))
    state = read_state(home)
    assert (state.state, {s.state for s in state.services.values()}) == ("stopped", {"stopped"})

    again = start(home)
    assert again.token != killed.token
    assert again.services["web"].port == killed.services["web"].port


def test_what_a_killed_supervisor_could_not_end_is_ended_by_down(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIVEN a program deaf to SIGTERM WHEN its supervisor is killed THEN down ends it nevertheless."""
    monkeypatch.setattr(supervisor, "_LEFTOVER_GRACE_S", 0.3)
    state = start(home, make_program("deaf", STUBBORN, grace_s=0.5))
    os.kill(state.pid or 0, signal.SIGKILL)
    wait_for(lambda: not is_alive(state.pid, state.create_time))
    deaf = read_state(home).services["deaf"]
    assert is_alive(deaf.pid, deaf.create_time)

    assert stop_stack(home).services["deaf"].last_exit == "killed"
    assert not is_alive(deaf.pid, deaf.create_time)


def test_a_program_deaf_to_sigterm_is_killed_after_its_grace_period(home: Path) -> None:
    state = start(home, make_program("deaf", STUBBORN, grace_s=0.3))
    started = time.monotonic()
    assert stop_stack(home).services["deaf"].last_exit == "killed"
    assert 0.3 <= time.monotonic() - started < 5
    assert [p for p in processes_of(state) if is_alive(*p)] == []


def test_down_with_a_short_timeout_does_not_wait_out_the_grace_period(home: Path) -> None:
    start(home, make_program("deaf", STUBBORN, grace_s=60))
    started = time.monotonic()
    stop_stack(home, timeout=0.3)
    assert time.monotonic() - started < 5
    assert read_state(home).state == "stopped"


def test_programs_end_before_what_they_need(home: Path) -> None:
    note = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: (print(time.time_ns()), sys.exit(0)))\n"
    needed = make_program("needed", note + "time.sleep(600)")
    user = make_program("user", note.replace("lambda *_: (", "lambda *_: (time.sleep(0.3), ") + "time.sleep(600)")
    start(home, needed, make_program("user", user.argv[3], after=("needed",)))
    stop_stack(home)
    ended = {name: int((home / "logs" / f"{name}.log").read_text("utf-8")) for name in ("needed", "user")}
    assert ended["user"] < ended["needed"]


def test_a_program_that_keeps_dying_is_named_with_its_last_words_and_nothing_is_left(home: Path) -> None:
    with pytest.raises(StackError) as caught:
        start(home, WEB_PROGRAM, make_program("shop", CRASHING, settle_s=5), max_quick_deaths=2)
    text = str(caught.value)
    assert "shop does not start: gave up after 2 quick deaths in a row" in text
    assert "exit code 3" in text
    assert "cannot open the shop" in text
    assert "hunter22" not in text
    assert f"The whole log is {home / 'logs' / 'shop.log'}" in text
    state = read_state(home)
    assert state.pid is None
    assert [s.name for s in state.services.values() if is_alive(s.pid, s.create_time)] == []


def test_a_program_that_cannot_be_run_at_all_is_named(home: Path) -> None:
    missing = make_program("missing", IDLE)
    with pytest.raises(StackError, match=r"(?s)missing does not start: .*cannot run /nowhere/at/all: No such file"):
        start(home, type(missing)(name="missing", argv=("/nowhere/at/all",), settle_s=5), max_quick_deaths=1)


def test_what_is_not_ready_in_time_is_named_and_stopped(home: Path) -> None:
    silent = make_program("silent", IDLE, port=0, health="/")
    with pytest.raises(StackError, match=r"not ready after 2 s: silent \(starting"):
        start(home, silent, timeout=2)
    assert read_state(home).pid is None


def test_a_taken_fixed_port_is_named_with_its_holder(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(StackError) as caught:
            start(home, WEB_PROGRAM, ports={"web": port})
    assert caught.value.code == "ADO-5502"
    assert f"port {port}, asked for by web, is in use by " in str(caught.value)
    assert f"(pid {os.getpid()})" in str(caught.value)
    assert "give web another port" in str(caught.value)


def test_a_fixed_port_is_used(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert start(home, WEB_PROGRAM, ports={"web": port}).services["web"].port == port


@pytest.mark.parametrize("content", [b"", b"\x00\xff garbage", b'{"pid": "many"}', b"[]"])
def test_a_damaged_state_file_is_no_obstacle(home: Path, content: bytes) -> None:
    home.mkdir()
    (home / "state.json").write_bytes(content)
    assert read_state(home).state == "stopped"
    assert start(home, IDLE_PROGRAM).is_ready
    (home / "state.json").write_bytes(content)
    wait_for(lambda: read_state(home).is_ready)


def test_a_reused_pid_in_the_state_file_is_left_alone(home: Path) -> None:
    """GIVEN a state whose pids now belong to somebody else THEN up works and somebody else lives on."""
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        home.mkdir()
        (home / "state.json").write_text(
            f'{{"token":"old","pid":{stranger.pid},"create_time":1.0,"state":"ready",'
            f'"services":{{"idle":{{"name":"idle","pid":{stranger.pid},"create_time":1.0,"state":"ready"}}}}}}',
            "utf-8",
        )
        assert read_state(home).state == "stopped"
        assert start(home, IDLE_PROGRAM).is_ready
        stop_stack(home)
        assert stranger.poll() is None
        stranger.communicate(b"\n")


def test_the_stack_ends_with_its_owner(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as owner:
        state = start(home, IDLE_PROGRAM, owner=owner.pid)
        assert read_state(home).is_ready
        owner.kill()
    wait_for(lambda: not any(is_alive(*p) for p in processes_of(state)))
    assert read_state(home).state == "stopped"


def test_the_stack_ends_when_its_home_is_deleted(home: Path) -> None:
    state = start(home, IDLE_PROGRAM)
    shutil.rmtree(home)
    wait_for(lambda: not any(is_alive(*p) for p in processes_of(state)))


def test_full_logs_are_turned_over_while_the_program_writes_on(home: Path) -> None:
    chatty = make_program(
        "chatty", "import time\nfor n in range(10**9):\n    print(f'line {n:06}', flush=True)\n    time.sleep(0.001)"
    )
    start(home, chatty, log_bytes=2000)
    log, older = home / "logs" / "chatty.log", home / "logs" / "chatty.log.1"
    wait_for(lambda: older.exists() and older.stat().st_size > 2000)
    wait_for(lambda: log.stat().st_size > 0)
    assert older.stat().st_mode & 0o077 == 0
    assert b"\x00" not in log.read_bytes()


def test_unusable_program_names_are_refused(home: Path) -> None:
    with pytest.raises(StackError, match="program names must be unique and unlike the servers' own; got idle, idle"):
        start(home, IDLE_PROGRAM, IDLE_PROGRAM)
    with pytest.raises(StackError, match=r"there is no embedded server 'oracle'\. Known: postgres, mongo, aws"):
        start_stack(home, only=("oracle",))
