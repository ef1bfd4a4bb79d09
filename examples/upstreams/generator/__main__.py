"""``python -m upstreams.generator OUT``: draw a world."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import quote

from upstreams.generator.build import generate
from upstreams.generator.customer import CUSTOMER_FILE, write_customer_db

EXPIRES_AT = 4_102_444_800
"""Of the addresses in the customer's database: the year 2100."""


def make_url_for(origin: str) -> Callable[[str], str]:
    """Addresses at the stand-in media server of `origin`, or relative keys without one."""
    if not origin:
        return lambda file: file
    from upstreams.media import Signer  # noqa: PLC0415 - a web framework that drawing does not need

    signer = Signer()
    return lambda file: f"{origin.rstrip('/')}/m/{quote(file)}?exp={EXPIRES_AT}&sig={signer.sign(file, EXPIRES_AT)}"


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m upstreams.generator", description="Draw a stand-in world.")
    parser.add_argument("out", type=Path, help="folder to write; its media is replaced")
    parser.add_argument("--brands", type=int, default=3, help="advertisers (default: 3)")
    parser.add_argument("--ads", type=int, default=40, help="ads of each (default: 40)")
    parser.add_argument("--seed", type=int, default=7, help="the same one gives the same world (default: 7)")
    parser.add_argument("--made-on", type=date.fromisoformat, help="day that the dates lead up to (default: today)")
    parser.add_argument("--font", type=Path, help="font file (default: one of the system's, else Pillow's own)")
    parser.add_argument(
        "--media-origin", default="", help="http://HOST:PORT of the media server, for addresses in customer.sqlite"
    )
    args = parser.parse_args(arguments)
    if args.brands < 1 or args.ads < 1:
        parser.error(f"--brands {args.brands} --ads {args.ads}: both must be at least 1")
    started = time.monotonic()
    world = generate(args.out, seed=args.seed, brands=args.brands, ads=args.ads, made_on=args.made_on, font=args.font)
    rows = write_customer_db(world, args.out / CUSTOMER_FILE, make_url_for(args.media_origin))
    kinds = [creative.kind for creative in world.creatives]
    print(
        f"{args.out}: {len(world.brands)} brands, {sum(len(b.ads) for b in world.brands)} ads, "
        f"{kinds.count('image')} pictures, {kinds.count('video')} clips, {rows} rows in {CUSTOMER_FILE}, "
        f"in {time.monotonic() - started:.1f} s",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
