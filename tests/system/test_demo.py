"""The demo as a user runs it: a program of its own, with servers, vendors and workers of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from adology.embedded import SERVERS, read_state
from adology_facebook.settings import EU_AND_UK
from demo.home import MARKER
from demo.troubles import PASSING, Trouble, plan_troubles, read_troubles
from upstreams.world import World, WorldAd, WorldBrand, load_world

pytestmark = [pytest.mark.stack, pytest.mark.timeout(170), pytest.mark.xdist_group("demo")]

ADS = 14
"""The least with which a creative of one brand runs at another as well."""
LONGEST_S = 140
NUMBERS = ("ads", "assets", "duplicates", "analyses", "reused", "failures")


class Row(msgspec.Struct):
    """One line of the table at the end."""

    ads: int
    assets: int
    duplicates: int
    analyses: int
    reused: int
    failures: int


class Truth(msgspec.Struct):
    """What a brand's line must say, and the files by which its good media are told apart."""

    ads: int
    assets: int
    failures: int
    good: list[str]


class Run(msgspec.Struct):
    """A demo that has ended."""

    home: Path
    code: int
    out: str
    progress: str

    @property
    def world(self) -> World:
        return load_world(self.home / "world")

    @property
    def troubles(self) -> list[Trouble]:
        return read_troubles(self.home / "troubles.json")

    @property
    def rows(self) -> dict[str, Row]:
        lines = (line.replace("committed", "").replace(",", "").split() for line in self.out.splitlines())
        names = {*(brand.id for brand in self.world.brands), "all"}
        tables = [line for line in lines if line and line[0] in names and len(line) > len(NUMBERS)]
        return {name: Row(*map(int, numbers[: len(NUMBERS)])) for name, *numbers in tables[: len(names)]}


def run_demo(home: Path, *arguments: str) -> Run:
    command = [sys.executable, "-m", "demo", "--light", "--home", str(home), *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=home.parent, start_new_session=True
    ) as process:
        try:
            out, progress = process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            out, progress = process.communicate()
            logs = [log.read_text("utf-8")[-2000:] for log in sorted((home / "logs").glob("worker-*.log"))]
            pytest.fail(f"the demo had not ended after {LONGEST_S} s\n{progress}\n{out}\n" + "\n".join(logs))
    return Run(home=home, code=process.returncode, out=out, progress=progress)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_demo(tmp_path_factory.mktemp("demo") / "home", "--ads", str(ADS))


def truth_of(brand: WorldBrand, run: Run) -> Truth:
    """What the vendors show of a brand, less the files that troubles make useless."""
    creatives = {creative.id: creative for creative in run.world.creatives}
    bad = {trouble.creative for trouble in run.troubles if trouble.kind not in PASSING}
    ads = [ad for ad in brand.ads if is_shown(ad)]
    used = [(ad, creatives[name]) for ad in ads for name in ad.creatives]
    good = [creative.sha256 for _, creative in used if creative.id not in bad]
    # Meta serves a picture of each video beside it.
    good += [f"preview of {c.sha256}" for ad, c in used if ad.network == "meta" and c.kind == "video"]
    failures = sum(creative.id in bad for _, creative in used)
    return Truth(ads=len(ads), assets=len(set(good)), failures=failures, good=good)


def is_shown(ad: WorldAd) -> bool:
    return ad.network != "meta" or bool({*ad.countries} & {*EU_AND_UK})


def processes_of(home: Path) -> list[psutil.Process]:
    """Everything that works on the home: our services carry it in their environment, servers in their arguments."""
    found = []
    for process in psutil.process_iter():
        try:
            places = [*process.cmdline(), process.environ().get("ADOLOGY_HOME", "")]
        except psutil.Error:
            continue
        if any(str(home) in place for place in places):
            found.append(process)
    return found


def test_the_demo_commits_every_brand_and_says_what_the_world_holds(finished: Run) -> None:
    assert finished.code == 0, finished.progress
    truths = {brand.id: truth_of(brand, finished) for brand in finished.world.brands}
    rows = finished.rows
    assert {*rows} == {*truths, "all"}
    for brand, truth in truths.items():
        assert rows[brand].ads == truth.ads
        assert rows[brand].assets == truth.assets
        assert rows[brand].failures == truth.failures
    media = [file for truth in truths.values() for file in truth.good]
    # Every copy beyond the first is spared, within a brand and between brands.
    assert len(media) > len(set(media)) > max(truth.assets for truth in truths.values())
    assert rows["all"].duplicates == len(media) - len(set(media))
    assert rows["all"].analyses > len(set(media))


def test_each_file_that_cannot_be_had_is_named_with_its_reason(finished: Run) -> None:
    table = finished.out[finished.out.index("for example") :]
    reasons = {"half": "truncated", "page": "text/html", "gone": "answered 410"}
    found = {trouble.kind: trouble for trouble in finished.troubles if trouble.kind not in PASSING}
    assert found.keys() == reasons.keys()
    for kind, reason in reasons.items():
        assert found[kind].file in table  # type: ignore[index]  # the same words
        assert reason in table
    assert finished.rows["all"].failures == len(found)


def test_old_addresses_are_found_anew_and_broken_transfers_tried_again(finished: Run) -> None:
    assert "3 old addresses found anew, 1 broken transfer tried again" in finished.progress


