"""Any result of any analyzer in a few words, and the words that its numbers are told in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

FEW = 4
LONG_TEXT = 70
BLOB = 200
_TITLES = ("text", "label", "id", "name", "amount", "url", "code", "category", "raw", "hex", "kind")
"""Fields that name an entry of a list, the best first."""
_UNITS = re.compile(r"_(s|px|lufs)$")
_SIGNS = {"lufs": "LUFS"}
_HOUR_S, _MINUTE_S = 3600, 60


def summary(result: Any) -> Iterator[tuple[str, str]]:
    """Names and short values of a result; what is empty is left out."""
    if not isinstance(result, Mapping):
        yield "result", short(result)
        return
    for name, value in result.items():
        if value not in (None, "", [], {}):
            yield clean(str(name)).replace("_", " "), short(value)


def short(value: Any) -> str:
    """A value in at most a line, whatever it is."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return number(value)
        case str():
            return _text(value)
        case Mapping():
            if value.keys() <= {"low", "high"} and "low" in value:
                return between(value["low"], value.get("high"))
            inner = ", ".join(
                f"{clean(str(key))} {short(each)}" for key, each in list(value.items())[:FEW] if each not in (None, "")
            )
            return f"{inner}{' …' if len(value) > FEW else ''}"
        case list() | tuple():
            return _list(value)
        case _:
            return str(value)


def clean(text: str) -> str:
    """The text on one line, without what steers terminals or turns the direction of reading."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def cut(text: str, most: int = LONG_TEXT) -> str:
    """The text on one line, at most so many letters and an ellipsis."""
    line = clean(text)
    return line if len(line) <= most else f"{line[:most].rstrip()}…"


def number(value: float) -> str:
    """A number with as many digits as people read: no exponent, no zeros at the end."""
    if not math.isfinite(value):
        return str(value)
    digits = 0 if abs(value) >= 100 else 3 if abs(value) < 1 else 2  # noqa: PLR2004 - powers of ten
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float) -> str:
    """A share of one."""
    return f"{share:.0%}"


def between(low: Any, high: Any) -> str:
    """A range; one number where both ends are the same."""
    if high is None:
        return f"≥ {short(low)}"
    a, b = short(low), short(high)
    return a if a == b else f"{a}–{b}"  # noqa: RUF001 - the dash of ranges


def clock(seconds: float) -> str:
    """A moment of a film: `0:04.8`, `1:02:03`."""
    if seconds >= _HOUR_S:
        whole = int(seconds)
        return f"{whole // _HOUR_S}:{whole % _HOUR_S // _MINUTE_S:02d}:{whole % _MINUTE_S:02d}"
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths % 600 // 10:02d}.{tenths % 10}"


def named(field: str, value: Any) -> tuple[str, str]:
    """A field's name in words and its value with the unit that the name ends in."""
    unit = _UNITS.search(field)
    told = short(value)
    if unit is None:
        return clean(field).replace("_", " "), told
    if not told:
        return clean(field[: unit.start()]).replace("_", " "), ""
    return clean(field[: unit.start()]).replace("_", " "), f"{told} {_SIGNS.get(unit[1], unit[1])}"


def seen(verdict: Mapping[str, Any]) -> str:
    """What a rule's measure came to, with its unit."""
    value = verdict.get("seen")
    if value is None:
        return ""
    told = between(value, verdict.get("seen_to")) if verdict.get("ranged") else short(value)
    unit = str(verdict.get("unit", ""))
    return f"{told} {unit}" if unit in ("s", "px", "LUFS") else told


def threshold(verdict: Mapping[str, Any]) -> str:
    """What a rule asks for."""
    asked = clean(str(verdict.get("threshold", "")))
    return f"{asked} is asked" if verdict.get("unit") == "flag" else asked


def is_blob(value: str) -> bool:
    """Whether the text is nothing to read: a vector, a picture."""
    return len(value) > BLOB and " " not in value[:BLOB]


def _text(value: str) -> str:
    return f"{len(value):,} characters" if is_blob(value) else cut(value)


def _list(values: Sequence[Any]) -> str:
    if all(isinstance(each, int | float) for each in values) and len(values) > 2 * FEW:
        return f"{len(values):,} numbers"
    shown = ", ".join(_entry(each) for each in values[:FEW])
    return shown if len(values) <= FEW else f"{shown} … ({len(values):,})"


def _entry(value: Any) -> str:
    if isinstance(value, Mapping):
        title = next((value[name] for name in _TITLES if value.get(name)), None)
        if title is not None:
            return short(title)
    return short(value)
