"""Results of analyzers as one page: it needs nothing from elsewhere and runs no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from adology.cli import output
from adology.cli.analyze_shapes import READING_ORDER, shape_of
from adology.cli.analyze_words import cut
from adology.cli.model import AnalyzedItem
from adology.cli.page_parts import raw, words
from adology.cli.page_pictures import LONGEST_PX, NAV_PX, SHEET_PX, boxes, framed, small_copy
from adology.cli.page_sections import tell
from adology.cli.page_style import STYLE
from adology.cli.page_timeline import timeline
from adology.engine.offline import Said

_NAME = 60
_ICONS = {"video": "▶", "image": "▣", "ad": "¶"}


def render(items: Sequence[tuple[AnalyzedItem, Sequence[Said]]]) -> str:
    """The page."""
    body = "\n".join(_item(number, item, said) for number, (item, said) in enumerate(items, 1))
    menu = "".join(_link(number, item, said) for number, (item, said) in enumerate(items, 1))
    count = output.count(len(items), "item")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        f"<title>Adology: {count} analysed</title><style>{STYLE}</style></head>"
        f'<body><main><h1>What the analyzers say</h1><p class="dim">{count}</p>'
        f"{f'<nav>{menu}</nav>' if len(items) > 1 else ''}\n{body}\n</main></body></html>\n"
    )


def _title(item: AnalyzedItem) -> str:
    return Path(item.name).name if item.sha256 else cut(item.name, _NAME)


def _link(number: int, item: AnalyzedItem, said: Sequence[Said]) -> str:
    source = Path(item.name) if item.kind == "image" else _derived(said, "thumbnail")
    image = small_copy(source, NAV_PX) if source is not None else None
    shown = f'<img alt="" src="{image.uri}">' if image else f"<i>{_ICONS.get(item.kind, '·')}</i>"
    return f'<a href="#i{number}">{shown}<span>{words(_title(item), _NAME)}</span></a>'


def _item(number: int, item: AnalyzedItem, said: Sequence[Said]) -> str:
    about = f"{item.content_type} · {output.amount(item.size_bytes)} · {item.sha256[:12]}" if item.sha256 else "copy"
    head = f'<h2>{words(_title(item))}</h2><small class="dim">{escape(about)}</small>'
    ordered = sorted(said, key=lambda one: (one.error is not None, READING_ORDER.index(shape_of(one.result))))
    sections = "".join(_section(one) for one in ordered)
    side = _side(number, item, said)
    style = "cols film" if item.kind == "video" else "cols"
    inside = (
        f'<div class="{style}"><div class="side">{side}</div><div class="main">{sections}</div></div>'
        if side
        else f'<div class="main one">{sections}</div>'
    )
    return f'<article id="i{number}"><header>{head}</header>{inside}</article>'


def _side(number: int, item: AnalyzedItem, said: Sequence[Said]) -> str:
    """What was analysed: the picture with its boxes, the film in pictures along its time, or the copy."""
    results = [one.result for one in said]
    if item.kind == "image":
        image = small_copy(Path(item.name), LONGEST_PX)
        return framed(image, boxes(results), number) if image else "<p>The picture cannot be shown.</p>"
    if item.kind == "video":
        sheet = _derived(said, "storyboard") or _derived(said, "thumbnail")
        image = small_copy(sheet, SHEET_PX) if sheet is not None else None
        picture = framed(image) if image else ""
        times = timeline(results)
        return picture + (f'<div class="card">{times}</div>' if times else "")
    return f'<div class="card copy">{words(item.name, 20_000)}</div>' if item.kind == "ad" and item.name else ""


def _derived(said: Sequence[Said], field: str) -> Path | None:
    """The derived file that a result names in this field."""
    for one in said:
        name = one.result.get(field) if isinstance(one.result, dict) else None
        found = next((path for path in one.derived if path.name == name), None)
        if found is not None:
            return found
    return None


def _section(said: Said) -> str:
    cost = f" · {said.cost_usd:.6f} USD" if said.cost_usd else ""
    head = (
        f"<header><h3>{escape(said.analyzer)}</h3><small>version {said.version} · "
        f"{said.seconds * 1000:,.0f} ms{cost}</small></header>"
    )
    if said.error is not None:
        style = "dim" if said.skipped else "error"
        inside = f'<p class="{style}">{words(said.error)} [{escape(said.error_code or "")}]</p>'
    else:
        inside = tell(said.result) + raw(said.result)
    return f'<section class="card">{head}{inside}</section>'