def test_progress_and_insights_of_each_brand_are_shown_as_plain_lines(finished: Run) -> None:
    assert "\x1b" not in finished.out + finished.progress
    insights = finished.out[finished.out.index("Insights") : finished.out.index("Look further")]
    for brand in finished.world.brands:
        assert re.search(rf"^ *[\d.]+ s  {brand.id}: done: ", finished.progress, re.MULTILINE)
        public = sum(is_shown(ad) for ad in brand.ads if ad.network != "customer")
        assert re.search(rf"^ *{brand.id} +{public} ", insights, re.MULTILINE)


def test_a_customer_sees_it_all_through_the_api(finished: Run) -> None:
    shown = finished.out[finished.out.index("Brandspace") :]
    space, rest = shown.split("Feed", 1)
    feed, refresh = rest.split("Refresh", 1)
    roles = ["primary", "competitor", "competitor"]
    for brand, role in zip(finished.world.brands, roles, strict=True):
        ads = truth_of(brand, finished).ads
        assert re.search(rf"^ *{brand.id} +{role} +{ads} ", space, re.MULTILINE), space
    assert re.search(r"^ *lumen-outdoor +followed +0 ", space, re.MULTILINE)
    assert any(re.search(rf"^ *{brand.id} +\w+", feed, re.MULTILINE) for brand in finished.world.brands)
    statuses = re.findall(r"^ *\d+ +(\w+)", refresh, re.MULTILINE)
    assert (statuses[0], statuses[-1]) == ("queued", "completed")


def test_nothing_runs_after_the_demo(finished: Run) -> None:
    assert processes_of(finished.home) == []


@pytest.mark.slow
def test_the_commands_to_look_further_work_as_they_are_printed(finished: Run) -> None:
    steps = finished.out[finished.out.index("Look further") :].splitlines()[1:]
    commands = [re.split(r"\s{2,}", line.strip())[0] for line in steps if line.strip()]
    assert [command.split()[-1] for command in commands[1:4]] == ["up", "list", "list"]
    script = "\n".join(command for command in commands if " -m demo " not in command)
    try:
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=finished.home.parent,
        )
    finally:
        subprocess.run([sys.executable, "-m", "adology.cli", "--home", str(finished.home), "down"], check=True)
    assert done.returncode == 0, done.stderr
    for brand in finished.world.brands:
        assert done.stdout.count(brand.id) >= 2
    assert processes_of(finished.home) == []


@pytest.mark.slow
def test_a_second_run_on_kept_data_analyses_nothing_again(finished: Run) -> None:
    again = run_demo(finished.home, "--ads", str(ADS), "--keep")
    assert again.code == 0, again.progress
    assert again.rows["all"].analyses == 0
    assert again.rows["all"].duplicates > 0


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A demo in a process group of its own, as a shell starts it; its progress goes to a file."""
    command = [
        sys.executable,
        "-m",
        "demo",
        "--light",
        "--home",
        str(tmp_path / "home"),
        "--ads",
        "2",
        "--workers",
        "1",
    ]
    with (tmp_path / "progress").open("wb") as progress:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=progress, start_new_session=True)
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def wait_for(tmp_path: Path, text: str, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while text not in (tmp_path / "progress").read_text("utf-8"):
        assert running.poll() is None, (tmp_path / "progress").read_text("utf-8")
        assert time.monotonic() < deadline, f"no {text!r} in time"
        time.sleep(0.05)


@pytest.mark.parametrize(
    "moment",
    ["Adology: three", "· trouble", pytest.param("✓ brands", marks=pytest.mark.slow)],
    ids=["drawing", "starting", "gathering"],
)
def test_ctrl_c_stops_everything(running: subprocess.Popen[bytes], tmp_path: Path, moment: str) -> None:
    wait_for(tmp_path, moment, running)
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(90) == 130, (tmp_path / "progress").read_text("utf-8")
    assert processes_of(tmp_path) == []


@pytest.mark.slow
def test_a_killed_demo_leaves_nothing_running(running: subprocess.Popen[bytes], tmp_path: Path) -> None:
    wait_for(tmp_path, "✓ brands", running)
    assert len(processes_of(tmp_path)) > len(SERVERS)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait(10)
    deadline = time.monotonic() + 90
    while left := processes_of(tmp_path):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


@pytest.mark.slow
def test_servers_that_end_meanwhile_end_the_demo_with_an_error(
    running: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    wait_for(tmp_path, "✓ brands", running)
    supervisor = read_state(tmp_path / "home").pid
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    assert running.wait(90) == 1
    assert "error: the servers were stopped from outside." in (tmp_path / "progress").read_text("utf-8")
    assert processes_of(tmp_path) == []


def test_a_folder_that_is_no_demo_home_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "home" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years of work")
    refused = run_demo(tmp_path / "home", "--ads", "1")
    assert refused.code == 1
    assert f"not a demo's home (it has no {MARKER})" in refused.progress
    assert [*precious.parent.iterdir()] == [precious]


def test_troubles_strike_creatives_that_one_ad_uses(finished: Run) -> None:
    world = finished.world
    planned = plan_troubles(world)
    assert planned == finished.troubles
    assert len({trouble.creative for trouble in planned}) == len(planned)
    for trouble in planned:
        users = [ad.id for brand in world.brands for ad in brand.ads if trouble.creative in ad.creatives]
        assert len(users) == 1
