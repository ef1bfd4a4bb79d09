"""Results of analyzers as one page: boxes drawn on pictures, a storyboard of videos."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image, ImageOps, UnidentifiedImageError

from adology.cli.analyze_show import summary
from adology.cli.model import AnalyzedItem
from adology.engine.offline import Said

LONGEST_PX = 1000
FRAME_PX = 320
MOST_PIXELS = 60_000_000
_CORNERS = 4

STYLE = """
:root{color-scheme:light dark;--line:#8884;--dim:#888}
body{font:15px/1.45 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin:2.5rem 0 .4rem;overflow-wrap:anywhere}
h2 small{font-weight:400;color:var(--dim)}
figure{position:relative;display:inline-block;margin:0;max-width:100%}
figure img{display:block;max-width:100%;height:auto}
figure svg{position:absolute;inset:0;width:100%;height:100%}
rect{fill:none;stroke:#e6007e;stroke-width:1.5;vector-effect:non-scaling-stroke}
rect:hover{fill:#e6007e33}
.board{display:flex;flex-wrap:wrap;gap:.5rem}.board img{height:120px;border-radius:3px}
table{border-collapse:collapse;width:100%;margin:.8rem 0}
td{border-top:1px solid var(--line);padding:.4rem .8rem .4rem 0;vertical-align:top;overflow-wrap:anywhere}
td:first-child{font-weight:600;width:9rem}td:last-child{color:var(--dim);white-space:nowrap;text-align:right}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .8rem;margin:0}dt{color:var(--dim)}dd{margin:0}
pre{overflow:auto;max-height:24rem;font-size:.8rem;background:#8881;padding:.6rem}
.error{color:#c1121f}
"""


def render(items: Sequence[tuple[AnalyzedItem, Sequence[Said]]]) -> str:
    """The page."""
    body = "\n".join(_item(item, said) for item, said in items)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        f"<title>Adology: {len(items)} analysed</title><style>{STYLE}</style></head>"
        f"<body><h1>What the analyzers say</h1>\n{body}\n</body></html>\n"
    )


def _item(item: AnalyzedItem, said: Sequence[Said]) -> str:
    about = f"{item.content_type} · {item.size_bytes:,} bytes · {item.sha256[:12]}" if item.sha256 else "copy"
    parts = [f"<section><h2>{escape(item.name)} <small>{escape(about)}</small></h2>"]
    if item.kind == "image":
        parts.append(_picture(Path(item.name), said))
    frames = [path for one in said for path in one.derived if item.kind == "video"]
    shown = [image for path in frames if (image := _data_uri(path, FRAME_PX)) is not None]
    if shown:
        parts.append('<div class="board">' + "".join(f'<img alt="" src="{image}">' for image in shown) + "</div>")
    parts += ["<table>", *(_row(one) for one in said), "</table></section>"]
    return "\n".join(parts)


def _picture(path: Path, said: Sequence[Said]) -> str:
    image = _data_uri(path, LONGEST_PX)
    if image is None:
        return "<p>The picture cannot be shown.</p>"
    boxes = "".join(
        f'<rect x="{box[0]:.4f}" y="{box[1]:.4f}" width="{box[2] - box[0]:.4f}" height="{box[3] - box[1]:.4f}">'
        f"<title>{escape(f'{one.analyzer}: {title}')}</title></rect>"
        for one in said
        for box, title in _boxes(one.result)
    )
    overlay = f'<svg viewBox="0 0 1 1" preserveAspectRatio="none">{boxes}</svg>' if boxes else ""
    return f'<figure><img alt="" src="{image}">{overlay}</figure>'


def _boxes(value: Any) -> Iterator[tuple[Sequence[float], str]]:
    """Every entry with a `box` (left, top, right, bottom as shares), and its title."""
    if isinstance(value, Mapping):
        box = value.get("box")
        if isinstance(box, list | tuple) and len(box) == _CORNERS and all(isinstance(x, int | float) for x in box):
            yield box, str(value.get("text") or value.get("label") or value.get("id") or "")
        for inner in value.values():
            yield from _boxes(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _boxes(inner)


def _row(said: Said) -> str:
    if said.error is not None:
        style = "" if said.skipped else "error"
        told = f'<span class="{style}">{escape(said.error)} [{escape(said.error_code or "")}]</span>'
    else:
        words = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in summary(said.result))
        plain = msgspec.json.format(msgspec.json.encode(said.result), indent=1).decode()
        told = f"<dl>{words}</dl><details><summary>all</summary><pre>{escape(plain)}</pre></details>"
    cost = f"<br>{said.cost_usd:.6f} USD" if said.cost_usd else ""
    name = f"{escape(said.analyzer)} {said.version}"
    return f"<tr><td>{name}</td><td>{told}</td><td>{said.seconds * 1000:,.0f} ms{cost}</td></tr>"


def _data_uri(path: Path, longest: int) -> str | None:
    """A small copy of the picture; None where Pillow cannot read it."""
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
    small.save(packed, "WEBP", quality=82)
    return f"data:image/webp;base64,{base64.b64encode(packed.getvalue()).decode()}"
