"""Pictures of the page: small copies within it, with boxes that say what stands there."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError

from adology.cli.analyze_shapes import OF_ANOTHER_KIND, Shape, entries, shape_of
from adology.cli.analyze_words import percent, seen
from adology.cli.page_parts import plain, words

LONGEST_PX = 1100
SHEET_PX = 1280
NAV_PX = 68
MOST_PIXELS = 60_000_000
_CORNERS = 4
_MIDDLE, _LOW = 0.5, 0.75


class Box(NamedTuple):
    """One place on the picture: left, top, right, bottom as shares; `told` and `more` are HTML."""

    place: Sequence[float]
    told: str
    more: str
    style: str


class Picture(NamedTuple):
    """A small copy of a picture: its address within the page, and its width over its height."""

    uri: str
    aspect: float


def small_copy(path: Path, longest: int) -> Picture | None:
    """The copy; None where Pillow cannot read the picture."""
    try:
        with Image.open(path) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            image.draft("RGB", (longest, longest))
            small = ImageOps.exif_transpose(image).convert("RGBA")
            small.thumbnail((longest, longest))
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    packed = io.BytesIO()
    small.save(packed, "WEBP", quality=80)
    uri = f"data:image/webp;base64,{base64.b64encode(packed.getvalue()).decode()}"
    return Picture(uri, small.width / small.height)


def boxes(results: Iterable[Any]) -> list[Box]:
    """The lines of text that were read, the places of failed rules, and places that anyone else names."""
    found: list[Box] = []
    for result in results:
        try:
            found += _BOXES.get(shape_of(result), _no_boxes)(result)
        except OF_ANOTHER_KIND:
            continue
    return found


def _lines(result: Any) -> list[Box]:
    return [
        Box(line["box"], words(line.get("text", "")), f"sure {percent(line.get('confidence', 0))}", "text")
        for line in entries(result, "lines")
        if _is_box(line.get("box"))
    ]


def _failed(result: Any) -> list[Box]:
    """One box for each failed rule and place, with the packs that ask for it."""
    asked: dict[tuple[str, tuple[float, ...]], tuple[Mapping[str, Any], list[str]]] = {}
    for report in entries(result, "reports"):
        for verdict in entries(report, "rules"):
            for one in entries(verdict, "evidence") if verdict.get("verdict") == "fail" else ():
                if _is_box(one.get("box")):
                    key = (str(verdict.get("rule")), tuple(one["box"]))
                    asked.setdefault(key, (verdict, []))[1].append(str(report.get("pack", "")))
    return [
        Box(place, f"✗ {plain(rule)}: {plain(seen(verdict))}", plain(f"{verdict.get('threshold')}; {', '.join(packs)}"),
            "fail")
        for (rule, place), (verdict, packs) in asked.items()
    ]  # fmt: skip


def framed(image: Picture, places: Sequence[Box] = (), number: int = 0) -> str:
    """The picture with its boxes; switches, which work without script, show and hide them."""
    drawn = "".join(_draw(box) for box in places)
    # Tall pictures are to fit the window: nobody scrolls to see one.
    style = f"max-width:calc(85vh*{image.aspect:.3f})"
    picture = f'<figure style="{style}"><img alt="" src="{image.uri}">{drawn}</figure>'
    kinds = {box.style for box in places}
    if not kinds:
        return picture
    keys, inputs = "", ""
    for style, letter, title, on in (("text", "t", "text", " checked"), ("fail", "f", "failed rules", "")):
        if style in kinds:
            name = f"{letter}{number}"
            count = sum(box.style == style for box in places)
            inputs += f'<input type="checkbox" class="switch {letter}" id="{name}"{on}>'
            keys += f'<label class="k{letter}" for="{name}">{title} ({count})</label>'
    return f'<div class="board">{inputs}<div class="keys">{keys}</div>{picture}</div>'


def _draw(box: Box) -> str:
    left, top, right, bottom = (min(1.0, max(0.0, float(x))) for x in box.place)
    turned = f"{' r' if left > _MIDDLE else ''}{' d' if bottom > _LOW else ''}"
    style = f"left:{left:.2%};top:{top:.2%};width:{right - left:.2%};height:{bottom - top:.2%}"
    more = f"<small>{box.more}</small>" if box.more else ""
    return f'<span class="box {box.style}{turned}" tabindex="0" style="{style}"><b>{box.told}{more}</b></span>'


def _is_box(box: Any) -> bool:
    return isinstance(box, list | tuple) and len(box) == _CORNERS and all(isinstance(x, int | float) for x in box)


def _anywhere(value: Any) -> list[tuple[Sequence[float], str]]:
    """Every entry with a `box`, and its title."""
    if isinstance(value, Mapping):
        own = [(value["box"], str(value.get("text") or value.get("label") or value.get("id") or ""))] if _is_box(
            value.get("box")) else []  # fmt: skip
        return own + [found for inner in value.values() for found in _anywhere(inner)]
    if isinstance(value, list | tuple):
        return [found for inner in value for found in _anywhere(inner)]
    return []


def _theirs(result: Any) -> list[Box]:
    return [Box(place, words(title), "", "text") for place, title in _anywhere(result)]


def _no_boxes(_: Any) -> list[Box]:
    return []


_BOXES: dict[Shape, Callable[[Any], list[Box]]] = {"text": _lines, "scores": _failed, "other": _theirs}
