"""What tests of the labels by OpenAI share: contexts at the stand-in, ads, pictures, filled-in forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

from adology import Ad, AdItem, Context, MediaItem
from adology.money import MemoryPurse
from adology_labels import CopyLabelsAnalyzer, CopyLabelsSettings, Labels
from adology_labels.asking import asked
from adology_labels.taxonomies import OF_COPY, OF_MEDIA
from upstreams.faults import Fault
from upstreams.openai import API_KEY, OpenAiServer

AD = Ad(
    id="1",
    bodies=("Rugs that we make by hand for you and your home.", "Everything must go"),
    titles=("Save on rugs",),
    cta="SHOP_NOW",
)


def context(server: OpenAiServer, kind: type[CopyLabelsSettings] = CopyLabelsSettings, **settings: Any) -> Context[Any]:
    return Context(
        "labels",
        kind(provider="openai", openai_base_url=f"{server.origin}/v1", **settings),
        section="analyzers",
        purse=MemoryPurse(),
        env={"OPENAI_API_KEY": API_KEY},
    )


async def label_ad(server: OpenAiServer, ad: Ad, **settings: Any) -> Labels:
    return await CopyLabelsAnalyzer().analyze(context(server, **settings), AdItem(ad=ad))


def answer(copy: bool = True, **given: Any) -> str:
    """A filled-in form: unknown but for what is given."""
    found: dict[str, Any] = {"valence": 0.5, "arousal": -0.25}
    for taxonomy in asked(OF_COPY if copy else OF_MEDIA):
        pick = {"id": "unknown", "confidence": 1.0, "lines": [], "pictures": [], "other": ""}
        found[taxonomy.name] = [pick] if taxonomy.most > 1 else pick
    for name, value in given.items():
        picks = [
            {"confidence": 0.9, "lines": [], "pictures": [], "other": "", **one}
            for one in (value if isinstance(value, list) else [value])
        ]
        found[name] = picks if isinstance(value, list) else picks[0]
    return json.dumps(found)


def told(server: OpenAiServer, text: str) -> None:
    """Have the stand-in say `text` once."""
    server.faults.add(Fault(kind="not_json", detail=text))


def content(body: dict[str, Any]) -> list[dict[str, Any]]:
    (message,) = body["input"]
    assert message["role"] == "user"
    parts: list[dict[str, Any]] = message["content"]
    return parts


def picture(path: Path, size: tuple[int, int] = (1600, 900), **options: Any) -> MediaItem:
    Image.new("RGB", size, "orange").save(path, **options)
    return item_of(path)


def item_of(path: Path, kind: Any = "image", **results: Any) -> MediaItem:
    return MediaItem(
        sha256="0" * 64,
        path=path,
        kind=kind,
        content_type="image/png",
        size_bytes=path.stat().st_size,
        results=results,
    )
