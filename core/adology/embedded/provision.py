"""``python -m adology.embedded.provision --home DIR``: makes the bucket and the queues, then ends."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from adology.queues.admin import ensure_bucket, ensure_queues
from adology.settings import AdologySettings, load_settings


async def _provision(settings: AdologySettings) -> None:
    await asyncio.gather(ensure_bucket(settings), ensure_queues(settings))


def main() -> None:
    """Provision what the settings name; safe to repeat."""
    parser = argparse.ArgumentParser(prog="adology.embedded.provision", description=main.__doc__)
    parser.add_argument("--home", type=Path, required=True)
    home = parser.parse_args().home
    asyncio.run(_provision(load_settings(overrides={"home": str(home)})))


if __name__ == "__main__":
    main()
