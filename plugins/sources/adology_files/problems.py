"""What could not be read: collected while the rest goes on, told at the end."""

from __future__ import annotations

from pathlib import Path

SHOWN = 20


class Problems:
    """The first problems in words, the others as a count."""

    def __init__(self) -> None:
        self.count = 0
        self._shown: list[str] = []

    def add(self, where: Path | str, what: str, line: int | None = None) -> None:
        """Note one problem: where it is, what was seen."""
        self.count += 1
        if len(self._shown) < SHOWN:
            place = f"{where} line {line}" if line is not None else str(where)
            self._shown.append(f"{show(place)}: {show(what)}")

    def __str__(self) -> str:
        rest = self.count - len(self._shown)
        return "; ".join(self._shown) + (f"; and {rest} more" if rest else "")


def show(text: str) -> str:
    """Text that any log and store takes; file names may hold anything."""
    return " ".join(text.encode("utf-8", "replace").decode().split())
