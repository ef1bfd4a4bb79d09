"""What the API said, as tables."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from adology.cli import output
from demo.customer import Seen

_LONGEST = 44


def describe(seen: Seen) -> str:
    """One line."""
    last = seen.progress[-1]["status"] if seen.progress else "unheard of"
    found = output.count(seen.statistics["ads"], "ad")
    return f"{seen.origin}: a brandspace with {found}, its feed, look-alikes, a refresh that was {last}"


def show(seen: Seen) -> None:
    """The brandspace, the feed, the neighbours of one ad, and the refresh as the WebSocket told it."""
    about = "as a customer sees it through the API; counts over all of its brands"
    _show("Brandspace", about, _brandspace(seen))
    _show("Feed", "GET /v1/ads: the newest, near-duplicates collapsed", _feed(seen.feed))
    if seen.example is not None:
        about = f"GET /v1/ads/{seen.example['id']}/similar"
        _show("Similar", about, _similar(seen.similar))
    _show("Refresh", "POST /v1/brands/…/refresh, and what came over the WebSocket", _progress(seen.progress))


def _show(title: str, about: str, table: Table) -> None:
    console = output.stdout()
    console.print(Text.assemble((title, "bold"), (f"  {about}", "dim")), soft_wrap=True)
    console.print(table)


def _brandspace(seen: Seen) -> Table:
    numbers = ("ads", "new", "running", "stopped", "not looked")
    made = output.table("brand", "role", *numbers, right=numbers)
    for row in seen.statistics["brands"]:
        counts = [row[name.replace(" ", "_")] for name in numbers]
        made.add_row(Text(row["brand"], style="bold"), row["role"], *(f"{count:,}" for count in counts))
    return made


def _feed(ads: list[dict[str, Any]]) -> Table:
    made = output.table(
        "brand", "source", "status", "days", "says", "labels", right=("days",), flexible=("says", "labels")
    )
    for ad in ads:
        made.add_row(
            Text(ad["brand"], style="bold"),
            f"{ad['source']}{' (own)' if ad['private'] else ''}",
            ad["status"],
            str(ad["run_days"]),
            output.cut(" ".join((ad["title"] or ad["body"]).split())[:_LONGEST]),
            output.cut(", ".join(label.partition(":")[2] for label in ad["labels"][:4]), "dim"),
        )
    return made


def _similar(items: list[dict[str, Any]]) -> Table:
    made = output.table("similar", "how", "brand", "ad", "says", right=("similar",), flexible=("says",))
    for item in items:
        ad = item["ads"][0]
        says = output.cut(" ".join(ad["title"].split())[:_LONGEST], "dim")
        made.add_row(f"{item['similarity']:.3f}", item["how"], Text(ad["brand"], style="bold"), str(ad["ad_id"]), says)
    return made


def _progress(messages: list[dict[str, Any]]) -> Table:
    made = output.table("event", "status", "progress", right=("event",), flexible=("progress",))
    for message in messages:
        progress = message.get("progress") or message.get("result") or {}
        said = (
            ", ".join(f"{key} {value}" for key, value in progress.items()) if isinstance(progress, dict) else progress
        )
        made.add_row(str(message["seq"]), message["status"], output.cut(str(said), "dim"))
    return made
