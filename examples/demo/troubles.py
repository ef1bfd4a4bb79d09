"""What goes wrong on purpose, as it does outside: addresses that expire, transfers that break, bad files.

Every trouble strikes a creative of its own that just one ad uses, so that its end is known
beforehand: the passing ones are overcome, the others are failures with a reason.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import aiohttp
import msgspec

from upstreams.faults import FOREVER
from upstreams.server import LoggedRequest
from upstreams.world import MEDIA_FOLDER, Creative, Network, World, WorldBrand

Kind = Literal["expired", "cut", "page", "gone", "half"]

PASSING: frozenset[Kind] = frozenset({"expired", "cut"})
FAULTS: dict[Kind, tuple[str, int]] = {
    "cut": ("truncate", 1),
    "page": ("html", FOREVER),
    "gone": ("http_410", FOREVER),
}
"""Those that are faults of the media server, and how often they strike."""
_AHEAD: dict[Kind, tuple[str, str]] = {
    "expired": ("old address", "old addresses"),
    "cut": ("broken transfer", "broken transfers"),
    "page": ("web page for a picture", "web pages for pictures"),
    "gone": ("file gone", "files gone"),
    "half": ("file cut short", "files cut short"),
}
_BEHIND: dict[Kind, tuple[str, str]] = {
    "expired": ("old address found anew", "old addresses found anew"),
    "cut": ("broken transfer tried again", "broken transfers tried again"),
}
_WISHES: tuple[tuple[Kind, int, Network, str], ...] = (
    ("half", 0, "meta", "image"),
    ("page", 1, "google", "image"),
    ("gone", 2, "customer", "image"),
    ("expired", 0, "google", "image"),
    ("expired", 1, "meta", "image"),
    ("expired", 2, "meta", "image"),
    ("cut", 1, "meta", "video"),
)
"""Kind, brand, network and kind of file."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that goes wrong with one creative's `file` (relative to the media folder)."""

    kind: Kind
    brand: str
    creative: str
    file: str

    @property
    def path(self) -> str:
        """The file's path at the media server."""
        return f"/m/{quote(self.file)}"


def plan_troubles(world: World) -> list[Trouble]:
    """What is to go wrong; less in a world too small for all of it."""
    found: list[Trouble] = []
    for kind, index, network, medium in _WISHES:
        taken = {trouble.creative for trouble in found}
        brand = world.brands[index]
        pick = next((c for c in _lonely(world, brand, network) if c.kind == medium and c.id not in taken), None)
        if pick is not None:
            found.append(Trouble(kind=kind, brand=brand.id, creative=pick.id, file=pick.file))
    return found


def _lonely(world: World, brand: WorldBrand, network: Network) -> Iterator[Creative]:
    """Creatives of the brand's ads on `network` that one ad uses, and whose bytes nobody repeats."""
    uses = Counter(name for each in world.brands for ad in each.ads for name in ad.creatives)
    repeated = {creative.same_as for creative in world.creatives}
    creatives = {creative.id: creative for creative in world.creatives}
    for ad in brand.ads:
        for name in ad.creatives if ad.network == network and not ad.removed else ():
            if uses[name] == 1 and name not in repeated and creatives[name].same_as is None:
                yield creatives[name]


def describe_troubles(troubles: Iterable[Trouble], *, overcome: bool = False) -> str:
    """How often what: as it is prepared, or as it was overcome."""
    texts = _BEHIND if overcome else _AHEAD
    kinds = Counter(trouble.kind for trouble in troubles)
    return ", ".join(f"{count} {texts[kind][count > 1]}" for kind, count in kinds.items()) or "none"


def copy_world(source: Path, target: Path, troubles: Iterable[Trouble]) -> None:
    """A copy of the world to serve, in which the files of the troubles "half" end half way."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, copy_function=_link)
    for trouble in troubles:
        if trouble.kind == "half":
            whole = (source / MEDIA_FOLDER / trouble.file).read_bytes()
            file = target / MEDIA_FOLDER / trouble.file
            file.unlink()  # the link; the source stays whole
            file.write_bytes(whole[: len(whole) // 2])


def _link(source: str, target: str) -> None:
    """A hard link, which costs nothing; a copy where the file system has none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def write_troubles(path: Path, troubles: Sequence[Trouble]) -> None:
    """Write what is to go wrong, for the vendors to read."""
    path.write_bytes(msgspec.json.encode(troubles))


def read_troubles(path: Path) -> list[Trouble]:
    """What `write_troubles` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=list[Trouble])


async def list_overcome(media_origin: str, troubles: Iterable[Trouble]) -> list[Trouble]:
    """The passing troubles that struck and were overcome, by the media server's own account."""
    async with aiohttp.ClientSession(raise_for_status=True) as session, session.get(f"{media_origin}/_requests") as got:
        requests = msgspec.json.decode(await got.read(), type=list[LoggedRequest])
    return [trouble for trouble in troubles if trouble.kind in PASSING and _is_overcome(trouble, requests)]


def _is_overcome(trouble: Trouble, requests: Iterable[LoggedRequest]) -> bool:
    """Whether the file, or a video's preview, was asked for in vain and then had."""
    struck: set[str] = set()
    for request in requests:
        if not request.path.startswith(trouble.path):
            continue
        if request.status != HTTPStatus.OK or request.fault:
            struck.add(request.path)
        elif request.path in struck:
            return True
    return False
