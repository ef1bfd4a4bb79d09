"""Small pieces of the page. Everything that a stranger wrote goes through `words`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import msgspec

from adology.cli.analyze_words import LONG_TEXT, clean, clock, cut, is_blob


def words(text: object, most: int = 2000) -> str:
    """A stranger's text: escaped, and unable to turn the direction of what follows."""
    return f"<bdi>{escape(cut(str(text), most))}</bdi>"


def plain(text: object) -> str:
    """Our own words, or a name from a list of ours; escaped all the same."""
    return escape(clean(str(text)))


def quoted(text: object) -> str:
    """A stranger's text between quotes."""
    return f"<q>{words(text, 4 * LONG_TEXT)}</q>"


def bar(share: float | None, style: str = "") -> str:
    """A bar filled to a share of one."""
    wide = max(0.0, min(1.0, share or 0.0))
    return f'<span class="bar {style}"><i style="width:{wide:.1%}"></i></span>'


def badge(text: object, style: str = "") -> str:
    """A word in a frame."""
    return f'<span class="badge {style}">{plain(text)}</span>'


def chips(texts: Iterable[object]) -> str:
    """Words side by side."""
    return '<div class="chips">' + "".join(f'<span class="chip">{words(text, 120)}</span>' for text in texts) + "</div>"


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Names with values, in columns; what is empty is left out."""
    told = "".join(f"<div><dt>{plain(name)}</dt><dd>{words(value)}</dd></div>" for name, value in pairs if value != "")
    return f'<dl class="facts">{told}</dl>' if told else ""


def headed(title: str, inside: str) -> str:
    """A part with a heading; nothing where there is nothing in it."""
    return f"<h4>{plain(title)}</h4>{inside}" if inside else ""


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML already; nothing without rows."""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    head = "".join(f"<th>{plain(one)}</th>" for one in heads)
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>' if body else ""


def evidence(found: Iterable[Mapping[str, Any]]) -> str:
    """Where a label or a verdict comes from."""
    told = []
    for one in found:
        place = [f"line {one['line'] + 1}"] if isinstance(one.get("line"), int) else []
        if one.get("where"):
            place.append(str(one["where"]))
        if one.get("kind") in ("frame", "region"):
            place.append("seen in the picture" if one["kind"] == "frame" else "seen in a part of the picture")
        if one.get("time_s") is not None:
            place.append(f"at {clock(one['time_s'])}")
        text = str(one.get("text") or "")
        is_quote = bool(text) and (one.get("kind") in ("line", "copy") or "line" in one or "where" in one)
        inside = (quoted(text) if is_quote else words(text)) if text else ""
        told.append(" ".join(part for part in (inside, plain(", ".join(place))) if part))
    return " · ".join(dict.fromkeys(told))


def raw(result: Any) -> str:
    """The result as JSON, behind a click; what nobody reads is told by its length."""
    text = msgspec.json.format(msgspec.json.encode(_without_blobs(result)), indent=1).decode()
    return f'<details class="raw"><summary>JSON</summary><pre>{escape(_visible(text))}</pre></details>'


def _visible(text: str) -> str:
    r"""The text with letters that show nothing, or turn the direction, written as `\uXXXX`."""
    return "".join(letter if letter.isprintable() or letter == "\n" else f"\\u{ord(letter):04x}" for letter in text)


def _without_blobs(value: Any) -> Any:
    if isinstance(value, str):
        return f"({len(value):,} characters)" if is_blob(value) else value
    if isinstance(value, Mapping):
        return {key: _without_blobs(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        most = 400
        cut_off = [f"({len(value) - most:,} more)"] if len(value) > most else []
        return [_without_blobs(one) for one in value[:most]] + cut_off
    return value
