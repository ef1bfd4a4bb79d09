"""Ads of one template, drawn: which of them are one ad changed, and which are different ads, is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

HEADLINES = (
    ("Built for summer", "Cool the whole house"), ("Meet your new favourite", "The one you keep"),
    ("Now in store", "Only online today"), ("Save on every bill", "Free fitting this week"),
    ("Made to last", "Ready when you are"), ("Your weekend, sorted", "Take two, pay for one"),
)  # fmt: skip
TRANSLATED = ("Listo para el verano", "Dein neuer Liebling", "Disponible en magasin", "Risparmia ogni mese")
PRICES = ("$56", "$49", "$1,299", "$989", "$24.99", "$19.50", "$5,799", "$8,450")
SIZES = ((1080, 1080), (1080, 1350), (1200, 628), (600, 500))
COLOURS = ((24, 40, 92), (250, 240, 228), (196, 30, 58), (255, 255, 255), (18, 18, 18), (0, 122, 104))
WHITE, BLACK = (255, 255, 255), (20, 20, 20)
LIGHT = 128 * 3


class Ad(NamedTuple):
    """What an ad of a template holds."""

    size: tuple[int, int]
    layout: int
    ground: tuple[int, int, int]
    photo: Path | None
    product: Path | None
    headline: str
    price: str
    panel: tuple[int, int, int] | None


class Template(NamedTuple):
    """One ad, and others of its template: how they differ → the ad."""

    name: str
    base: Image.Image
    others: dict[str, Image.Image]


class Plan(NamedTuple):
    """A template before it is drawn."""

    name: str
    base: Ad
    others: dict[str, Ad]


def templates(data: Path, count: int, *, seed: int = 5) -> Iterator[Template]:
    """`count` different templates, always the same for a seed."""
    for plan in plans(data, count, seed=seed):
        yield Template(plan.name, draw(plan.base), {how: draw(ad) for how, ad in plan.others.items()})


def plans(data: Path, count: int, *, seed: int) -> Iterator[Plan]:
    """The same, not drawn."""
    products = sorted(
        path
        for folder in ("condensers", "ducting", "controllers", "outlets")
        for path in (data / "creatives" / "components" / folder).glob("*.png")
    )
    photos = sorted((data / "photos" / "coco").glob("*.jpg"))
    rng = np.random.default_rng(seed)
    for number in range(count):
        first, second = (int(i) for i in rng.permutation(len(products))[:2])
        one, other = (int(i) for i in rng.permutation(len(photos))[:2])
        words = HEADLINES[number % len(HEADLINES)]
        price = int(rng.integers(0, len(PRICES) // 2)) * 2
        grounds = rng.permutation(len(COLOURS))
        ad = Ad(
            size=SIZES[number % len(SIZES)],
            layout=number % 3,
            ground=COLOURS[grounds[0]],
            photo=photos[one] if number % 2 else None,
            product=None if number % 4 == 1 else products[first],
            headline=words[0],
            price=PRICES[price],
            panel=COLOURS[grounds[1]] if number % 3 == 2 else None,
        )
        others = {
            "other words": ad._replace(headline=words[1]),
            "other price": ad._replace(price=PRICES[price + 1]),
            "other words and price": ad._replace(headline=words[1], price=PRICES[price + 1]),
            "other language": ad._replace(headline=TRANSLATED[number % len(TRANSLATED)]),
        }
        if ad.product:
            others["other product"] = ad._replace(product=products[second])
            others["other product, words"] = ad._replace(product=products[second], headline=words[1])
        if ad.photo:
            others["other photo"] = ad._replace(photo=photos[other])
        if ad.panel:
            others["other panel, words"] = ad._replace(panel=COLOURS[grounds[2]], headline=words[1])
        yield Plan(f"template {number}", ad, others)


def draw(ad: Ad) -> Image.Image:
    """The ad as an RGB picture."""
    width, height = ad.size
    picture = Image.new("RGB", ad.size, ad.ground)
    if ad.photo:
        with Image.open(ad.photo) as photo:
            picture.paste(_filling(photo.convert("RGB"), ad.size))
    if ad.product:
        with Image.open(ad.product) as product:
            _place(picture, product.convert("RGBA"), ad.layout)
    drawing = ImageDraw.Draw(picture)
    top = (0.06, 0.68, 0.72)[ad.layout]
    if ad.panel:
        drawing.rectangle((0, round((top - 0.04) * height), width, round((top + 0.28) * height)), fill=ad.panel)
    ink = WHITE if sum(ad.panel or ad.ground) < LIGHT or (ad.photo and not ad.panel) else BLACK
    outline = round(height * 0.004) if ad.photo else 0
    for words, y, size in ((ad.headline, top, 0.075), (ad.price, top + 0.1, 0.12)):
        drawing.text(
            (round(0.06 * width), round(y * height)),
            words,
            fill=ink,
            font=ImageFont.load_default(round(size * height)),
            stroke_width=outline,
            stroke_fill=BLACK if ink == WHITE else WHITE,
        )
    return picture


def _filling(photo: Image.Image, size: tuple[int, int]) -> Image.Image:
    zoom = max(size[0] / photo.width, size[1] / photo.height)
    large = photo.resize((round(photo.width * zoom) + 1, round(photo.height * zoom) + 1), Image.Resampling.BICUBIC)
    return large.crop((0, 0, *size))


def _place(picture: Image.Image, product: Image.Image, layout: int) -> None:
    width, height = picture.size
    product.thumbnail((round(0.5 * width), round(0.5 * height)))
    x, y = ((0.45, 0.4), (0.25, 0.1), (0.4, 0.15))[layout]
    picture.paste(product, (round(x * width), round(y * height)), product)
