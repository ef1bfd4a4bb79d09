"""Tables of what was understood; each has a title that says what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from rich.table import Table
from rich.text import Text

from adology.cli import output
from adology.store.flags import Flagged
from demo.relations import Group, Near, Related
from demo.understanding import Films, Pack, Read, Taxonomy, Understood

_LONGEST_LINE = 46
_QUESTIONS = {
    "iab_product": "sells (IAB)", "offer": "offer", "hook": "hook", "cta": "call to action", "angle": "angle",
    "funnel": "funnel", "language": "language",
}  # fmt: skip
_TOP, _ROWS, _FEW_ROWS = 3, 8, 5
_WHY = {"lost_decimal_point": "misread: the point is lost", "other_amount": "another price"}


def show_understood(told: Understood) -> None:
    """Everything that there is something of."""
    if told.read:
        _show("Creatives", "read on this machine, without keys", _read(told.read))
    if told.taxonomies:
        _show("Labels", "of creatives and copy, how often and how sure; what cannot be told stays unknown",
              _labels(told.taxonomies))  # fmt: skip
    if told.packs:
        _show("Scores", "share of the evaluated rules that hold, for each placement; no measure of quality",
              _scores(told.packs))  # fmt: skip
    if told.films:
        _show("Videos", "medians", _films(told.films))


def show_related(told: Related) -> None:
    """What comparing ads has found, and that nothing was found."""
    if told.late:
        output.hint(f"Not yet caught up with the commits, so there may be more: {', '.join(told.late)}.")
    about = "creatives that are one, changed; found after the commits by `adology follow`"
    _show("Near-duplicates", about if told.groups else "none", _groups(told.groups) if told.groups else None)
    about = "the picture names a price that the ad's own copy contradicts"
    _show("Price mismatches", about if told.mismatches else "none",
          _mismatches(told.mismatches) if told.mismatches else None)  # fmt: skip
    if told.near:
        _show("Alike", f"what looks like, and says the same as, ad {told.example} of {told.example_brand}",
              _near(told.near))  # fmt: skip


def describe_related(told: Related) -> str:
    """One line of numbers."""
    count = sum(len(flagged.details) for flagged in told.mismatches)
    found = [output.count(len(told.groups), "group of near-duplicates", "groups of near-duplicates")]
    return ", ".join([*found, output.count(count, "price that contradicts", "prices that contradict")])


def _show(title: str, about: str, table: Table | None) -> None:
    console = output.stdout()
    console.print(Text.assemble((title, "bold"), (f"  {about}", "dim")), soft_wrap=True)
    console.print(table if table is not None else "")


def _read(found: Mapping[str, Read]) -> Table:
    numbers = ("creatives", "with text", "lines", "prices", "highest risk")
    made = output.table("brand", *numbers, "reads, for example", right=numbers, flexible=("reads, for example",))
    for brand, one in found.items():
        suspect = f" ({one.suspect} suspect)" if one.suspect else ""
        made.add_row(
            Text(brand, style="bold"),
            *(Text(f"{number:,}") for number in (one.creatives, one.with_text, one.lines)),
            Text(f"{one.prices:,}{suspect}"),
            Text(f"{one.highest_risk:.2f}"),
            output.cut(one.example[:_LONGEST_LINE], "italic"),
        )
    return made


def _labels(found: Mapping[str, Taxonomy]) -> Table:
    made = output.table("", "known", "unknown", "most often", right=("known", "unknown"), flexible=("most often",))
    for name, title in _QUESTIONS.items():
        if name not in found:
            continue
        one = found[name]
        told = Text(no_wrap=True, overflow="ellipsis")
        for label, count in sorted(one.labels.items(), key=lambda pair: (-pair[1], pair[0]))[:_TOP]:
            sure = one.confidences[label] / count
            told.append("  " * bool(told)).append(f"{label} {count}").append(f" ({sure:.2f})", "dim")
        made.add_row(Text(title, style="bold"), Text(f"{one.known:,}"), Text(f"{one.unknown:,}", "dim"), told)
    return made


def _scores(found: Mapping[str, Pack]) -> Table:
    numbers = ("judged", "adherence", "no data")
    made = output.table("pack", *numbers, "fails most", right=numbers, flexible=("fails most",))
    packs = sorted(found.items(), key=lambda pair: (-pair[1].evaluated, pair[0]))
    for name, pack in packs[:_ROWS]:
        failed = ", ".join(f"{rule} {count}" for rule, count in pack.failed.most_common(_TOP))
        made.add_row(
            Text(f"{name}@{pack.date}", style="bold"),
            Text(f"{pack.evaluated:,} of {pack.subjects:,}"),
            Text(f"{pack.adherence / pack.evaluated:.0%}" if pack.evaluated else "-"),
            Text(f"{pack.lacking / max(1, pack.rules):.0%}", "dim"),
            output.cut(failed, "dim"),
        )
    return _more(made, len(packs) - _ROWS, "pack", columns=5)


def _films(found: Mapping[str, Films]) -> Table:
    numbers = ("videos", "length", "shots", "first cut", "loudness", "silent", "with faces")
    made = output.table("brand", *numbers, right=numbers)
    for brand, one in found.items():
        faces = f"{one.with_faces} of {one.looked_for_faces}" if one.looked_for_faces else "not looked for"
        made.add_row(
            Text(brand, style="bold"),
            Text(f"{one.videos:,}"),
            Text(f"{median(one.lengths_s):.1f} s"),
            Text(f"{one.shots / one.videos:.1f}"),
            Text(f"{median(one.first_cuts_s):.1f} s" if one.first_cuts_s else "none"),
            Text(f"{median(one.loudness):.1f} LUFS" if one.loudness else "-"),
            Text(f"{one.silent:,}"),
            Text(faces),
        )
    return made


def _groups(found: list[Group]) -> Table:
    made = output.table("creatives", "how", "sure", "brands", "ads, for example", right=("creatives", "sure"),
                        flexible=("brands", "ads, for example"))  # fmt: skip
    for group in found[:_FEW_ROWS]:
        made.add_row(
            Text(f"{len(group.members):,}", style="bold"),
            Text(", ".join(f"{kind} {count}" if count > 1 else kind for kind, count in group.kinds.most_common(_TOP))),
            Text(f"{group.confidence:.2f}", "dim"),
            output.cut(", ".join(_distinct(member.brand for member in group.members))),
            output.cut(", ".join(_distinct(member.ad for member in group.members)[:_TOP]), "dim"),
        )
    return _more(made, len(found) - _FEW_ROWS, "group", columns=5)


def _distinct(names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name]


def _mismatches(found: list[Flagged]) -> Table:
    made = output.table("brand", "ad", "in the picture", "in the copy", "sure", "why", right=("sure",),
                        flexible=("why",))  # fmt: skip
    lines: list[tuple[Flagged, Mapping[str, Any]]] = [(flagged, one) for flagged in found for one in flagged.details]
    for flagged, one in lines[:_FEW_ROWS]:
        made.add_row(
            Text(flagged.brand, style="bold"),
            Text(flagged.ad),
            Text(str(one["raw"])),
            Text(f"{one['copy_amount']} {one['currency']}".rstrip()),
            Text(f"{one['confidence']:.2f}", "dim"),
            output.cut(_WHY.get(one["why"], one["why"]), "dim"),
        )
    return _more(made, len(lines) - _FEW_ROWS, "mismatch", "mismatches", columns=6)


def _near(found: list[Near]) -> Table:
    made = output.table("how", "similar", "brand", "ad", "copy", right=("similar",), flexible=("copy",))
    for number, one in enumerate(found):
        is_first = not number or found[number - 1].how != one.how
        made.add_row(
            Text(one.how if is_first else "", "dim"),
            Text(f"{one.similarity:.3f}", style="bold"),
            Text(one.brand),
            Text(one.ad),
            output.cut(one.says, "dim"),
        )
    return made


def _more(made: Table, count: int, noun: str, plural: str = "", *, columns: int) -> Table:
    if count > 0:
        what = noun if count == 1 else plural or f"{noun}s"
        made.add_row(Text(f"… {count:,} more {what}", "dim"), *[""] * (columns - 1))
    return made
