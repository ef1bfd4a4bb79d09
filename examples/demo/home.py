"""The demo's folder: made anew by each run, and never anybody else's."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from adology.embedded import read_state, stop_stack
from adology.embedded.home import Lock
from adology.errors import StackError

MARKER = ".adology-demo"
_NOTE = "This folder was made by `python -m demo`, whose next run deletes it.\n"


class DemoHome:
    """Paths of one demo. `cache` lies beside the home and outlives it."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.config = self.root / "adology.toml"
        self.world = self.root / "world"
        self.troubles = self.root / "troubles.json"
        self.customer_db = self.root / "customer.sqlite"
        self.keys = self.root / "keys"
        self.cache = self.root.with_name(f"{self.root.name}-world")
        self._lock = Lock(self.root.with_name(f".{self.root.name}.lock"))

    def claim(self) -> None:
        """Become the only demo of this home until the process ends.

        Raises:
            StackError: another one is at work on it.
        """
        self.root.parent.mkdir(parents=True, exist_ok=True)
        if not self._lock.try_acquire():
            raise StackError(
                f"another demo is at work on {self.root}.",
                hint="Wait for it, or give this one another --home.",
                code="ADO-5509",
            )

    def check_ours(self) -> None:
        """Raise unless the home is a demo's, or nobody's yet.

        Raises:
            StackError: it holds something else.
        """
        if not self.root.exists() or (self.root / MARKER).is_file():
            return
        if not self.root.is_dir() or any(self.root.iterdir()):
            raise StackError(
                f"{self.root} is not a demo's home (it has no {MARKER}), and the demo would delete it.",
                hint="Give an empty or new folder as --home.",
                code="ADO-5501",
            )

    def prepare(self, *, keep: bool) -> None:
        """Make the home, anew unless `keep`; what `adology up` left running on it is stopped first."""
        self.check_ours()
        if read_state(self.root).pid is not None:
            stop_stack(self.root)
        if not keep and self.root.exists():
            self._put_away()
        for folder in (self.root, self.keys):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.root / MARKER).write_text(_NOTE, "utf-8")

    def _put_away(self) -> None:
        """Delete the home while the rest goes on: with a database in it, that takes seconds."""
        old = self.root.with_name(f".{self.root.name}.old")
        if (old / MARKER).is_file():  # of a run that was killed
            shutil.rmtree(old, ignore_errors=True)
        self.root.rename(old)
        threading.Thread(target=shutil.rmtree, args=(old,), kwargs={"ignore_errors": True}).start()
