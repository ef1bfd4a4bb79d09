"""Pieces of text that fill lines: none is broken, too long ones are cut, too many are counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

GAP = "  "
NARROWEST = 24


class Flow(NamedTuple):
    """One paragraph: `head`, then the pieces, on at most `rows` lines; the rest is counted.

    Lines after the first are moved in by `indent`.
    """

    pieces: Sequence[Text]
    head: Text | None = None
    rows: int = 3
    indent: int = 2
    gap: str = GAP


def fill(flow: Flow, width: int) -> list[Text]:
    """The lines of the paragraph, none wider than `width`."""
    lines = [_harmless(flow.head) if flow.head else Text()]
    for number, piece in enumerate(map(_harmless, flow.pieces)):
        left = len(flow.pieces) - number
        last = len(lines) == flow.rows
        reserve = len(_more(left - 1, flow.gap)) if last and left > 1 else 0
        gap = flow.gap if lines[-1].plain.strip() else ""
        if lines[-1].cell_len + len(gap) + piece.cell_len + reserve <= width:
            lines[-1].append(gap).append_text(piece)
        elif not last and lines[-1].plain.strip():
            lines.append(Text(" " * flow.indent).append_text(piece))
        elif not lines[-1].plain.strip():
            lines[-1].append_text(piece)
        else:
            _fit(lines[-1], width - len(_more(left, flow.gap)))
            lines[-1].append(_more(left, flow.gap), style="dim")
            break
    for line in lines:
        _fit(line, width)
    return [line for line in lines if line.plain.strip()]


def _harmless(text: Text) -> Text:
    """A copy without letters that steer terminals or turn the direction of reading: strangers wrote some of it."""
    copy = text.copy()
    copy.plain = "".join(letter if letter.isprintable() else " " for letter in text.plain)
    return copy


def _more(count: int, gap: str) -> str:
    return f"{gap}… {count:,} more" if count else ""


def _fit(line: Text, width: int) -> None:
    if line.cell_len > width:
        line.truncate(max(1, width), overflow="ellipsis")


class Told:
    """Paragraphs as a cell of a table: they fill whatever width there is."""

    def __init__(self, flows: Sequence[Flow]) -> None:
        self.flows = flows

    def lines(self, width: int) -> Iterator[Text]:
        """All lines at this width."""
        for flow in self.flows:
            yield from fill(flow, width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.lines(options.max_width):
            line.no_wrap = True
            yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        longest = max((line.cell_len for line in self.lines(options.max_width)), default=0)
        return Measurement(min(NARROWEST, longest), longest)
