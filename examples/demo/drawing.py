"""The world that the demo collects: drawn once for each seed and size, with a progress bar."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import upstreams.generator
from adology.cli import output
from adology.embedded import launch
from adology.errors import AdologyError
from upstreams.generator.fonts import find_typeface
from upstreams.generator.plan import BrandPlan
from upstreams.world import MEDIA_FOLDER, World, load_world

BRANDS = 3
KEEPS_FOR = timedelta(days=30)
"""A world's dates lead up to the day on which it was drawn; older ones would look abandoned."""
_DRAWN_BY = "drawn-by"
_POLL_S = 0.1
_LINE_EVERY_S = 3.0


def obtain_world(cache: Path, *, seed: int, ads: int) -> tuple[Path, bool]:
    """The folder of the world with that seed and size, and whether it was drawn now.

    Args:
        cache: where worlds are kept.
        seed: the same one draws the same world.
        ads: ads of each brand.
    """
    folder = cache / f"seed-{seed}-ads-{ads}"
    program = _program_hash()
    if _is_usable(folder, program):
        return folder, False
    half = cache / f".{folder.name}.{os.getpid()}"
    try:
        _draw(half, seed=seed, ads=ads)
        (half / _DRAWN_BY).write_text(program, "ascii")
        shutil.rmtree(folder, ignore_errors=True)
        half.rename(folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return folder, True


def describe_world(world: World) -> str:
    """One line of numbers."""
    kinds = [creative.kind for creative in world.creatives]
    return ", ".join(
        (
            output.count(len(world.brands), "brand"),
            output.count(sum(len(brand.ads) for brand in world.brands), "ad"),
            output.count(kinds.count("image"), "picture"),
            output.count(kinds.count("video"), "video"),
        )
    )


def _is_usable(folder: Path, program: str) -> bool:
    try:
        drawn_by = (folder / _DRAWN_BY).read_text("ascii")
        return drawn_by == program and date.today() - load_world(folder).made_on < KEEPS_FOR  # noqa: DTZ011 - as drawn
    except (OSError, ValueError):
        return False


def _program_hash() -> str:
    """Names the drawing code, so that a changed one draws anew."""
    files = sorted(Path(upstreams.generator.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _count_files(seed: int, ads: int) -> int:
    """How many media files the world will have."""
    typeface = find_typeface(None)
    plans = [BrandPlan(seed, index, typeface, date.today()) for index in range(BRANDS)]  # noqa: DTZ011 - as drawn
    for plan in plans:
        plan.make(ads, plans[0].specs if plan is not plans[0] else [])
    return sum(len(plan.specs) for plan in plans)


def _draw(folder: Path, *, seed: int, ads: int) -> None:
    """Run the generator in a process of its own, which ends with us, and show how far it is."""
    folder.mkdir(parents=True)
    # DEATHSIG 15: even when we are killed, the drawing stops.
    guard = [sys.executable, "-I", "-S", str(launch.__file__), str(os.getpid()), "15", "same"]
    size = ["--brands", str(BRANDS), "--ads", str(ads), "--seed", str(seed)]
    command = [*guard, sys.executable, "-m", "upstreams.generator", str(folder), *size]
    said = folder / "drawing.log"
    with (
        said.open("wb") as log,
        subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        ) as process,
    ):
        try:
            _watch(process, folder / MEDIA_FOLDER, _count_files(seed, ads))
        finally:
            process.terminate()
    if process.returncode != 0:
        last = said.read_text("utf-8", "replace").strip().splitlines()[-1:]
        raise AdologyError(f"the world could not be drawn: {' '.join(last) or f'exit code {process.returncode}'}.")


def _watch(process: subprocess.Popen[bytes], media: Path, expected: int) -> None:
    console = output.stderr()
    bars = Progress(
        TextColumn("  drawing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    started = last = time.monotonic()
    with bars:
        task = bars.add_task("drawing", total=expected)
        while process.poll() is None:
            drawn = sum(file.is_file() for file in media.rglob("*"))
            bars.update(task, completed=min(drawn, expected))
            if not console.is_terminal and time.monotonic() - last > _LINE_EVERY_S:
                last = time.monotonic()
                console.print(f"{last - started:6.1f} s  drawing: {drawn:,}/{expected:,}", markup=False)
            time.sleep(_POLL_S)
