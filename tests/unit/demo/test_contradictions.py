"""Copy of the demo's world that contradicts its picture."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from demo.contradictions import plant
from demo.troubles import Trouble
from upstreams.world import Creative, World, WorldAd, WorldBrand, load_world, write_world


def creative(name: str, price: str) -> Creative:
    return Creative(id=name, file=f"{name}.jpg", kind="image", content_type="image/jpeg", width=9, height=9,
                    sha256=name, headline="", price=price, language="de")  # fmt: skip


def ad(name: str, *creatives: str) -> WorldAd:
    return WorldAd(id=name, network="meta", format="image", bodies=("Nur heute.",), countries=("DE",),
                   started_on=date(2026, 1, 1), creatives=creatives)  # fmt: skip


def world() -> World:
    ads = (ad("struck", "a"), ad("two", "b", "c"), ad("hryvnia", "d"), ad("fit", "b"), ad("next", "c"))
    brand = WorldBrand(id="norvik", name="Norvik", meta_page_id="1", google_advertiser_id="2", domain="x", ads=ads)
    prices = {"a": "5,00 €", "b": "49,99 €", "c": "£9.00", "d": "400 грн"}
    creatives = tuple(creative(name, price) for name, price in prices.items())
    return World(seed=1, made_on=date(2026, 1, 1), brands=(brand,), creatives=creatives)


def test_one_ad_of_each_brand_names_another_price(tmp_path: Path) -> None:
    write_world(tmp_path, world())
    trouble = Trouble(kind="gone", brand="norvik", creative="a", file="a.jpg")
    assert plant(tmp_path, world(), [trouble]) == ["fit"]
    bodies = {one.id: one.bodies for one in load_world(tmp_path).brands[0].ads}
    assert bodies.pop("fit") == ("Nur heute. 59,99 €.",)
    assert set(bodies.values()) == {("Nur heute.",)}


def test_the_world_that_others_link_to_stays_as_it_is(tmp_path: Path) -> None:
    cache, home = tmp_path / "cache", tmp_path / "home"
    home.mkdir()
    write_world(cache, world())
    (home / "world.json").hardlink_to(cache / "world.json")
    plant(home, world(), [])
    assert load_world(cache) == world()
    assert load_world(home) != world()
