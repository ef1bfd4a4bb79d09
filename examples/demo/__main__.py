"""``python -m demo``: the command line."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

from adology.cli import output
from adology.errors import AdologyError, code_of, describe
from adology.log import setup_logging
from demo.interrupts import end_as_by_ctrl_c
from demo.run import Options, run

INTERRUPTED = 130
MOST_ADS = 2000


def main(arguments: list[str] | None = None) -> int:
    """Run the demo: 0 when every batch was committed, 1 when not, 130 after Ctrl-C."""
    options = _parse(arguments)
    _forget_settings()
    setup_logging(level="WARNING", style="text")
    end_as_by_ctrl_c()
    try:
        return run(options)
    except KeyboardInterrupt:
        output.hint("interrupted; nothing is left running")
        return INTERRUPTED
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except AdologyError as error:
        output.print_error(describe(error), code_of(error))
        return 1


def _parse(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m demo", description="Collect three brands on this machine.")
    parser.add_argument("--ads", type=int, default=20, help="ads of each brand (default: 20)")
    parser.add_argument("--seed", type=int, default=7, help="the same one draws the same world (default: 7)")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (default: 2)")
    parser.add_argument("--home", type=Path, default=Path(".build/demo"), help="folder (default: .build/demo)")
    parser.add_argument("--light", action="store_true", help="without the analyzers that use models: faster")
    parser.add_argument("--keep", action="store_true", help="go on with the data of the last run")
    given = parser.parse_args(arguments)
    if not 1 <= given.ads <= MOST_ADS:
        parser.error(f"--ads {given.ads}: allowed are 1 to {MOST_ADS}")
    if given.workers < 1:
        parser.error(f"--workers {given.workers}: at least 1 is needed")
    return Options(
        ads=given.ads, seed=given.seed, workers=given.workers, home=given.home, keep=given.keep, light=given.light
    )


def _forget_settings() -> None:
    """Take no settings from the environment: they may be those of a system in earnest."""
    for name in [name for name in os.environ if name.startswith("ADOLOGY_")]:
        del os.environ[name]


if __name__ == "__main__":
    sys.exit(main())
